package planar_test

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/planar"
)

// BenchmarkThreeRenditions is what package resize does with a photo, without its goroutines: 1440, 720 and 368 pixels.
func BenchmarkThreeRenditions(b *testing.B) {
	for _, p := range corpus.Standard("../../../bench/.cache") {
		if p.Class != corpus.Baseline && p.Class != corpus.Progressive && p.Class != corpus.LowDetail {
			continue
		}
		b.Run(p.Name, func(b *testing.B) {
			if err := p.Prepare(); err != nil {
				b.Fatal(err)
			}
			file, err := os.ReadFile(p.Path)
			if err != nil {
				b.Fatal(err)
			}
			var decode, resize, encode time.Duration
			for b.Loop() {
				start := cpu(b)
				d, err := planar.Open(file)
				if err != nil {
					b.Fatal(err)
				}
				shrink := 1
				if float64(d.Width) >= 1.3*2*1440 {
					shrink = 2
				}
				planes, err := d.Decode(b.Context(), bytes.NewReader(file[d.Header:]), shrink)
				if err != nil {
					b.Fatal(err)
				}
				d.Close()
				decode += cpu(b) - start
				for _, width := range []int{1440, 720, 368} {
					start := cpu(b)
					small, err := planes.Resize(crop.Whole(width, d.Height*width/d.Width), crop.Turn{}, planar.Halved)
					if err != nil {
						b.Fatal(err)
					}
					planes.Close()
					planes = small
					resized := cpu(b)
					if _, err := planes.Encode(80); err != nil {
						b.Fatal(err)
					}
					resize, encode = resize+resized-start, encode+cpu(b)-resized
				}
				planes.Close()
			}
			for name, time := range map[string]time.Duration{"decode": decode, "resize": resize, "encode": encode} {
				b.ReportMetric(time.Seconds()*1000/float64(b.N), name+"-CPU-ms/op")
			}
		})
	}
}

func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
