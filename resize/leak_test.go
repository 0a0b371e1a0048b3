package resize

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"
	"time"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// leakVariable makes the test's process render the corpus, and lose a picture if it says so, before libvips ends.
const leakVariable = "S3RESIZER_LEAK_TEST"

// At its end, libvips reports what was never released: objects, memory, descriptors. That includes what was lost in C, which the
// count of open images can't know of.
func TestLibvipsHasNothingLeftAtItsEnd(t *testing.T) {
	// libheif finds the end of a file by seeking beyond it. libvips takes that for an error, and says at its end which it has not
	// told yet, as far as there is room.
	const nothing = `^(memory: high-water mark .*\n|vips_threadset_free: peak of .*\n|(error buffer: )?(s[a-z_: 0-9]*)?(\n|\.\.\.))*$`
	for lost, says := range map[string]string{"nothing": nothing, "a picture": `objects alive`} {
		t.Run(lost+" lost", func(t *testing.T) {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), leakVariable+"="+lost)
			output, err := child.CombinedOutput()
			if err != nil || !regexp.MustCompile(says).Match(output) {
				t.Errorf("%v\n%s\nwant %s", err, output, says)
			}
		})
	}
}

// renderEverything is what the child process does. It renders every picture to the end, and once more until it is interrupted.
func renderEverything() bool {
	lost := os.Getenv(leakVariable)
	if lost == "" {
		return false
	}
	vips.LoggingSettings(nil, vips.LogLevelError)
	err := vips.Startup(&vips.Config{ConcurrencyLevel: 2, ReportLeaks: true}) // whose settings stay
	if err == nil {
		err = Startup(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if lost != "nothing" {
		picture, _ := vips.Black(1, 1)
		vips.Shutdown()
		runtime.KeepAlive(picture)
		return true
	}
	spec := Spec{Sizes: []Size{{Name: "small", Width: 30}, {Name: "large", Width: 90}}, Formats: []Format{AsSource}, Quality: quality, Background: white}
	for i, p := range resizetest.Pictures() {
		_, err := tryRender(p.Data, spec, func(Rendition) {})
		if (err == nil) != (p.Shows != nil) {
			fmt.Printf("%s: %v\n", p.Name, err)
		}
		interrupted, cancel := context.WithTimeout(context.Background(), time.Duration(i%10)*time.Millisecond)
		if source, err := Open(interrupted, bytes.NewReader(p.Data), limits); err == nil {
			_, _ = source.Render(interrupted, spec, func(Rendition) error { return nil })
			source.Close()
		}
		cancel()
	}
	for deadline := time.Now().Add(time.Minute); vips.OpenImageRefs() != 0 && time.Now().Before(deadline); { // encoders that were left behind
		time.Sleep(10 * time.Millisecond)
	}
	vips.Shutdown()
	return true
}
