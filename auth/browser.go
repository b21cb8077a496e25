package auth

import (
	"net/http"
	"strings"
)

// Browser is where a login comes from.
type Browser struct {
	Addr string // the peer's IP address
	Name string // for people, such as "Firefox on Mac"
}

// RequestBrowser is the browser that sent r.
func RequestBrowser(r *http.Request) Browser {
	return Browser{Addr: RemoteAddr(r), Name: browserName(r.UserAgent())}
}

// browserName is what people call the browser behind a User-Agent header. It is one of our own words, so that
// nothing of what a stranger sent is kept. Many browsers claim to be others too, so the order counts.
func browserName(userAgent string) string {
	program := firstIn(userAgent, [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := firstIn(userAgent, [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Macintosh", "Mac"}, {"Windows", "Windows"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case program == "" && system == "":
		return "An unknown browser"
	case program == "":
		return "A browser on " + system
	case system == "":
		return program
	}
	return program + " on " + system
}

// firstIn is the second word of the first pair whose first word is in text.
func firstIn(text string, pairs [][2]string) string {
	for _, pair := range pairs {
		if strings.Contains(text, pair[0]) {
			return pair[1]
		}
	}
	return ""
}
