package agentkind

import (
	"time"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// sameProcess reports whether the process of this number runs and had begun when the agent said that it began: one that
// got the number later had not.
func sameProcess(pid int, _ string, said time.Time) bool {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || info.Proc.P_stat == zombie {
		return false
	}
	began := info.Proc.P_starttime
	return time.Unix(began.Sec, int64(began.Usec)*1000).Before(said.Add(2 * time.Second))
}
