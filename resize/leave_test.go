package resize

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"s3resizer/resize/resizetest/vips"
)

// A decoder of AVIF and an encoder of it do their work in one go, and notice nothing meanwhile. What they use is not closed
// under them, and what is the caller's they leave alone.
func TestWorkThatDoesNotStopIsLeftBehind(t *testing.T) {
	var large []byte
	quick := Spec{Sizes: []Size{{Name: "s", Width: 2600}}, Formats: []Format{AVIF}, Quality: quality, Effort: Effort{AVIF: 1}}
	if _, err := tryRender(noisyPNG(t, 2600, 2000), quick, func(r Rendition) { large = r.Data }); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file   []byte
		format Format
		after  time.Duration
	}{
		"a decoder":  {large, JPEG, 20 * time.Millisecond},
		"an encoder": {plainJPEG(t, 2400, 1800), AVIF, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var returned, late atomic.Bool
			body := bytes.NewReader(c.file)
			source, err := Open(t.Context(), readerFunc(func(p []byte) (int, error) {
				late.CompareAndSwap(false, returned.Load())
				return body.Read(p)
			}), limits)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.after)
			defer cancel()
			start := time.Now()
			_, err = source.Render(ctx, Spec{Sizes: []Size{{Name: "s", Width: 2400}}, Formats: []Format{c.format}, Quality: quality}, func(Rendition) error {
				late.CompareAndSwap(false, returned.Load())
				return nil
			})
			returned.Store(true)
			if took := time.Since(start); !errors.Is(err, ErrLeftBehind) || !errors.Is(err, context.DeadlineExceeded) || took > c.after+time.Second {
				t.Errorf("after %v: %v", took, err)
			}
			if n := LeftBehind(); n != 1 {
				t.Errorf("%d are left behind", n)
			}
			source.Close()
			for deadline := time.Now().Add(5 * time.Minute); vips.OpenImageRefs() != 0 || LeftBehind() != 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d pictures are still open, %d left behind", vips.OpenImageRefs(), LeftBehind())
				}
			}
			if late.Load() {
				t.Error("it read or emitted after it was left behind")
			}
		})
	}
}

// What notices the end in time is not called left behind.
func TestWorkThatStopsIsNot(t *testing.T) {
	source, err := Open(t.Context(), bytes.NewReader(noisyPNG(t, 6000, 4000)), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = source.Render(ctx, Spec{Sizes: standard, Formats: []Format{PNG}, Quality: quality}, func(Rendition) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrLeftBehind) || LeftBehind() != 0 {
		t.Errorf("%v, %d left behind", err, LeftBehind())
	}
}
