package png

import (
	"bufio"
	"bytes"
	"image"
	"image/png"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"s3resizer/resize/resizetest"
)

// Without what is left out of its header, a PNG shows the same.
func TestEveryPNG(t *testing.T) {
	seen := 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || p.Shows.Format != "png" {
			continue
		}
		seen++
		var head bytes.Buffer
		from := bufio.NewReader(bytes.NewReader(p.Data))
		found, err := CopyHeader(from, &head)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		rest := new(bytes.Buffer)
		if _, err := rest.ReadFrom(from); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(p.Data, rest.Bytes()) || !bytes.HasPrefix(rest.Bytes()[4:], []byte("IDAT")) {
			t.Errorf("%s: the pixels do not follow the header", p.Name)
		}
		whole, errWhole := png.Decode(bytes.NewReader(p.Data))
		mended, err := io.ReadAll(iotest.HalfReader(found.Mend(bytes.NewReader(slices.Concat(head.Bytes(), rest.Bytes())))))
		if window := mended[bytes.Index(mended, []byte("IDAT"))+4] >> 4; err != nil || window != 7 && p.Name == "small-window.png" {
			t.Errorf("%s: a window of 2 to the power of %d, %v", p.Name, window+8, err)
		}
		got, err := png.Decode(bytes.NewReader(mended)) // which looks at checksums
		if (err == nil) != (errWhole == nil) || err == nil && !reflect.DeepEqual(whole, got) {
			t.Errorf("%s: it shows something else: %v, %v", p.Name, errWhole, err)
		}
	}
	if seen < 50 {
		t.Errorf("%d pictures", seen)
	}
}

func TestInterlacedPNGs(t *testing.T) {
	file := func(interlace byte) []byte {
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
			t.Fatal(err)
		}
		data.Bytes()[28] = interlace
		return data.Bytes()
	}
	for interlace := range byte(2) {
		var head bytes.Buffer
		found, err := CopyHeader(bufio.NewReader(bytes.NewReader(file(interlace))), &head)
		if err != nil || found.Interlaced != (interlace == 1) {
			t.Errorf("%d: %+v, %v", interlace, found, err)
		}
	}
}
