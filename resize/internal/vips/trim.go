package vips

// #include "room.h"
import "C"

import (
	"fmt"
	"os"
	"sync/atomic"
)

const (
	// kept is by how many bytes the process may grow before its C library has to give back what is free.
	kept = 32 << 20
	// sparing is how many pictures there are at least between two times.
	sparing = 10
)

var (
	closed atomic.Int64 // sources, since the last time
	least  atomic.Int64 // resident memory of the process when it was smallest, since the last time, in bytes
)

// Trim has the C library give back its free pages, if the process has grown. By itself it gives back those at its
// heap's end alone; among pictures of all sizes, something small lies behind ever more of them, and though nothing leaks
// (right after a trim it is always as much) a process of 50 MB came to 190. It is not done for every picture, because the
// next one gets all its pages anew: a progressive JPEG of 12 megapixels took 17 % longer. Nor would buffers in mappings of
// their own (M_MMAP_THRESHOLD) do, which is that for every picture: 7 to 10 %.
func Trim() {
	pictures := closed.Add(1)
	switch now := residentMemory(); {
	case now < least.Load():
		least.Store(now)
	case now > least.Load()+kept && pictures >= sparing:
		C.room_trim()
		closed.Store(0)
		least.Store(residentMemory())
	}
}

// residentMemory is that of the process, in bytes; 0 where the system does not tell (/proc/self/statm, proc(5)).
func residentMemory() int64 {
	sizes, _ := os.ReadFile("/proc/self/statm")
	var all, resident int64
	_, _ = fmt.Sscan(string(sizes), &all, &resident)
	return resident * int64(os.Getpagesize())
}
