package stage

import "golang.org/x/sys/unix"

// hungUp reports whether the other end of a socket has gone, and not only stopped writing.
func hungUp(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if _, err := unix.Poll(polled, 0); err != nil {
		return false
	}
	return polled[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}
