package resize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"testing/iotest"
	"time"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// reads counts the bytes that are read from a reader.
type reads struct {
	r io.Reader
	n int
}

func (r *reads) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += n
	return n, err
}

func TestTheHeaderIsReadAndNoMore(t *testing.T) {
	for name, data := range map[string][]byte{
		"JPEG": plainJPEG(t, 3000, 2000), "PNG": noisyPNG(t, 1000, 800),
		// libvips's loader for Ultra HDR would read all of it, to see whether the second picture is a gain map.
		"JPEG with a second picture": resizetest.MultiPicture(plainJPEG(t, 3000, 2000), plainJPEG(t, 300, 200)),
	} {
		body := &reads{r: bytes.NewReader(data)}
		source, err := Open(t.Context(), body, limits)
		if err != nil {
			t.Fatal(err)
		}
		if body.n > 16<<10 {
			t.Errorf("%s: Open has read %d of %d bytes", name, body.n, len(data))
		}
		source.Close()
	}
}

func noisyPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*i>>7) ^ uint8(i>>3) | uint8(i%4/3*255) // opaque
	}
	var data bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestAnyReaderWillDo(t *testing.T) {
	data := plainJPEG(t, 800, 600)
	for name, r := range map[string]io.Reader{
		"one byte at a time": iotest.OneByteReader(bytes.NewReader(data)), "an error with the last bytes": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		source, err := Open(t.Context(), r, limits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		source.Close()
	}
}

// The decoder only sees that its input ends. The caller learns why.
func TestTheReadersErrorIsNotThePicturesFault(t *testing.T) {
	reset := errors.New("connection reset")
	for name, data := range map[string][]byte{"jpeg": plainJPEG(t, 2000, 1500), "png": noisyPNG(t, 1200, 900), "gif": animation(t)} {
		for tenth := range 10 {
			body := io.MultiReader(bytes.NewReader(data[:len(data)*tenth/10]), iotest.ErrReader(reset))
			source, err := Open(t.Context(), body, limits)
			if err == nil {
				_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil })
				source.Close()
			}
			if !errors.Is(err, reset) || errors.As(err, new(*Rejection)) {
				t.Errorf("%s, broken after %d tenths: %v", name, tenth, err)
			}
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
		}
	}
}

func TestTheEndOfTheContextIsNotThePicturesFault(t *testing.T) {
	data := plainJPEG(t, 4000, 3000)
	for name, when := range map[string]int{"before the header": 0, "in the middle": len(data) / 2} {
		ctx, cancel := context.WithCancel(t.Context())
		rest := bytes.NewReader(data)
		body := readerFunc(func(p []byte) (int, error) {
			if len(data)-rest.Len() >= when {
				cancel()
			}
			return rest.Read(p)
		})
		source, err := Open(ctx, body, limits)
		if err == nil {
			_, err = source.Render(ctx, Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil })
			source.Close()
		}
		if !errors.Is(err, context.Canceled) || errors.As(err, new(*Rejection)) {
			t.Errorf("cancelled %s: %v", name, err)
		}
		cancel()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAFailingEmitEndsTheWork(t *testing.T) {
	full := errors.New("disk full")
	source, err := Open(t.Context(), bytes.NewReader(plainJPEG(t, 3000, 2000)), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{JPEG, PNG}, Quality: quality}, func(Rendition) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if n := vips.OpenImageRefs(); n != 0 {
		t.Errorf("%d libvips images are still open", n)
	}
}

// A rendition is handed on while others are still being made: the first calls of emit block until the last one has come.
func TestRenditionsAreHandedOnAtOnce(t *testing.T) {
	source, err := Open(t.Context(), bytes.NewReader(plainJPEG(t, 3000, 2000)), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	arrived := make(chan string, 3)
	all := make(chan struct{})
	go func() {
		for range 3 {
			<-arrived
		}
		close(all)
	}()
	_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(r Rendition) error {
		arrived <- r.Size
		select {
		case <-all:
			return nil
		case <-time.After(20 * time.Second):
			return fmt.Errorf("%s was handed on, the others are not made meanwhile", r.Size)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

const memoryVariable = "S3RESIZER_TEST_MEMORY"

// measureMemory renders the file that an environment variable names, in a process of its own, and prints the most memory that
// libvips has held.
func measureMemory() bool {
	file := os.Getenv(memoryVariable)
	if file == "" {
		return false
	}
	data, err := os.ReadFile(file)
	if err == nil {
		small := []Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}} // so that the renditions take little memory
		_, err = tryRender(data, Spec{Sizes: small, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) {})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var stats vips.MemoryStats
	vips.ReadVipsMemStats(&stats)
	fmt.Print(stats.MemHigh)
	return true
}

func TestTheDecodedOriginalIsNeverHeldWhole(t *testing.T) {
	for name, c := range map[string]struct {
		data  []byte
		whole int // bytes of the decoded original
	}{
		"grey jpeg": {plainJPEG(t, 4000, 3000), 4000 * 3000},
		"png":       {noisyPNG(t, 2000, 5000), 2000 * 5000 * 3},
	} {
		file := t.TempDir() + "/picture"
		if err := os.WriteFile(file, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), memoryVariable+"="+file)
		child.Stderr = os.Stderr
		out, err := child.Output()
		if err != nil {
			t.Fatal(err)
		}
		most, err := strconv.Atoi(string(out))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: libvips held at most %.1f MB; the decoded original is %.1f MB", name, float64(most)/1e6, float64(c.whole)/1e6)
		if most > c.whole/2 {
			t.Errorf("%s: libvips held %d bytes; the decoded original is %d", name, most, c.whole)
		}
	}
}
