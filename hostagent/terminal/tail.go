package terminal

// TailText is the last lines of what the recording at path showed, as plain text, oldest first.
func TailText(path string, lines int) ([]string, error) { return nil, nil }
