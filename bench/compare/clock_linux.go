package main

import (
	"syscall"
	"time"
	"unsafe"
)

// cpuClock reads the CPU time of another process, to the nanosecond; /proc has the same in steps of 10 ms. The clock is
// that of clock_getcpuclockid(3), whose number the C library computes like this.
func cpuClock(pid int) (time.Duration, error) {
	const scheduler = 2
	clock := ^int32(pid)<<3 | scheduler
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, errno
	}
	return time.Duration(t.Nano()), nil
}
