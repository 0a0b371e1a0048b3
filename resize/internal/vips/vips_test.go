package vips

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"
	"testing"
	"testing/iotest"

	govips "github.com/davidbyttow/govips/v2/vips"
)

func TestMain(m *testing.M) {
	if err := Start(2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// everyWeighting has each color beside each alpha, once.
func everyWeighting(bands int) []byte {
	samples := make([]byte, 256*256*bands)
	for i := range 256 * 256 {
		for band := range bands - 1 {
			samples[i*bands+band] = byte(i + 85*band)
		}
		samples[i*bands+bands-1] = byte(i >> 8)
	}
	return samples
}

// libvips's own way to weight colors by alpha, in floats, says what is right: for every color beside every alpha, the byte
// is the nearest one. So it is half a level off at most, and a quarter of one on average.
func TestBytesAreWeightedToTheNearest(t *testing.T) {
	for _, bands := range []int{2, 4} {
		samples, space := everyWeighting(bands), map[int]Space{2: BW, 4: SRGB}[bands]
		image, err := New(samples, 256, 256, bands, space)
		if err != nil {
			t.Fatal(err)
		}
		defer image.Close()
		if err := errors.Join(image.Premultiply(), image.Compute()); err != nil {
			t.Fatal(err)
		}
		got, err := image.Raw()
		if err != nil {
			t.Fatal(err)
		}
		reference, err := govips.NewImageFromMemory(samples, 256, 256, bands, govips.BandFormatUchar, space)
		if err != nil {
			t.Fatal(err)
		}
		defer reference.Close()
		if err := reference.PremultiplyAlpha(); err != nil {
			t.Fatal(err)
		}
		if reference.BandFormat() != govips.BandFormatFloat {
			t.Fatalf("libvips's own way has samples of format %v: the test shows nothing", reference.BandFormat())
		}
		want, err := reference.ToBytes()
		if err != nil {
			t.Fatal(err)
		}
		worst, sum := 0.0, 0.0
		for i, sample := range got.Samples {
			exact := math.Float32frombits(uint32(want[4*i]) | uint32(want[4*i+1])<<8 | uint32(want[4*i+2])<<16 | uint32(want[4*i+3])<<24)
			off := math.Abs(float64(sample) - float64(exact))
			worst, sum = max(worst, off), sum+off
		}
		mean := sum / float64(len(got.Samples))
		t.Logf("%d bands: %.4f levels at most, %.4f on average", bands, worst, mean)
		if worst > 0.5 || mean > 0.25 {
			t.Errorf("%d bands: %.4f levels off at most, %.4f on average; want at most 0.5 and 0.25", bands, worst, mean)
		}
	}
}

// The operation of libvips itself is as it was: its own savers and resizers call it, and so do tests that say what is
// right.
func TestNoOperationOfLibvipsIsChanged(t *testing.T) {
	image, err := govips.NewImageFromMemory(everyWeighting(4), 256, 256, 4, govips.BandFormatUchar, SRGB)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if err := image.PremultiplyAlpha(); err != nil || image.BandFormat() != govips.BandFormatFloat {
		t.Errorf("%v, %v", image.BandFormat(), err)
	}
}

func encoded(t *testing.T, width, height int) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i*i>>9 ^ i>>4)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, picture, nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// However the bytes come, they are the same picture, and the reader is forgotten with it.
func TestAReaderIsReadAsItLikes(t *testing.T) {
	data := encoded(t, 400, 300)
	var want []byte
	for name, r := range map[string]io.Reader{
		"a file": bytes.NewReader(data), "a stream": iotest.DataErrReader(bytes.NewReader(data)),
		"halves": iotest.HalfReader(bytes.NewReader(data)), "bytes": iotest.OneByteReader(bytes.NewReader(data)),
	} {
		image, err := Load(r, JPEG, Loading{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := image.Compute(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if raw, err := image.Raw(); err != nil || want != nil && !bytes.Equal(raw.Samples, want) {
			t.Errorf("%s: another picture, %v", name, err)
		} else {
			want = bytes.Clone(raw.Samples)
		}
		image.Close()
	}
	if n := OpenImages(); n != 0 {
		t.Errorf("%d pictures are still open", n)
	}
}

// A reader that fails, and one that gives nothing for ever, end the decoding with an error.
func TestAReaderThatFailsEndsTheDecoding(t *testing.T) {
	data := encoded(t, 400, 300)
	for name, rest := range map[string]io.Reader{"an error": iotest.ErrReader(errors.New("reset")), "nothing": nothing{}} {
		image, err := Load(io.MultiReader(bytes.NewReader(data[:len(data)/2]), rest), JPEG, Loading{})
		if err != nil {
			t.Fatalf("%s: the header is there: %v", name, err)
		}
		if err := image.Compute(); err == nil {
			t.Errorf("%s in the middle of a picture: it was decoded", name)
		}
		image.Close()
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// A JPEG with more warnings than libvips puts up with by itself, one for each of its restart intervals.
func TestATolerantLoadPutsUpWithAnyWarning(t *testing.T) {
	data, err := os.ReadFile("../../testdata/jpeg/restart-1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	cut := append(bytes.Clone(data[:len(data)*6/10]), 0xff, 0xd9)
	for tolerant, want := range map[bool]bool{true: true, false: false} {
		image, err := Load(bytes.NewReader(cut), JPEG, Loading{Tolerant: tolerant})
		if err != nil {
			t.Fatal(err)
		}
		pixels := image.Copy()
		if err := pixels.Compute(); (err == nil) != want {
			t.Errorf("tolerant %v: %v", tolerant, err)
		}
		pixels.Close()
		if warned := image.CloseWatched(); !warned {
			t.Errorf("tolerant %v: no warning came of it", tolerant)
		}
	}
}
