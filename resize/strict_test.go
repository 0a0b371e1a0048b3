package resize

import (
	"bytes"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// strictDecoders are each format's own decoder, told to fail at whatever it sees.
var strictDecoders = map[string]struct {
	command []string // the file is the last argument but for what follows it
	behind  []string
}{
	"jpeg": {command: []string{"djpeg", "-strict", "-outfile", os.DevNull}},
	"webp": {command: []string{"dwebp", "-quiet"}, behind: []string{"-o", os.DevNull}},
	"avif": {command: []string{"avifdec", "--jobs", "1"}, behind: []string{os.DevNull + ".y4m"}},
}

// Every JPEG, WebP and AVIF, cut and damaged at every place of its structure. None is accepted that shows something else than the
// whole file, and of which the format's own decoder says that it is short or damaged; none is rejected as corrupt of which that
// decoder says nothing, and of which a lenient viewer shows every pixel.
func TestDamageBesideOwnDecoders(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of pictures")
	}
	for _, format := range []string{"jpeg", "webp", "avif"} {
		t.Run(format, func(t *testing.T) {
			strict := strictDecoders[format]
			if _, err := exec.LookPath(strict.command[0]); err != nil {
				t.Fatal(strict.command[0], "is missing: make test installs it")
			}
			path := filepath.Join(t.TempDir(), "damaged")
			damaged, accepted, rejected := 0, 0, 0
			for name, file := range filesOf(t, format) {
				whole := leniently(file)
				shown, err := shownOf(file)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for what, data := range resizetest.Damages(file) {
					damaged++
					got, err := shownOf(data)
					rejection := (*Rejection)(nil)
					switch {
					case err == nil && !alike(t, got, shown):
						if says := strictly(t, format, path, data); says != "" {
							accepted++
							t.Errorf("%s, %s: accepted, but %s", name, what, says)
						}
					case err != nil && !errors.As(err, &rejection):
						t.Errorf("%s, %s: %v", name, what, err)
					case err != nil && rejection.Class == ClassCorrupt && whole != nil && bytes.Equal(leniently(data), whole) && strictly(t, format, path, data) == "":
						rejected++
						t.Errorf("%s, %s: %v, but it is whole", name, what, err)
					}
				}
			}
			t.Logf("%d damaged files: %d accepted though short, %d rejected though whole", damaged, accepted, rejected)
			if damaged < 1000 {
				t.Errorf("only %d damaged files", damaged)
			}
		})
	}
}

// filesOf returns the small pictures of a format that there are.
func filesOf(t *testing.T, format string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil && p.Shows.Format == format && len(p.Data) < 20_000 && !strings.Contains(p.Name, "orientation-") {
			files[p.Name] = p.Data
		}
	}
	return files
}

// alike reports whether two renditions are the same but for rounding: a JPEG that the decoder is not sure of goes another way.
func alike(t *testing.T, a, b []byte) bool {
	t.Helper()
	var images [2]*image.NRGBA
	for i, data := range [][]byte{a, b} {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		images[i] = image.NewNRGBA(img.Bounds())
		draw.Draw(images[i], img.Bounds(), img, image.Point{}, draw.Src)
	}
	return images[0].Rect == images[1].Rect && resizetest.PSNR(images[0], images[1]) > 40
}

// strictly is what the format's own decoder says of a file that it does not decode whole, or "".
func strictly(t *testing.T, format, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data[:min(len(data), 64)], []byte("ANIM")) { // which dwebp does not decode
		if err := resizetest.Animation(data); err != nil {
			return "Go says " + err.Error()
		}
		return ""
	}
	strict := strictDecoders[format]
	var says bytes.Buffer
	cmd := exec.Command(strict.command[0], append(append(strict.command[1:len(strict.command):len(strict.command)], path), strict.behind...)...)
	cmd.Stdout, cmd.Stderr = &says, &says
	err := cmd.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if err == nil {
		return ""
	}
	return cmd.Args[0] + " says " + strings.TrimSpace(says.String())
}
