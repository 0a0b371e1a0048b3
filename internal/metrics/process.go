package metrics

import (
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times, on every machine that Go runs on.
const tick = 10 * time.Millisecond

// processAge is how long ago this process was executed, to a tick, if /proc tells. It is asked because what the kernel and
// the loader did before main, such as to fetch the libraries, is part of a cold start.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func processAge() (age time.Duration, known bool) {
	const startTime = 22 - 3 // its field, counted from the third, which stands behind the program's name in brackets
	stat, _ := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	uptime, _ := os.ReadFile("/proc/uptime")
	sinceBoot, _, _ := strings.Cut(string(uptime), " ")
	now, err := strconv.ParseFloat(sinceBoot, 64) // seconds
	if err != nil || len(fields) <= startTime {
		return 0, false
	}
	started, err := strconv.ParseInt(fields[startTime], 10, 64)
	if err != nil {
		return 0, false
	}
	age = time.Duration(math.Round(now*100))*tick - time.Duration(started)*tick
	return age, age >= 0 // less in a container that was given a boot of its own
}
