package policy

import (
	"errors"
	"net/url"
	"os"
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
		segments, real := names(from), names(resolveStart(from))
		return slices.ContainsFunc(c.Paths, func(path string) bool {
			if path = strings.TrimSpace(path); path == "~" || strings.HasPrefix(path, "~/") {
				path = inHome(path) // as the agent's tools do
			}
			if !filepath.IsAbs(path) {
				path = filepath.Join(c.Dir, path)
			}
			return meetsPath(segments, names(path)) || meetsPath(segments, names(resolve(path))) || meetsPath(real, names(resolve(path)))
		})
	}, nil
}

func names(path string) []string { return strings.Split(strings.Trim(filepath.Clean(path), "/"), "/") }

// resolveStart follows the links in a pattern, up to its first star.
func resolveStart(pattern string) string {
	start, _, stars := strings.Cut(pattern, "*")
	if !stars {
		return resolve(pattern)
	}
	start = start[:strings.LastIndexByte(start, '/')+1]
	return resolve(start) + "/" + pattern[len(start):]
}

// maxLinks is how many links in a row are followed that lead to nothing yet.
const maxLinks = 40

// resolve follows the links in as much of a path as exists, and a link to what does not: writing there makes it.
func resolve(path string) string {
	path = filepath.Clean(path)
	for links, parent := 0, path; ; {
		if resolved, err := filepath.EvalSymlinks(parent); err == nil {
			return filepath.Join(resolved, strings.TrimPrefix(path, parent))
		}
		if to, err := os.Readlink(parent); err == nil && links < maxLinks {
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(parent), to)
			}
			path = filepath.Join(to, strings.TrimPrefix(path, parent))
			links, parent = links+1, path
			continue
		}
		if parent == filepath.Dir(parent) {
			return path
		}
		parent = filepath.Dir(parent)
	}
}

// meetsPath: the pattern may end above the path, which then lies within a directory that is meant.
func meetsPath(pattern, names []string) bool {
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
