package socket

import "golang.org/x/sys/unix"

// peerUID is the user as whom the socket's other side was opened (LOCAL_PEERCRED, as getpeereid has it).
func peerUID(fd int) (int, error) {
	credentials, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(credentials.Uid), nil
}
