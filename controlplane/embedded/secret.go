package embedded

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteSecret writes a file that only its owner may read. It is whole and on the disk under another name before it
// gets its own, so that a crash or a power cut leaves a whole file or none.
func WriteSecret(path, text string) error {
	unfinished := path + ".new"
	file, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(unfinished, path); err != nil {
		return err
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
