package resize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/icc"
	"s3resizer/resize/internal/planar"
	"s3resizer/resize/resizetest"
)

// everyJPEG is every JPEG that package resize is tested with, good and bad, by name.
func everyJPEG(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, p := range resizetest.Pictures() {
		if bytes.HasPrefix(p.Data, []byte("\xff\xd8\xff")) {
			files[p.Name] = p.Data
		}
	}
	for _, s := range spoiled(t) {
		files["spoiled: "+s.Name] = s.Data
	}
	paths, err := filepath.Glob("testdata/jpeg/*.jpg")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// furtherApart are pictures between whose renditions there are fewer than 40 dB: colors change from pixel to pixel, and of
// their few samples libjpeg, which interpolates between the nearest two, makes something else than Lanczos3 does.
var furtherApart = map[string]float64{"3x65500.jpg": 27, "7x5.jpg": 33, "sampled-oddly.jpg": 38.5}

// Every JPEG goes both ways: the same verdict in the same words, the same dimensions, all but the same pixels.
func TestPlanesAndPixelsAgree(t *testing.T) {
	for name, data := range everyJPEG(t) {
		for _, format := range []Format{JPEG, PNG} {
			for _, accept := range []bool{false, true} {
				spec := Spec{Sizes: []Size{{Name: "large", Width: 150}, {Name: "small", Width: 50}}, Formats: []Format{format}, Quality: Quality{JPEG: 100}, Background: white, AcceptTruncated: accept}
				byPlanes, byPixels := map[string]Rendition{}, map[string]Rendition{}
				planes, planesErr := tryRender(data, spec, func(r Rendition) { byPlanes[r.Size] = r })
				spec.NoPlanes = true
				pixels, pixelsErr := tryRender(data, spec, func(r Rendition) { byPixels[r.Size] = r })
				if fmt.Sprint(planesErr) != fmt.Sprint(pixelsErr) || planes.Truncated != pixels.Truncated {
					t.Errorf("%s, %s: %v by planes, %v by pixels", name, format, planesErr, pixelsErr)
				}
				for size, p := range byPlanes {
					least, exception := furtherApart[name]
					if !exception {
						least = 40
					}
					if d := psnr(t, decoded(t, p.Data), decoded(t, byPixels[size].Data)); d < least {
						t.Errorf("%s, %s, %s: %.1f dB", name, format, size, d)
					}
				}
			}
		}
	}
}

// What the planes decline is read by libvips from the first byte on.
func TestWhichJPEGsGoByPlanes(t *testing.T) {
	goes := map[string]bool{}
	for name, data := range everyJPEG(t) {
		source, err := Open(t.Context(), bytes.NewReader(data), limits)
		if err != nil {
			if !errors.As(err, new(*Rejection)) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		goes[name] = source.lane != nil
		source.Close()
	}
	for name, does := range goes {
		if declined := strings.Contains(name, "arithmetic") || strings.Contains(name, "cmyk"); declined && does {
			t.Errorf("%s goes by its planes", name)
		}
	}
	for _, name := range []string{"baseline.jpg", "progressive.jpg", "grey.jpg", "restart-3.jpg", "sampled-411.jpg", "scan-by-scan.jpg"} {
		if !goes[name] {
			t.Errorf("%s does not go by its planes", name)
		}
	}
}

// An sRGB profile, which cameras and editors write, changes nothing: the picture stays on its planes, and what comes out is
// that of the same picture without.
func TestAnSRGBProfileIsNone(t *testing.T) {
	plain := everyJPEG(t)["baseline.jpg"]
	profile := icc.Profile(icc.BT709, false, icc.SRGBCurve)
	segment := append([]byte("ICC_PROFILE\x00\x01\x01"), profile...)
	tagged := slices.Concat(plain[:2], []byte{0xff, 0xe2}, binary.BigEndian.AppendUint16(nil, uint16(2+len(segment))), segment, plain[2:])
	spec := Spec{Sizes: []Size{{Name: "large", Width: 150}}, Formats: []Format{JPEG, PNG}, Quality: quality}
	for _, spec.NoPlanes = range []bool{false, true} {
		without, with := map[Format][]byte{}, map[Format][]byte{}
		_, err := tryRender(plain, spec, func(r Rendition) { without[r.Format] = r.Data })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tryRender(tagged, spec, func(r Rendition) { with[r.Format] = r.Data }); err != nil {
			t.Fatal(err)
		}
		for format := range without {
			if !bytes.Equal(with[format], without[format]) {
				t.Errorf("%s, NoPlanes %v: the profile makes a difference", format, spec.NoPlanes)
			}
		}
	}
}

// What stands between the picture and its end marker is read by then: the file needs no second look.
func TestASegmentBehindThePixelsIsNoDamage(t *testing.T) {
	plain := everyJPEG(t)["baseline.jpg"]
	end := len(plain) - 2
	data := slices.Concat(plain[:end], []byte{0xff, 0xfe, 0, 4, 'h', 'i'}, plain[end:])
	source, err := Open(t.Context(), onlyReader{bytes.NewReader(data)}, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if _, err := source.Render(t.Context(), Spec{Sizes: []Size{{Name: "s", Width: 50}}, Formats: []Format{JPEG}, Quality: quality}, func(Rendition) error { return nil }); err != nil {
		t.Error(err)
	}
}

// Where there is no memory for a picture, there is none to close either.
func TestPlanesThatCanNotBeMade(t *testing.T) {
	s, err := Open(t.Context(), bytes.NewReader(plainJPEG(t, 60, 40)), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	whole, err := s.decodePlanes(t.Context(), &picture{View: crop.Whole(60, 40), formats: []Format{JPEG}})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.close()
	if small, err := whole.view(t.Context(), crop.Whole(0, 0), white); small != nil || !errors.Is(err, planar.ErrMemory) {
		t.Errorf("%#v, %v", small, err)
	}
}
