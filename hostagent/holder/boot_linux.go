package holder

import (
	"os"
	"strings"
)

// Boot names the time since the machine was last started; empty if it cannot be told.
func Boot() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
