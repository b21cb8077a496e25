package protocol

import (
	"fmt"
	"strings"
)

const root = "v1.host."

// CommandSubject is v1.host.<host>.command.<name>.
func CommandSubject(host HostID, name string) string { return root + string(host) + ".command." + name }

// EventSubject is v1.host.<host>.event.<name>.
func EventSubject(host HostID, name string) string { return root + string(host) + ".event." + name }

// AllCommands is what one host subscribes to: v1.host.<host>.command.>.
func AllCommands(host HostID) string { return CommandSubject(host, ">") }

// AllEvents is what one host may publish: v1.host.<host>.event.>.
func AllEvents(host HostID) string { return EventSubject(host, ">") }

// ReportSubject is what control planes subscribe to for one kind of report from every host:
// v1.host.*.event.<name>.
func ReportSubject(name string) string { return root + "*.event." + name }

// InboxPrefix is where answers to one host's requests arrive: no other host may listen there.
func InboxPrefix(host HostID) string { return "_INBOX_" + string(host) }

// CutSubject is v1.control.cut.<host>: every control plane closes the host's connections, but for the one that
// the message names. Hosts may neither publish nor hear it.
func CutSubject(host HostID) string { return "v1.control.cut." + string(host) }

// ParseSubject takes the host and the name out of a command or event subject.
func ParseSubject(subject string) (HostID, string, error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 5 || !strings.HasPrefix(subject, root) || (parts[3] != "command" && parts[3] != "event") {
		return "", "", fmt.Errorf("subject %.80q is not one of a host's", subject)
	}
	host, err := ParseHostID(parts[2])
	return host, parts[4], err
}
