package planar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"s3resizer/resize/internal/crop"
)

// fixtures are JPEGs that others' encoders wrote, by name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"../../testdata/jpeg/*.jpg", "../../resizetest/testdata/*.jpg"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// headerOf is what stands in front of the pixels.
func headerOf(t testing.TB, file []byte) int {
	t.Helper()
	for at := 2; at+4 <= len(file); at += 2 + int(file[at+2])<<8 + int(file[at+3]) {
		if file[at] == 0xff && file[at+1] == 0xda {
			return at + 2 + int(file[at+2])<<8 + int(file[at+3])
		}
	}
	t.Fatal("no scan")
	return 0
}

// decodeAll decodes a file of which Open is given the first bytes, and r reads the others.
func decodeAll(ctx context.Context, start []byte, r io.Reader, shrink int) (*Planes, error) {
	d, err := Open(start)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Decode(ctx, io.MultiReader(bytes.NewReader(start[d.Header:]), r), shrink)
}

func same(a, b *Planes) bool {
	return slices.EqualFunc(samplesOf(a), samplesOf(b), func(a, b [][]byte) bool {
		return slices.EqualFunc(a, b, bytes.Equal)
	})
}

// pieces gives what r has in pieces of 1 to most bytes. Each is a short read, which Decode goes on from.
type pieces struct {
	r      io.Reader
	most   int
	random *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	return p.r.Read(b[:min(len(b), 1+p.random.IntN(p.most))])
}

func TestPiecesGiveTheSamePlanes(t *testing.T) {
	for name, file := range fixtures(t) {
		start := headerOf(t, file)
		for _, shrink := range []int{1, 2, 8} {
			want, err := decodeAll(t.Context(), file, bytes.NewReader(nil), shrink)
			if errors.Is(err, ErrDeclined) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, most := range []int{1, 7, 300, 5000} {
				random := rand.New(rand.NewPCG(uint64(most), uint64(shrink)))
				from := start + random.IntN(min(most, len(file)-start))
				got, err := decodeAll(t.Context(), file[:from], &pieces{bytes.NewReader(file[from:]), most, random}, shrink)
				if err != nil {
					t.Errorf("%s, 1/%d, pieces of %d: %v", name, shrink, most, err)
					continue
				}
				if !same(got, want) {
					t.Errorf("%s, 1/%d, pieces of %d: not the same", name, shrink, most)
				}
				got.Close()
			}
			want.Close()
		}
	}
}

func TestWhatIsDeclined(t *testing.T) {
	adobe := func(transform string) []byte {
		return []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + transform)
	}
	file := baseline(40, 30, half, 0, waves)
	frame := bytes.Index(file, []byte{0xff, 0xc0})
	with := func(at int, value byte) []byte {
		changed := bytes.Clone(file)
		changed[frame+at] = value
		return changed
	}
	fixtures := fixtures(t)
	for why, data := range map[string][]byte{
		"it is coded arithmetically":              fixtures["arithmetic.jpg"],
		"its colors are not YCbCr":                slices.Insert(bytes.Clone(file), 2, adobe("\x00")...),
		"its components have unusual numbers":     bytes.Replace(with(10, 'Y'), []byte("\xff\xda\x00\x0c\x03\x01"), []byte("\xff\xda\x00\x0c\x03Y"), 1),
		"it has neither one component nor three":  slices.Concat(file[:frame], []byte("\xff\xc0\x00\x0e\x08\x00\x10\x00\x10\x02\x01\x11\x00\x02\x11\x00"), []byte("\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00")),
		"its chroma is subsampled by a fraction":  baseline(40, 30, sampling{{3, 1}, {2, 1}, {1, 1}}, 0, waves),
		"its header is not complete":              file[:frame],
		"Unsupported JPEG data precision 12":      with(4, 12),
		"Unsupported JPEG process: SOF type 0xc3": with(1, 0xc3),
		"Corrupt JPEG data: 3 extraneous bytes":   slices.Insert(bytes.Clone(file), frame, 0, 0, 0),
		"Unknown Adobe color transform code 5":    slices.Insert(bytes.Clone(file), 2, adobe("\x05")...),
		"Not a JPEG file":                         []byte("GIF89a, or what"),
	} {
		if _, err := Open(data); !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q, want %q", err, why)
		}
	}
}

