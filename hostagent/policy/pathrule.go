package policy

import (
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// matchPath reads a path as .gitignore has it: * within a name, ** across directories, a name without a slash at any
// depth, and a directory means all that is in it. ~ is the home; any other path is taken from the session's directory.
func matchPath(pattern string) (func(*Call) bool, error) {
	if strings.TrimSpace(pattern) == "" {
		return nil, errors.New("no path stands between the brackets")
	}
	if pattern == "~" || strings.HasPrefix(pattern, "~/") {
		pattern = inHome(pattern)
	}
	isAbsolute := strings.HasPrefix(pattern, "/")
	anywhere := !isAbsolute && (strings.HasPrefix(pattern, "**/") || !strings.Contains(strings.TrimSuffix(pattern, "/"), "/"))
	if isAbsolute {
		pattern = "/" + strings.TrimLeft(pattern, "/") // Claude Code writes // for the root
	}
	return func(c *Call) bool {
		from := pattern
		switch {
		case anywhere:
			from = "/**/" + strings.TrimPrefix(from, "**/")
		case !isAbsolute:
			from = filepath.Join(resolve(c.Dir), from)
		}
		segments := strings.Split(strings.Trim(filepath.Clean(from), "/"), "/")
		return slices.ContainsFunc(c.Paths, func(path string) bool {
			if !filepath.IsAbs(path) {
				path = filepath.Join(c.Dir, path)
			}
			return meetsPath(segments, filepath.Clean(path)) || meetsPath(segments, resolve(path))
		})
	}, nil
}

// resolve follows the links in as much of a path as exists.
func resolve(path string) string {
	path = filepath.Clean(path)
	for parent := path; ; parent = filepath.Dir(parent) {
		resolved, err := filepath.EvalSymlinks(parent)
		if err == nil {
			return filepath.Join(resolved, strings.TrimPrefix(path, parent))
		}
		if parent == filepath.Dir(parent) {
			return path
		}
	}
}

// meetsPath: the pattern may end above the path, which then lies within a directory that is meant.
func meetsPath(pattern []string, path string) bool {
	names := strings.Split(strings.Trim(path, "/"), "/")
	at := make([]bool, len(pattern)+1)
	at[0] = true
	for _, name := range names {
		next := make([]bool, len(at))
		for i := range pattern {
			if !at[i] {
				continue
			}
			if pattern[i] == "**" {
				at[i+1] = true // it may be nothing
				next[i] = true
				continue
			}
			if mayMatch(fold(pattern[i]), fold(name)) {
				next[i+1] = true
			}
		}
		at = next
		if at[len(pattern)] {
			return true
		}
	}
	return len(pattern) > 0 && pattern[len(pattern)-1] == "**" && at[len(pattern)-1]
}

// matchDomain reads domain:example.com, which means the domains below it too.
func matchDomain(pattern string) (func(*Call) bool, error) {
	domain, ok := strings.CutPrefix(pattern, "domain:")
	domain = strings.TrimPrefix(domain, "*.")
	if !ok || domain == "" || strings.ContainsAny(domain, "/: ") {
		return nil, errors.New("want the form WebFetch(domain:example.com)")
	}
	wanted := fold(domain)
	return func(c *Call) bool {
		address, err := url.Parse(strings.TrimSpace(c.URL))
		if err != nil || address.Hostname() == "" {
			return true
		}
		host := fold(strings.TrimSuffix(address.Hostname(), "."))
		return mayMatch(wanted, host) || mayMatch(append(text("*."), wanted...), host)
	}, nil
}
