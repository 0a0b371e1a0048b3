package main

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"s3resizer/internal/demo"
	"s3resizer/internal/report"
	"s3resizer/resize/resizetest/heavy"
	"s3resizer/resize/resizetest/vips"
	"s3resizer/s3io"
)

// atTheEdge are pictures that take nearly all of what a function of 512 MB lets one take.
var atTheEdge = []struct {
	heavy.Picture
	long bool // takes long to draw
}{
	{heavy.Picture{Name: "progressive JPEG", Width: 8000, Height: 6400, Encode: heavy.JPEG(true, false)}, false},
	{heavy.Picture{Name: "JPEG of 100 MP", Width: 13367, Height: 7518, Encode: heavy.JPEG(false, true)}, false}, // far from it, and as large as the limit of pixels lets most be
	{heavy.Picture{Name: "animated GIF", Width: 300, Height: 200, Frames: 200, Encode: heavy.GIF()}, true},
	{heavy.Picture{Name: "animated WebP", Width: 300, Height: 200, Frames: 200, Alpha: true, Encode: heavy.WebP(false)}, true},
	{heavy.Picture{Name: "interlaced PNG", Width: 10000, Height: 9000, Encode: heavy.PNG(true, 0, false)}, true},
	{heavy.Picture{Name: "AVIF", Width: 4000, Height: 3200, Encode: heavy.AVIF(8, true)}, true},
	{heavy.Picture{Name: "lossless WebP", Width: 7000, Height: 6000, Alpha: true, Encode: heavy.WebP(true)}, true},
	{heavy.Picture{Name: "PNG with alpha, very wide", Width: 30000, Height: 3000, Alpha: true, Encode: heavy.PNG(false, 0, false)}, true},
	{heavy.Picture{Name: "JPEG, very tall", Width: 1500, Height: 16000, Encode: heavy.JPEG(false, true)}, true},
	{heavy.Picture{Name: "PNG, 16 bits, as wide as can be", Width: 65535, Height: 120, Deep: true, Space: vips.InterpretationRGB16, Encode: heavy.PNG(false, 0, false)}, false},
	{heavy.Picture{Name: "TIFF with a strip for each channel", Width: 4600, Height: 4600, Deep: true, Space: vips.InterpretationRGB16, Encode: heavy.SeparateTIFF(0)}, false},
	{heavy.Picture{Name: "TIFF in tiles, as wide as can be", Width: 65535, Height: 300, Encode: heavy.TIFF(0)}, true},
	{heavy.Picture{Name: "animation of wide frames", Width: 8000, Height: 10, Frames: 45, Encode: heavy.GIF()}, true},
}

// Pictures at the edge of what the limits let through, one after the other through one function: none ends it, and it never has
// more memory than that of its setting. In the image the container is given no more. With more memory, they are larger. With 512
// MB, every picture that there is precedes them. S3RESIZER_LONG=1 adds 1024 and 1769 MB, the demo's photos, and more of those at
// the edge.
func TestNoPictureTakesMoreMemoryThanTheFunctionHas(t *testing.T) {
	startLibvips(t)
	for _, memory := range []int{512, 1024, 1769} {
		if memory == 512 || os.Getenv("S3RESIZER_LONG") != "" {
			t.Run(fmt.Sprint(memory, " MB"), func(t *testing.T) { takesNoMoreThan(t, memory) })
		}
	}
}

func takesNoMoreThan(t *testing.T, memory int) { // MB
	long := os.Getenv("S3RESIZER_LONG") != ""
	s := newStage(t, append(imageEnvironment, fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", memory), "RESIZE_LOG_LEVEL=debug")...)
	resizeOne := func(name string, data []byte) report.Result {
		t.Helper()
		if _, err := s.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: name, Data: data}); err != nil {
			t.Fatal(err)
		}
		answer := s.invoke(t, <-s.events)
		peak := s.peak(t)
		t.Logf("%s: %s %s (%d MiB by now)", name, answer.Results[0].Status, answer.Results[0].Reason, peak>>20)
		if peak > int64(memory)<<20 {
			t.Fatalf("after %s the peak is %d bytes", name, peak)
		}
		return answer.Results[0]
	}
	if memory == 512 {
		everyPicture(t, long, resizeOne)
	}
	for _, edge := range atTheEdge {
		if edge.long && !long || edge.Frames > 1 && memory > 1024 { // those would take longer than the function has
			continue
		}
		if edge.Space == 0 {
			edge.Space = vips.InterpretationSRGB
		}
		more := math.Sqrt(float64(memory) / 512)
		edge.Width, edge.Height = min(65_500, int(more*float64(edge.Width))), int(more*float64(edge.Height))
		data, err := edge.Draw()
		if err != nil {
			t.Fatal(err)
		}
		if result := resizeOne(edge.Name, data); memory == 512 && result.Status != report.Resized {
			t.Errorf("%s: %s, %s", edge.Name, result.Status, result.Reason)
		}
	}
	limit := int64(memory) << 20 / 100 * 70
	beyond := heavy.Picture{Width: 8000, Height: 7500, Space: vips.InterpretationSRGB, Encode: heavy.JPEG(true, false)}
	if memory == 512 { // with more, it would be beyond the limit of pixels
		data, err := beyond.Draw()
		if err != nil {
			t.Fatal(err)
		}
		result := resizeOne("beyond the edge", data)
		if result.Status != report.Rejected || result.Class != "too-large" || !strings.Contains(result.Reason, "the limit for one picture is 358.4 MiB") {
			t.Errorf("beyond the edge: %+v", result)
		}
	}
	if !strings.Contains(s.log.text(), fmt.Sprintf(`"maxMemory":%d`, limit)) {
		t.Errorf("the limit, %d, is not in the log", limit)
	}
}

// everyPicture resizes those of package resize's tests and, if it may take long, the demo's.
func everyPicture(t *testing.T, long bool, resizeOne func(name string, data []byte) report.Result) {
	err := filepath.WalkDir("../../resize/testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			resizeOne(path, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if long {
		demo, err := demo.Set()
		if err != nil {
			t.Fatal(err)
		}
		for _, photo := range demo {
			resizeOne(photo.Key, photo.Data)
		}
	}
}

// peak is the most memory that the function has had, in bytes. It is 0 in a container, which ends what goes beyond its
// bounds, and where the kernel is not Linux.
func (s *stage) peak(t *testing.T) (bytes int64) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getenv("LAMBDA_FUNCTION") != "" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(after, "%d kB", &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}
