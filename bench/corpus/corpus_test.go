package corpus

import (
	"bytes"
	"image"
	"os"
	"testing"

	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"

	"s3resizer/resize"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(2); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// bits is how many bits a pixel a picture's file takes.
func bits(t *testing.T, p Picture) float64 {
	t.Helper()
	data, err := os.ReadFile(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	perPixel := float64(len(data)) * 8 / float64(config.Width*config.Height)
	t.Logf("%-18s %5d × %4d  %9d bytes, %.2f bits a pixel", p.Name, config.Width, config.Height, len(data), perPixel)
	return perPixel
}

func TestPhotosAreAsHeavyAsAPhones(t *testing.T) {
	folder := os.Getenv("CORPUS") // all of it, for a look; else the quickest
	pictures := Standard(folder)
	if folder == "" {
		pictures = pictures[:1]
		pictures[0].Path = t.TempDir() + "/" + pictures[0].Name
	}
	for _, p := range pictures {
		if err := p.Prepare(); err != nil {
			t.Fatal(err)
		}
		perPixel := bits(t, p)
		if (p.Class == Baseline || p.Class == Huge) && (perPixel < 3 || perPixel > 4) {
			t.Errorf("%s: %.2f bits a pixel, want 3 to 4", p.Name, perPixel)
		}
	}
}

func TestAPictureIsDrawnOnceAndAlwaysTheSame(t *testing.T) {
	drawn := 0
	p := Picture{Name: "a", Path: t.TempDir() + "/deep/a.gif", draw: func() ([]byte, error) { drawn++; return animation() }}
	for range 2 {
		if err := p.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := animation()
	if err != nil {
		t.Fatal(err)
	}
	if drawn != 1 || !bytes.Equal(kept, again) {
		t.Errorf("drawn %d times; the same bytes: %v", drawn, bytes.Equal(kept, again))
	}
}

func TestAFolderOfOnesOwn(t *testing.T) {
	folder := t.TempDir()
	baseline := jpeg("", Baseline, photo{width: 3200, height: 100}, false)
	progressive := jpeg("", Progressive, photo{width: 3200, height: 100}, true)
	for name, draw := range map[string]func() ([]byte, error){
		"b.jpg": baseline.draw, "p.jpeg": progressive.draw, "moving.gif": animation,
		"notes.txt": func() ([]byte, error) { return []byte("not a picture"), nil },
	} {
		data, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(folder+"/"+name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pictures, err := Folder(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Class{}
	for _, p := range pictures {
		got[p.Name] = p.Class
	}
	if len(got) != 3 || got["b"] != Baseline || got["p"] != Progressive || got["moving"] != Animation {
		t.Errorf("%v", got)
	}
	if _, err := Folder(t.TempDir()); err == nil {
		t.Error("an empty folder is taken")
	}
}
