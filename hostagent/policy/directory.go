package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is Linux's limit on a path; macOS has less and says so itself.
const maxPath = 4096

// Directory resolves the directory that a session was asked to run in, and says whether it may. What it returns
// has no symbolic link in it and lies under a root that has none either; empty asks for the first root. An error
// that is not a *Refusal says what is wrong with the request.
func (p Policy) Directory(asked string) (string, error) {
	if asked == "" {
		asked = p.Roots[0]
	}
	if err := wellFormed(asked); err != nil {
		return "", err
	}
	path, err := expand(asked)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", p.missing(asked, path)
	}
	if err != nil {
		return "", refuse("roots", "the directory %q cannot be used: %v", asked, plainCause(err))
	}
	if !p.underRoot(resolved) {
		return "", p.outside(asked)
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return "", refuse("roots", "the directory %q cannot be used: %v", asked, plainCause(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%q is not a directory", asked)
	}
	return resolved, nil
}

// missing does not tell what is there and what is not outside the roots.
func (p Policy) missing(asked, path string) error {
	parent := path
	for parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
		resolved, err := filepath.EvalSymlinks(parent)
		if err != nil {
			continue
		}
		if !p.underRoot(resolved) {
			return p.outside(asked)
		}
		return fmt.Errorf("the directory %q does not exist on this host", asked)
	}
	return p.outside(asked)
}

func (p Policy) outside(asked string) error {
	return refuse("roots", "the directory %q is not under one that this host's policy allows: %s", asked, strings.Join(p.Roots, ", "))
}

// underRoot compares resolved paths only. Where a file system folds case or Unicode forms, a differently spelt
// twin of a root is refused, which is safe.
func (p Policy) underRoot(resolved string) bool {
	for _, root := range p.Roots {
		root, err := expand(root)
		if err != nil {
			continue
		}
		root, err = filepath.EvalSymlinks(root)
		if err != nil {
			continue
		}
		rest, err := filepath.Rel(root, resolved)
		if err == nil && filepath.IsLocal(rest) {
			return true
		}
	}
	return false
}

func wellFormed(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("the directory's path is longer than %d bytes", maxPath)
	}
	if !utf8.ValidString(path) {
		return errors.New("the directory's path is not valid UTF-8")
	}
	if at := strings.IndexFunc(path, unicode.IsControl); at >= 0 {
		return fmt.Errorf("the directory's path has a control character at byte %d", at)
	}
	return nil
}

// expand knows ~ and nothing else of a shell: no variables, no other users' homes.
func expand(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the home directory: %w", err)
		}
		return filepath.Join(home, path[1:]), nil
	}
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("the directory %q: want an absolute path or one that begins with ~/", path)
	}
	return filepath.Clean(path), nil
}

// plainCause drops the path that the operating system's errors repeat.
func plainCause(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
