package config

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

const (
	// share is how much of the memory the pictures that are worked on may take together, in percent. The rest is for the
	// process itself (some 20 MB), what is on its way from and to S3, and what the C library's heap loses to gaps.
	share = 70
	// memoryOfOne is the memory, in MiB, with which a function has the time of one processor.
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	memoryOfOne = 1769
	// memoryUnknown is taken for the memory, in MiB, where no system tells it: macOS.
	memoryUnknown = 2 * memoryOfOne
)

// processors is how many of the processors that are there a function with that much memory, in bytes, can keep busy, and
// so the number of pictures that are worked on at once. Lambda shows it two at least, and rations their time: two
// threads, at half the speed each, get in each other's way. Elsewhere it is a measure of memory alone.
func processors(memory int64, there int) int {
	return max(1, min(there, int((memory>>20+memoryOfOne/2)/memoryOfOne)))
}

// memory is how much of it this process may use, in bytes: the function's, else the cgroup's, else the machine's.
func memory(functionMB string, system fs.FS) int64 {
	if mb, err := strconv.ParseInt(functionMB, 10, 32); err == nil && mb > 0 {
		return mb << 20
	}
	least := machineMemory(system)
	for _, file := range cgroupLimits(system) {
		text, err := fs.ReadFile(system, file)
		if err != nil {
			continue
		}
		// "max" stands for none in version 2, and a number beyond any memory in version 1.
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
			least = min(least, limit)
		}
	}
	if least == math.MaxInt64 {
		return memoryUnknown << 20
	}
	return least
}

// cgroupLimits names the files with the limits of the cgroups that this process is in, up to the root of what it can see.
// A container sees its own as the root, and may be given a path that is not there for it.
func cgroupLimits(system fs.FS) []string {
	text, _ := fs.ReadFile(system, "proc/self/cgroup") // lines of id:controllers:path
	var files []string
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		folder, file := "", ""
		switch {
		case parts[1] == "": // version 2
			folder, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) {
			files = append(files, path.Join(folder, group, file))
			if group == "/" {
				break
			}
		}
	}
	return files
}

func machineMemory(system fs.FS) int64 {
	text, _ := fs.ReadFile(system, "proc/meminfo")
	_, after, _ := strings.Cut(string(text), "MemTotal:")
	var kib int64
	if _, err := fmt.Sscanf(after, "%d kB", &kib); err != nil {
		return math.MaxInt64
	}
	return kib << 10
}
