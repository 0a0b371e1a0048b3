package vips

// #include "room.h"
import "C"

import (
	"fmt"
	"os"
	"sync/atomic"
)

const (
	// kept is by how many bytes the process may grow before the C library is made to give back what is free.
	kept = 32 << 20
	// sparing is how many pictures come between two trims, at least.
	sparing = 10
)

var (
	closed atomic.Int64 // sources, since the last trim
	least  atomic.Int64 // resident memory of the process at its smallest since the last trim, in bytes
)

// Trim makes the C library give back its free pages to the system, if the process has grown. By itself, it gives back only
// those at the end of its heap. After pictures of all sizes, something small stands after ever more free pages: a process of
// 50 MB grew to 190, though nothing leaked (after each trim it was as small as before).
//
// Trim does not do so for every picture, because the next one has to get all of its pages anew: a progressive JPEG of 12
// megapixels took 17 % longer. Large buffers with pages of their own (M_MMAP_THRESHOLD) would have the same effect for every
// picture, and cost 7 to 10 %.
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

// residentMemory returns the resident memory of the process in bytes (/proc/self/statm, proc(5)), or 0 if the system does not
// say.
func residentMemory() int64 {
	sizes, _ := os.ReadFile("/proc/self/statm")
	var all, resident int64
	_, _ = fmt.Sscan(string(sizes), &all, &resident)
	return resident * int64(os.Getpagesize())
}
