package heavy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"s3resizer/resize"
)

func TestMain(m *testing.M) {
	if raw := os.Getenv(errandVariable); raw != "" {
		if err := runErrand(raw); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := resize.Startup(1); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const errandVariable = "S3RESIZER_TEST_ERRAND"

// errand is what a process of its own does with one picture: what has been used in a process before stays with it, so
// that nothing else can be measured.
type errand struct {
	File    string
	Limits  resize.Limits
	Spec    resize.Spec // without sizes, the picture is opened and no more
	Threads int
}

// outcome is what came of it.
type outcome struct {
	Rejection  *resize.Rejection
	Opening    time.Duration // of Open
	Estimate   int64
	Idle, Peak int64 // RSS when libvips was started, and the most of it, in bytes
}

func runErrand(raw string) error {
	var e errand
	if err := json.Unmarshal([]byte(raw), &e); err != nil {
		return err
	}
	runtime.GOMAXPROCS(e.Threads)
	debug.SetGCPercent(25) // as cmd/lambda
	if err := resize.Startup(e.Threads); err != nil {
		return err
	}
	o, err := e.do()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

func (e errand) do() (o outcome, err error) {
	file, err := os.Open(e.File)
	if err != nil {
		return o, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return o, err
	}
	if o.Idle, err = rss("VmRSS"); err != nil {
		return o, err
	}
	start := time.Now()
	source, err := resize.Open(context.Background(), sized{file, int(info.Size())}, e.Limits)
	o.Opening = time.Since(start)
	if err == nil {
		defer source.Close()
		if len(e.Spec.Sizes) > 0 {
			o.Estimate, _ = source.Memory(e.Spec)
			_, err = source.Render(context.Background(), e.Spec, func(resize.Rendition) error { return nil })
		}
	}
	if err != nil {
		o.Opening = time.Since(start)
		if !errors.As(err, &o.Rejection) {
			return o, err
		}
	}
	o.Peak, err = rss("VmHWM")
	return o, err
}

// sized is a file that says how long it is, as the body of an object does.
type sized struct {
	*os.File
	size int
}

func (s sized) Len() int { return s.size }

func rss(field string) (bytes int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), field+":")
	_, err = fmt.Sscanf(after, "%d kB", &bytes)
	return bytes << 10, err
}

// run does the errand for the bytes of a picture.
func (e errand) run(t *testing.T, data []byte) outcome {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the kernel is not Linux, and does not tell the peak of a process's memory")
	}
	e.File = filepath.Join(t.TempDir(), "picture")
	if err := os.WriteFile(e.File, data, 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), errandVariable+"="+string(raw), "MALLOC_ARENA_MAX=1")
	child.Stderr = os.Stderr
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	var o outcome
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return o
}
