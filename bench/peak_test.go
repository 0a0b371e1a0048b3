package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// alone is set in a process that was started to measure the memory of one benchmark.
const alone = "S3RESIZER_BENCH_ALONE"

// peaks are those measured so far, by benchmark: repeating one (-count) does not measure its memory again.
var peaks = map[string]float64{}

// peakMB is the peak RSS of a process that does nothing but this benchmark, four times, in megabytes of 10⁶ bytes. In
// this process, what earlier benchmarks have left in the C library's arenas would count: resetting the kernel's mark
// does not give it back. It is 0 where the kernel is not Linux.
func peakMB(b *testing.B) float64 {
	b.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	if peak, ok := peaks[b.Name()]; ok {
		return peak
	}
	var path []string
	for part := range strings.SplitSeq(b.Name(), "/") {
		path = append(path, "^"+regexp.QuoteMeta(part)+"$")
	}
	child := exec.Command(os.Args[0], "-test.run=^$", "-test.benchtime=3x", "-test.bench="+strings.Join(path, "/"))
	child.Env = append(os.Environ(), alone+"=1")
	output, err := child.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	var kib float64
	if _, err := fmt.Sscanf(lines[len(lines)-1], peakLine, &kib); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	peaks[b.Name()] = kib * 1024 / 1e6
	return peaks[b.Name()]
}

const peakLine = "peak RSS %f KiB"

// printPeak tells the process's own peak, as its last line. (Not getrusage's: a process inherits that from its parent.)
func printPeak() {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscanf(after, "%f kB", &kib); err != nil {
		fmt.Fprintln(os.Stderr, "the kernel does not tell the peak RSS:", err)
		return
	}
	fmt.Printf(peakLine+"\n", kib)
}
