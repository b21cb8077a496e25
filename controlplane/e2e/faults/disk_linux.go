package main

import "syscall"

// mountDisk puts a file system of this size over a directory. Only root can.
func mountDisk(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, size+",mode=0700")
}

func unmountDisk(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
