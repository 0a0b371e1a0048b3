package resize

import (
	"bytes"
	"encoding/json"
	"image"
	"image/draw"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/image/tiff"
)

// exiftool runs that program, which writes and reads metadata of all formats with code that is not ours.
func exiftool(t *testing.T, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("exiftool"); err != nil {
		t.Fatal("exiftool is missing: make test installs it")
	}
	var said bytes.Buffer
	command := exec.Command("exiftool", args...)
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("exiftool %v: %v, %s", args, err, &said)
	}
	return out
}

// Whatever format says it in whatever way, each rendition says whose it is and who made it, and nothing else that the
// original says.
func TestWhoseThePictureIsStays(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	draw.Draw(img, img.Rect, image.NewUniform(image.Black), image.Point{}, draw.Src)
	var asTIFF bytes.Buffer
	if err := tiff.Encode(&asTIFF, img, nil); err != nil {
		t.Fatal(err)
	}
	_, made := render(t, plainPNG(t, 40, 30), []Size{{Name: "s", Width: 40}}, PNG, WebP, AVIF)
	bare := map[string][]byte{"jpg": plainJPEG(t, 40, 30), "png": plainPNG(t, 40, 30), "webp": made["s webp"].Data, "avif": made["s avif"].Data, "tif": asTIFF.Bytes()}

	dir := t.TempDir()
	sources := map[string]string{}
	for way, tags := range map[string][]string{
		"exif": {"-IFD0:Copyright=© 2026 Bjørn (all rights)", "-IFD0:Artist=Bjørn 제주"},
		"xmp":  {"-XMP-dc:Rights=© 2026 Bjørn (all rights)", "-XMP-dc:Creator=Bjørn 제주", "-XMP-exif:GPSLatitude=51.5"},
		"iptc": {"-IPTC:CopyrightNotice=© 2026 Bjørn (all rights)", "-IPTC:By-line=Bjørn", "-IPTC:By-line=제주", "-codedcharacterset=utf8"},
	} {
		args := append(slices.Clone(tags), "-overwrite_original", "-IFD0:Make=Maker", "-GPSLatitude=51.5", "-GPSLatitudeRef=N", "-IFD0:ImageDescription=at home")
		if way != "exif" {
			args = append(args, "-XMP-dc:Subject=home")
		}
		for extension, data := range bare {
			if way == "iptc" && extension != "jpg" && extension != "tif" { // no others have it
				continue
			}
			path := filepath.Join(dir, way+"."+extension)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			sources[path] = way
			args = append(args, path)
		}
		exiftool(t, args...)
	}
	out, written := t.TempDir(), atomic.Int32{}
	for source := range sources {
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string][]Format{"": {JPEG}} // by planes, if it is one
		if filepath.Base(source) == "exif.jpg" {
			kinds["-pixels"] = []Format{JPEG, PNG, WebP, AVIF}
		}
		for kind, formats := range kinds {
			spec := Spec{Sizes: []Size{{Name: "s", Width: 20}}, Formats: formats, Quality: quality, Effort: Effort{2, 2, 4}, Credit: true}
			if _, err := tryRender(data, spec, func(r Rendition) {
				written.Add(1)
				if err := os.WriteFile(filepath.Join(out, filepath.Base(source)+kind+"."+string(r.Format)), r.Data, 0o600); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatalf("%s: %v", source, err)
			}
		}
	}

	var said []map[string]any
	if err := json.Unmarshal(exiftool(t, "-json", "-G1", "-a", "-charset", "EXIF=UTF8", out), &said); err != nil {
		t.Fatal(err)
	}
	if int32(len(said)) != written.Load() || len(said) != len(sources)+4 {
		t.Errorf("%d files are read of %d, want %d", len(said), written.Load(), len(sources)+4)
	}
	// What is about the pixels and the file, and what libvips adds to every block.
	harmless := regexp.MustCompile(`^(SourceFile|ExifTool:.*|System:.*|File:.*|JFIF:.*|PNG:.*|PNG-pHYs:.*|RIFF:.*|QuickTime:.*|Meta:.*|Composite:.*|ExifIFD:(ExifVersion|FlashpixVersion|ColorSpace|ExifImage(Width|Height)|ComponentsConfiguration)|IFD0:(XResolution|YResolution|ResolutionUnit|YCbCrPositioning|Orientation|Image(Width|Height)))$`)
	for _, file := range said {
		name := filepath.Base(file["SourceFile"].(string))
		if file["IFD0:Copyright"] != "© 2026 Bjørn (all rights)" || file["ExifIFD:ColorSpace"] != "sRGB" || !strings.HasPrefix(file["IFD0:Artist"].(string), "Bjørn") || !strings.HasSuffix(file["IFD0:Artist"].(string), "제주") {
			t.Errorf("%s: %v", name, file)
		}
		for tag, value := range file {
			if tag != "IFD0:Copyright" && tag != "IFD0:Artist" && (!harmless.MatchString(tag) || strings.Contains(tag, "GPS")) {
				t.Errorf("%s: %s is %v", name, tag, value)
			}
		}
	}
}