func TestColorsThatAreSaidToBeYCbCr(t *testing.T) {
	file := baseline(40, 30, half, 0, waves)
	for name, segment := range map[string]string{
		"JFIF": "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", "Adobe": "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01",
	} {
		d, err := Open(slices.Insert(bytes.Clone(file), 2, []byte(segment)...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Width != 40 || d.Height != 30 || d.Grey {
			t.Errorf("%s: %d × %d, grey %v", name, d.Width, d.Height, d.Grey)
		}
		d.Close()
	}
}

// The first thing that is wrong ends the decoding, and is told with its place. (Noise in a sequential picture often is a
// picture too: who reads the file has to look whether all of it was needed.)
func TestDamageIsAFault(t *testing.T) {
	files := fixtures(t)
	for _, name := range []string{"baseline.jpg", "progressive.jpg", "restart-3.jpg", "restart-rows.jpg", "grey.jpg"} {
		whole := files[name]
		start := headerOf(t, whole)
		at := start + (len(whole)-start)/2
		noise := bytes.Clone(whole)
		random := rand.New(rand.NewPCG(1, 1))
		for i := range 300 {
			noise[at+i] = byte(random.IntN(255))
		}
		damaged := map[string][]byte{"cut": whole[:at], "with its end marker in the middle": append(whole[:at:at], 0xff, 0xd9), "noise in it": noise}
		if name == "baseline.jpg" || name == "grey.jpg" {
			delete(damaged, "noise in it")
		}
		for what, data := range damaged {
			planes, err := decodeAll(t.Context(), data[:start], bytes.NewReader(data[start:]), 1)
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Errorf("%s, %s: %v", name, what, err)
				if err == nil {
					planes.Close()
				}
			} else if what != "cut" && fault.Code == 0 || fault.Row < 0 || fault.Text == "" {
				t.Errorf("%s, %s: %+v", name, what, fault)
			}
		}
	}
}

func TestTheReadersErrorIsReturned(t *testing.T) {
	file, reset := fixtures(t)["baseline.jpg"], errors.New("connection reset")
	start := headerOf(t, file)
	_, err := decodeAll(t.Context(), file[:start], io.MultiReader(bytes.NewReader(file[start:start+5000]), iotest.ErrReader(reset)), 1)
	if !errors.Is(err, reset) || errors.As(err, new(*Fault)) {
		t.Error(err)
	}
}

// The end of the context ends the decoding, whether libjpeg is waiting for data or not.
func TestTheEndOfTheContextEndsIt(t *testing.T) {
	for _, name := range []string{"baseline.jpg", "progressive.jpg"} {
		file := fixtures(t)[name]
		start := headerOf(t, file)
		ctx, cancel := context.WithCancel(t.Context())
		waiting := &pieces{&cancelling{bytes.NewReader(file[start:]), cancel}, 1000, rand.New(rand.NewPCG(1, 1))}
		if _, err := decodeAll(ctx, file[:start], waiting, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := decodeAll(ctx, file, bytes.NewReader(nil), 1); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type cancelling struct {
	io.Reader
	cancel context.CancelFunc
}

func (c *cancelling) Read(p []byte) (int, error) {
	c.cancel()
	return c.Reader.Read(p)
}

// Nothing is read behind the picture, but for what is read at once.
func TestWhatStandsBehindThePictureIsNotRead(t *testing.T) {
	file := fixtures(t)["baseline.jpg"]
	start := headerOf(t, file)
	read := bytes.NewReader(append(file[start:len(file):len(file)], make([]byte, 10*step)...))
	planes, err := decodeAll(t.Context(), file[:start], read, 1)
	if err != nil {
		t.Fatal(err)
	}
	planes.Close()
	if read.Len() < 9*step {
		t.Errorf("%d bytes are left of %d", read.Len(), 10*step)
	}
}

// A file of a few bytes can ask for any number of passes over the picture.
func TestScansAreBounded(t *testing.T) {
	file := fixtures(t)["progressive.jpg"]
	start := headerOf(t, file)
	scan := bytes.LastIndex(file, []byte{0xff, 0xda})
	data := append(bytes.Clone(file[:scan]), bytes.Repeat(file[scan:len(file)-2], 200)...)
	if _, err := decodeAll(t.Context(), data[:start], bytes.NewReader(data[start:]), 8); !errors.As(err, new(*Fault)) {
		t.Error(err)
	}
}

// 1,000 pictures, several at once, each of other dimensions, leave no more memory taken than 100 do.
func TestManyAtOnceLeaveNothingBehind(t *testing.T) {
	if resident() == 0 {
		t.Skip("the system does not tell the resident memory")
	}
	var files [][]byte
	for i := range 20 {
		files = append(files, baseline(300+7*i, 200+5*i, half, 0, waves))
	}
	round := func(count int) {
		var group sync.WaitGroup
		slots := make(chan struct{}, 8)
		for i := range count {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				planes, err := decodeAll(t.Context(), files[i%20], bytes.NewReader(nil), 1)
				if err != nil {
					t.Error(err)
					return
				}
				defer planes.Close()
				for _, width := range []int{100 + i%101, 50 + i%47} {
					small, err := planes.Resize(crop.Whole(width, 100), crop.Turns[1+i%8], Halved)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := small.Encode(80); err != nil {
						t.Error(err)
					}
					small.Close()
				}
			})
		}
		group.Wait()
	}
	count := 1000
	if testing.Short() {
		count = 200
	}
	round(100)
	runtime.GC()
	before := resident()
	round(count)
	runtime.GC()
	if grown := resident() - before; grown > 12<<20 {
		t.Errorf("it has grown by %d KB", grown>>10)
	}
	if n := len(graphs.kept); n > mostGraphs {
		t.Errorf("%d graphs are kept", n)
	}
}

// resident is the memory of the process, in bytes, or 0 where the system does not tell.
func resident() int64 {
	sizes, _ := os.ReadFile("/proc/self/statm")
	var all, pages int64
	_, _ = fmt.Sscan(string(sizes), &all, &pages)
	return pages * int64(os.Getpagesize())
}

// A graph of a very long picture is megabytes, which the next such picture would not even use.
func TestGraphsOfLongPicturesAreNotKept(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 8, longestKept+1)), nil); err != nil {
		t.Fatal(err)
	}
	resizedTo(t, decoded(t, file.Bytes(), 1), 4, longestKept/2, 1, Halved)
	for _, g := range graphs.kept {
		if side := max(g.geometry.x.from, g.geometry.y.from); side > longestKept {
			t.Errorf("a graph for %d samples a side is kept", side)
		}
	}
}
