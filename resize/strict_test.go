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
	"regexp"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// strictDecoders are each format's own decoder, told to fail at whatever it sees.
var strictDecoders = map[string]struct {
	command  []string // the file is the last argument but for what follows it
	behind   []string
	pictures string   // by their names, as a regular expression: those that are stored in different ways
	harmless []string // of what it says, that by which no pixel is missing: there is more than the picture, or what decoders pass over
}{
	"jpeg": {command: []string{"djpeg", "-strict", "-outfile", os.DevNull},
		pictures: `^(baseline|grey|rgb|adobe-ycck|progressive|grey-progressive|arithmetic|444|410|restart|restart-progressive|profile|7x5)\.jpg$`, harmless: []string{"extraneous bytes", "Invalid SOS parameters", "unknown JFIF revision"}},
	"webp": {command: []string{"dwebp", "-quiet"}, behind: []string{"-o", os.DevNull}, pictures: `\.webp$`},
	"avif": {command: []string{"avifdec", "--jobs", "1"}, behind: []string{os.DevNull + ".y4m"},
		pictures: `^(8-bit|444|12-bit|alpha|10-bit-alpha|grey|grey-alpha-narrow|turned|profile|sequence|grid|cropped|pq)\.avif$`},
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
			for name, file := range filesOf(format) {
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
						if says, harmless := strictly(t, format, path, data); says != "" && !harmless {
							accepted++
							t.Errorf("%s, %s: accepted, but %s", name, what, says)
						}
					case err != nil && !errors.As(err, &rejection):
						t.Errorf("%s, %s: %v", name, what, err)
					case err != nil && rejection.Class == ClassCorrupt && whole != nil && bytes.Equal(leniently(data), whole):
						if says, _ := strictly(t, format, path, data); says == "" {
							rejected++
							t.Errorf("%s, %s: %v, but it is whole", name, what, err)
						}
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

// filesOf returns the pictures of a format that are damaged.
func filesOf(format string) map[string][]byte {
	names := regexp.MustCompile(strictDecoders[format].pictures)
	files := map[string][]byte{}
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil && p.Shows.Format == format && names.MatchString(p.Name) {
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

// strictly is what the format's own decoder says of a file that is not as it should be, or "", and whether that is harmless.
func strictly(t *testing.T, format, path string, data []byte) (says string, harmless bool) {
	t.Helper()
	switch {
	case format == "webp" && bytes.Contains(data[:min(len(data), 64)], []byte("ANIM")): // which dwebp does not decode
		if err := resizetest.Animation(data); err != nil {
			return "Go says " + err.Error(), false
		}
		return "", false
	case format == "jpeg" && !bytes.HasSuffix(data, []byte{0xff, 0xd9}): // whose lack is harmless
		data = append(bytes.Clone(data), 0xff, 0xd9)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	strict := strictDecoders[format]
	var out bytes.Buffer
	cmd := exec.Command(strict.command[0], append(append(strict.command[1:len(strict.command):len(strict.command)], path), strict.behind...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if err == nil {
		return "", false
	}
	says = cmd.Args[0] + " says " + strings.TrimSpace(out.String())
	return says, slices.ContainsFunc(strict.harmless, func(words string) bool { return strings.Contains(says, words) })
}
