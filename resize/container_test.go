package resize

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"testing"
	"testing/iotest"

	"s3resizer/internal/demo"
	"s3resizer/resize/internal/tiff"
	"s3resizer/resize/resizetest/heavy"
	"s3resizer/resize/resizetest/vips"
)

// segment is a marker segment of a JPEG.
func segment(marker byte, data string) []byte {
	return append([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
}

func behindTheStart(jpeg []byte, segments ...[]byte) []byte {
	return bytes.Join([][]byte{jpeg[:2], bytes.Join(segments, nil), jpeg[2:]}, nil)
}

// What is left out of a header makes no difference to the renditions.
func TestMetadataThatDoesNotCountIsLeftOut(t *testing.T) {
	_, p3, err := demo.DisplayP3(image.NewNRGBA(image.Rect(0, 0, 1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	pixels := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range pixels.Pix {
		pixels.Pix[i] = uint8(i/7) | uint8(i%4/3*255)
	}
	plain := encode(t, pixels, demo.Options{Format: "jpeg", Profile: p3, Orientation: 6})
	_, want := render(t, plain, standard, AsSource)
	for name, data := range map[string][]byte{
		"comments, XMP, thumbnails": behindTheStart(plain, segment(0xfe, "hello"), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x/>"), segment(0xed, "Photoshop 3.0\x00"), segment(0xef, "")),
		"a phone's index":           behindTheStart(plain, segment(0xe2, "MPF\x00II*\x00\x08\x00\x00\x00\x00\x00")),
		"fill bytes":                behindTheStart(plain, []byte{0xff, 0xff}),
	} {
		source, got := render(t, data, standard, AsSource)
		if source.Width != 300 || len(got) != len(want) {
			t.Errorf("%s: %d pixels wide, %d renditions", name, source.Width, len(got))
		}
		for size, r := range want {
			if !bytes.Equal(got[size].Data, r.Data) {
				t.Errorf("%s: another %s rendition", name, size)
			}
		}
	}
}

// Phones write an index of further pictures into JPEGs. If there is one, libvips looks for an HDR gain map through the whole file
// and, if it finds one, loads the file with another loader, which does not fail on truncation.
func TestAPhonesIndexDoesNotMakeTheHeaderLong(t *testing.T) {
	data := behindTheStart(plainJPEG(t, 3000, 2000), segment(0xe2, "MPF\x00II*\x00\x08\x00\x00\x00\x00\x00"))
	body := &reads{r: bytes.NewReader(data)}
	source, err := Open(t.Context(), body, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if body.n > 16<<10 {
		t.Errorf("Open has read %d of %d bytes", body.n, len(data))
	}
}

func TestCoefficientsOfAJPEG(t *testing.T) {
	draw := func(progressive, subsampled bool, space vips.Interpretation) []byte {
		data, err := heavy.Picture{Width: 333, Height: 222, Space: space, Encode: heavy.JPEG(progressive, subsampled)}.Draw()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	// In blocks of 8 × 8: a component at full size has 42 × 28; at 4:2:0, there are 21 × 14 units of four blocks and two more.
	for name, c := range map[string]struct {
		data []byte
		want int64
	}{
		"baseline":           {draw(false, true, vips.InterpretationSRGB), 0},
		"progressive, 4:2:0": {draw(true, true, vips.InterpretationSRGB), 21 * 14 * (4 + 1 + 1) * 128},
		"progressive, 4:4:4": {draw(true, false, vips.InterpretationSRGB), 42 * 28 * 3 * 128},
		"progressive, grey":  {draw(true, false, vips.InterpretationBW), 42 * 28 * 128},
		"progressive, CMYK":  {draw(true, false, vips.InterpretationCMYK), 42 * 28 * 4 * 128},
	} {
		var head bytes.Buffer
		found, err := copyHeader(JPEG, bufio.NewReader(bytes.NewReader(c.data)), &head)
		if err != nil || found.coefficients != c.want || !bytes.HasPrefix(c.data, head.Bytes()) {
			t.Errorf("%s: %d bytes, want %d; %v", name, found.coefficients, c.want, err)
		}
	}
}

// headerLength is how many bytes of a JPEG stand before its data, if it has nothing that is left out.
func headerLength(file []byte) int {
	found, _ := copyHeader(JPEG, bufio.NewReader(bytes.NewReader(file)), new(bytes.Buffer))
	return found.header
}

// However the bytes arrive, the frames are counted. What follows one too many is not read.
func TestFramesAreCountedAsTheyArrive(t *testing.T) {
	webp, err := heavy.Picture{Width: 30, Height: 20, Frames: 3, Space: vips.InterpretationSRGB, Encode: heavy.WebP(true)}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"GIF": animation(t), "WebP": webp} {
		for most, refused := range map[int]bool{2: true, 3: false} {
			limits := limits
			limits.MaxFrames = most
			never := errors.New("read on")
			body := io.MultiReader(iotest.OneByteReader(bytes.NewReader(data)), iotest.ErrReader(never))
			if !refused {
				body = iotest.OneByteReader(bytes.NewReader(data))
			}
			source, err := Open(context.Background(), body, limits)
			if err == nil {
				source.Close()
			}
			if rejection := (*Rejection)(nil); errors.As(err, &rejection) != refused || errors.Is(err, never) {
				t.Errorf("%s of 3 frames, %d allowed: %v", name, most, err)
			}
		}
	}
}

func TestAFileBeyondTheMemoryIsNotRead(t *testing.T) {
	data := animation(t)
	limits := limits
	limits.MaxMemory = int64(len(data)) - 1
	for name, body := range map[string]io.Reader{"of known length": bytes.NewReader(data), "of unknown length": io.MultiReader(bytes.NewReader(data))} {
		var rejection *Rejection
		if _, err := Open(t.Context(), body, limits); !errors.As(err, &rejection) || rejection.Class != ClassTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRowsOfATIFF(t *testing.T) {
	for name, c := range map[string]struct {
		encode heavy.Encoder
		want   int
	}{
		"strips, read row by row": {heavy.TIFF(64), 0}, "tiles": {heavy.TIFF(0), 256}, "a strip for each channel": {heavy.SeparateTIFF(0), 400},
	} {
		data, err := heavy.Picture{Width: 600, Height: 400, Space: vips.InterpretationSRGB, Encode: c.encode}.Draw()
		if err != nil {
			t.Fatal(err)
		}
		found, err := tiff.Read(data, 1)
		if err != nil || found.Rows() != c.want {
			t.Errorf("%s: %d rows, want %d; %v", name, found.Rows(), c.want, err)
		}
		if _, out := render(t, data, standard, AsSource); len(out) != 3 {
			t.Errorf("%s: %d renditions", name, len(out))
		}
	}
}

func TestTooMuchMemoryIsRejectedBeforeDecoding(t *testing.T) {
	limits := limits
	limits.MaxMemory = 10 << 20
	body := &reads{r: bytes.NewReader(plainJPEG(t, 3000, 2000))}
	source, err := Open(t.Context(), body, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Render(t.Context(), Spec{Sizes: standard, Formats: []Format{AsSource}, Quality: quality}, func(Rendition) error { return nil })
	var rejection *Rejection
	if !errors.As(err, &rejection) || rejection.Class != ClassTooLarge || body.n > 16<<10 {
		t.Errorf("%v, after %d bytes", err, body.n)
	}
}
