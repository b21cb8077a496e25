package holder

import "golang.org/x/sys/unix"

// Boot names the time since the machine was last started; empty if it cannot be told. (kern.boottime would not do: it
// moves when the clock is set.)
func Boot() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
