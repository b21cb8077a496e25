package mcptools

import (
	_ "embed"
	"encoding/base64"

	"github.com/mark3labs/mcp-go/mcp"
)

// The pictures are drawn in icons/*.svg. Clients get them as PNG, which all must be able to show, inside the listing:
// an address they may only follow over HTTPS, which a control plane on its owner's machine does not have.
var (
	//go:embed icons/server.png
	serverIcon []byte
	//go:embed icons/reads.png
	readsIcon []byte
	//go:embed icons/acts.png
	actsIcon []byte
	//go:embed icons/ends.png
	endsIcon []byte
)

func iconOf(picture []byte, size string) mcp.Icon {
	return mcp.Icon{
		Src:      "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture),
		MIMEType: "image/png", Sizes: []string{size},
	}
}

// icon shows what the hints say.
func (h Hints) icon() mcp.Icon {
	switch {
	case h.ReadOnly:
		return iconOf(readsIcon, "32x32")
	case h.Destructive && !h.OpenWorld:
		return iconOf(endsIcon, "32x32")
	}
	return iconOf(actsIcon, "32x32")
}
