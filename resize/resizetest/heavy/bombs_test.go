package heavy

import (
	"testing"
	"time"

	"s3resizer/resize"
)

// A bomb is recognised by its header, for little time and memory, or does no harm.
func TestBombsAreToldByTheirHeaders(t *testing.T) {
	const (
		mostTime   = 100 * time.Millisecond
		mostMemory = 60e6 // bytes, of the whole process
		tries      = 3    // other programs on the machine slow one down, and nothing speeds it up
	)
	for _, bomb := range Bombs {
		t.Run(bomb.Name, func(t *testing.T) {
			data, err := bomb.Data()
			if err != nil {
				t.Fatal(err)
			}
			limits := resize.Limits{MaxPixels: 150_000_000, MaxFrames: 500, MaxMemory: 300 << 20}
			e := errand{Limits: limits, Threads: 1, Spec: resize.Spec{Sizes: standard, Formats: []resize.Format{resize.AsSource}, Quality: quality, Effort: effort}}
			var o outcome
			for range tries {
				if o = e.run(t, data); o.Opening <= mostTime {
					break
				}
			}
			class := ""
			if o.Rejection != nil {
				class = string(o.Rejection.Class)
			}
			t.Logf("%d bytes: %v, %.1f MB, %v", len(data), o.Opening.Round(100*time.Microsecond), float64(o.Peak)/1e6, o.Rejection)
			if class != bomb.Class || o.Opening > mostTime || o.Peak > mostMemory {
				t.Errorf("class %q, want %q; %v, at most %v; %d bytes of memory, at most %.0f", class, bomb.Class, o.Opening, mostTime, o.Peak, mostMemory)
			}
		})
	}
}
