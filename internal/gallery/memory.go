package gallery

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// residentMemory is what the process has in RAM, in bytes, libvips's part included; where there is no /proc, Go's part
// of it alone. https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
func residentMemory() int64 {
	statm, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
			return pages * int64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
