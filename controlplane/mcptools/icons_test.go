package mcptools

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"testing"
)

// checkIcons wants a picture that every client can show, and that is what it is said to be.
func checkIcons(t *testing.T, whose string, of any) {
	t.Helper()
	icons, _ := at(of, "icons").([]any)
	if len(icons) == 0 {
		t.Errorf("%s has no icon", whose)
	}
	for _, icon := range icons {
		data, ok := strings.CutPrefix(textAt(icon, "src"), "data:image/png;base64,")
		if !ok || textAt(icon, "mimeType") != "image/png" {
			t.Errorf("%s has the icon %.100v", whose, icon)
			continue
		}
		content, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Errorf("%s: %v", whose, err)
			continue
		}
		picture, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil || fmt.Sprintf("%dx%d", picture.Width, picture.Height) != textAt(icon, "sizes", 0) {
			t.Errorf("%s: %+v %v, said to be %v", whose, picture, err, at(icon, "sizes"))
		}
	}
}
