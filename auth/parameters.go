package auth

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sort"
)

const maxForm = 64 << 10 // bytes of a request at the token and revocation endpoints

// readForm reads the parameters of a POST from its body only; those in the query do not count.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "invalid_request", "Send application/x-www-form-urlencoded."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	r.URL.RawQuery = "" // so that ParseForm and fosite cannot take anything from it
	if err := r.ParseForm(); err != nil {
		return nil, malformed(err)
	}
	return r.PostForm, onlyOnce(r.PostForm)
}

// malformed says that a form cannot be read, unless it is only too large.
func malformed(err error) error {
	if e, _ := asRefusal(err); e.status == http.StatusRequestEntityTooLarge {
		return err
	}
	return refuse("invalid_request", "The parameters are not form-encoded.")
}

// onlyOnce refuses repeated parameters, which different parts of a system read differently (RFC 6749 section
// 3.1). Only resource may be repeated (RFC 8707).
func onlyOnce(form url.Values) error {
	if repeated := repeatedParameters(form); len(repeated) > 0 {
		return refuse("invalid_request", "The parameter %q is given more than once.", repeated[0])
	}
	return nil
}

func repeatedParameters(form url.Values) []string {
	var repeated []string
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			repeated = append(repeated, name)
		}
	}
	sort.Strings(repeated)
	return repeated
}

// isRepeated reports whether any of the names is.
func isRepeated(form url.Values, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return len(form[name]) > 1 })
}
