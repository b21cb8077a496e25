package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

// asset is one embedded file under the address that carries its hash, so that a browser may keep it for ever.
type asset struct {
	name    string
	address string
	content []byte
}

// assets are the embedded files by name.
var assets = readAssets()

func readAssets() map[string]asset {
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	found := map[string]asset{}
	for _, entry := range entries {
		content, err := staticFiles.ReadFile("static/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(entry.Name())
		stem := strings.TrimSuffix(entry.Name(), extension)
		address := "/static/" + stem + "." + hex.EncodeToString(sum[:8]) + extension
		found[entry.Name()] = asset{entry.Name(), address, content}
	}
	return found
}

// Static serves the stylesheet, the script and the mark. It needs no login.
func (p *Pages) Static(w http.ResponseWriter, r *http.Request) error {
	for _, a := range assets {
		if a.address != r.URL.Path {
			continue
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
		return nil
	}
	return errNoPage
}
