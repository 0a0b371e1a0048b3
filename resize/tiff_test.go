package resize

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// Half of a TIFF used to pass as a whole one whose rest is black. Every TIFF is damaged at every place of its structure. None is
// accepted of which libtiff's own tool says that pixels are missing or can't be decoded, and none rejected as corrupt with
// which it has no problem, and of which a lenient viewer shows every pixel.
func TestDamagedTIFFs(t *testing.T) {
	tool, err := exec.LookPath("tiffcp")
	if err != nil {
		t.Fatal("tiffcp is missing: install libtiff-tools, as make test does")
	}
	damaged, accepted, rejected := 0, 0, 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || p.Shows.Format != "tiff" || testing.Short() && !strings.Contains(p.Name, "-strips.") && !strings.Contains(p.Name, "-tiles.") {
			continue
		}
		whole := leniently(p.Data)
		shown, err := shownOf(p.Data)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "damaged.tif")
		for what, data := range resizetest.DamagedTIFFs(p.Data) {
			damaged++
			got, err := shownOf(data)
			rejection := (*Rejection)(nil)
			switch {
			case err == nil && !bytes.Equal(got, shown): // else nothing is missing
				if says := complaint(t, tool, path, data); says != "" && !unheard(says) {
					accepted++
					t.Errorf("%s, %s: accepted, but libtiff says %s", p.Name, what, says)
				}
			case err != nil && !errors.As(err, &rejection):
				t.Errorf("%s, %s: %v", p.Name, what, err)
			case err != nil && rejection.Class == ClassCorrupt && whole != nil && bytes.Equal(leniently(data), whole) && complaint(t, tool, path, data) == "":
				rejected++
				t.Errorf("%s, %s: %v, but it is whole", p.Name, what, err)
			}
		}
	}
	t.Logf("%d damaged TIFFs: %d accepted though short, %d rejected though whole", damaged, accepted, rejected)
	if damaged < 1000 {
		t.Errorf("only %d damaged TIFFs", damaged)
	}
}

// libtiff takes no strip of more than 50 MB unless it is told to, and the picture was black.
func TestATIFFOfOneLongStrip(t *testing.T) {
	if testing.Short() {
		t.Skip("a loop over pixels")
	}
	whole := resizetest.LongStrip()
	if len(whole) < 50<<20 {
		t.Fatalf("only %d bytes", len(whole))
	}
	if _, err := shownOf(whole); err != nil {
		t.Error(err)
	}
}

// complaint is what libtiff's tool says of the pixels of a TIFF, or "". Of warnings, those count that come from a decoder. Of
// errors, all count but that of an orientation that there isn't.
func complaint(t *testing.T, tool, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var says bytes.Buffer
	cmd := exec.Command(tool, "-c", "none", path, path+".copy")
	cmd.Stderr = &says
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if strings.Contains(says.String(), "Can't copy/convert subsampled image") { // of which the tool knows nothing more
		return ""
	}
	for line := range strings.Lines(says.String()) {
		module, _, _ := strings.Cut(line, ":")
		decoder := slices.ContainsFunc(decoders, func(name string) bool { return strings.HasPrefix(module, name) })
		if decoder || !strings.Contains(line, "Warning, ") && !strings.Contains(line, "Orientation") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// decoders are those of libtiff whose warnings count.
var decoders = []string{"LZW", "ZIP", "JPEGLib", "TIFFFill", "DumpMode", "Fax", "PackBits"}

// unheard reports whether what libtiff says never reaches those who use libvips: before 8.17 it passes warnings on to nobody, and
// a damaged fax, or a row of PackBits that is too long, is nothing worse to libtiff.
func unheard(says string) bool {
	return vips.MajorVersion == 8 && vips.MinorVersion < 17 && (strings.HasPrefix(says, "Fax") || strings.HasPrefix(says, "PackBits"))
}

// shownOf returns what comes out for a TIFF, without loss.
func shownOf(data []byte) (out []byte, err error) {
	_, err = tryRender(data, Spec{Sizes: []Size{{Name: "all", Width: 60}}, Formats: []Format{PNG}, Quality: quality}, func(r Rendition) { out = r.Data })
	return out, err
}

// leniently returns the pixels that are shown of a file by a viewer that minds no damage, or nil if the
// picture has another size than those of the corpus.
func leniently(data []byte) []byte {
	image, err := vips.NewImageFromBuffer(data)
	if err != nil {
		return nil
	}
	defer image.Close()
	if image.Width() != resizetest.Width || image.Height() != resizetest.Height { // it might be billions of rows
		return nil
	}
	pixels, err := image.ToBytes()
	if err != nil {
		return nil
	}
	return pixels
}
