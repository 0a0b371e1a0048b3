package main_test

import (
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	e := finish(t, process(t, shipped, dir, nil, "demo"))
	e.want(t, 0)

	lines := tableLines(t, e.stdout)
	if len(lines) < 8 {
		t.Errorf("%d pictures, want at least eight:\n%s", len(lines), e.stdout)
	}
	out := filepath.Join(dir, "demo-out")
	want := []string{"contact-sheet.jpg"}
	for _, l := range lines {
		key, _, noted := strings.Cut(l.name, " (")
		if !noted || l.bytes == "" || l.ms == "" {
			t.Errorf("no note, bytes or milliseconds: %+v", l)
		}
		source := dimensions(t, l.source)
		for i, size := range []string{"small", "medium", "large"} {
			path := size + "-" + key
			want = append(want, path)
			stated := dimensions(t, l.sizes[i])
			if fitted := fit(source, []int{368, 720, 1440}[i]); stated != fitted {
				t.Errorf("%s: the table says %v, want %v of %v", path, stated, fitted, source)
			}
			wantPicture(t, filepath.Join(out, path), formatOf(key), stated.X, stated.Y)
		}
	}
	if len(want) != 31 {
		t.Errorf("%d renditions, want 30", len(want)-1)
	}
	want = append(want, ".s3resizer-demo")
	wantFiles(t, out, want...)
	wantFiles(t, dir, prefixed("demo-out/", want)...)
	sheet(t, out)
	if !strings.Contains(e.stdout, "became 30 renditions") || !strings.Contains(e.stdout, "contact-sheet.jpg") {
		t.Errorf("it does not say what it made:\n%s", e.stdout)
	}
}

func TestDemoOfOwnPictures(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "mine/cat.jpg", jpegOf(t, 1600, 1000))
	write(t, dir, "mine/b/c/개 + dog.png", pngOf(t, 400, 300))
	write(t, dir, "mine/notes.txt", []byte("These are notes.\n"))
	write(t, dir, "mine/.DS_Store", []byte("hidden"))
	if err := os.Symlink("mine", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"mine", "link", filepath.Join(dir, "mine") + "/"} {
		e := s3resizer(t, dir, nil, "demo", "--photos", from, "--out", "o")
		e.want(t, 0)
		var names []string
		for _, l := range tableLines(t, e.stdout) {
			names = append(names, l.name)
		}
		if want := []string{"b/c/개 + dog.png", "cat.jpg", "notes.txt"}; !slices.Equal(names, want) {
			t.Errorf("--photos %s: the table has %q, want %q:\n%s", from, names, want, e.stdout)
		}
		if !strings.Contains(e.stdout, "\nnotes.txt: rejected, unsupported: ") || !strings.Contains(e.stdout, "2 pictures") {
			t.Errorf("--photos %s does not say that notes.txt is no picture:\n%s", from, e.stdout)
		}
		out := filepath.Join(dir, "o")
		wantFiles(t, out, ".s3resizer-demo", "contact-sheet.jpg", "small-cat.jpg", "medium-cat.jpg", "large-cat.jpg",
			"small-b/c/개 + dog.png", "medium-b/c/개 + dog.png", "large-b/c/개 + dog.png")
		wantPicture(t, filepath.Join(out, "large-cat.jpg"), "jpeg", 1440, 900)
		wantPicture(t, filepath.Join(out, "small-b/c/개 + dog.png"), "png", 368, 276)
		sheet(t, out)
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
}

// The pictures of two demos lay side by side, and no line said which were whose.
func TestDemoReplacesWhatADemoHasLeft(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "it's one/a.jpg", jpegOf(t, 40, 30))
	write(t, dir, "two/b/b.jpg", jpegOf(t, 40, 30))
	write(t, dir, "two/b.jpg", jpegOf(t, 40, 30))
	list := ".s3resizer-demo"
	s3resizer(t, dir, nil, "demo", "--photos", "two", "--out", "o").want(t, 0)
	write(t, dir, "o/mine.txt", []byte("mine"))
	s3resizer(t, dir, nil, "demo", "--photos", "it's one", "--out", "o").want(t, 0)
	wantFiles(t, filepath.Join(dir, "o"), list, "contact-sheet.jpg", "small-a.jpg", "medium-a.jpg", "large-a.jpg", "mine.txt")
	write(t, dir, "o/large-b.jpg", []byte("mine"))
	s3resizer(t, dir, nil, "demo", "--photos", "two", "--out", "o").want(t, 1, "o/large-b.jpg is there, and no demo has left it")
	if kept, err := os.ReadFile(filepath.Join(dir, "o/large-b.jpg")); err != nil || string(kept) != "mine" {
		t.Errorf("%q, %v", kept, err)
	}
	if make := exec.Command("make", "-s", "-n", "-C", "../..", "demo", "PHOTOS=it's one"); true {
		if line, err := make.Output(); err != nil || !strings.Contains(string(line), `--photos 'it'\''s one'`) {
			t.Errorf("make says %q, %v", line, err)
		}
	}
}

func TestDemoWithoutAnyPicture(t *testing.T) {
	for name, test := range map[string]struct{ from, reason string }{
		"an empty folder":        {"empty", "no files"},
		"a missing folder":       {"missing", "no such file or directory"},
		"a file, not a folder":   {"cat.jpg", "not a directory"},
		"nothing but a dot-file": {"hidden", "no files"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
			write(t, dir, "hidden/.DS_Store", []byte("hidden"))
			e := s3resizer(t, dir, nil, "demo", "--photos", test.from)
			e.want(t, 1, test.from, test.reason)
			wantFiles(t, dir, "cat.jpg", "hidden/.DS_Store")
		})
	}
	t.Run("files that are no pictures", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "mine/notes.txt", []byte("These are notes.\n"))
		e := s3resizer(t, dir, nil, "demo", "--photos", "mine")
		e.want(t, 0)
		if !strings.Contains(e.stdout, "notes.txt: rejected") || strings.Contains(e.stdout, "demo-out") {
			t.Errorf("want the rejection, and no folder that isn't there:\n%s", e.stdout)
		}
		wantFiles(t, dir, "mine/notes.txt")
	})
}

// dimensions reads "720×540" and what may stand behind it.
func dimensions(t *testing.T, cell string) image.Point {
	t.Helper()
	var p image.Point
	if _, err := fmt.Sscanf(cell, "%d×%d", &p.X, &p.Y); err != nil {
		t.Errorf("%q: %v", cell, err)
	}
	return p
}

// fit is what design.md says of a rendition's dimensions.
func fit(source image.Point, width int) image.Point {
	width = min(width, source.X)
	return image.Pt(width, max(1, int(math.Round(float64(source.Y)*float64(width)/float64(source.X)))))
}

func formatOf(key string) string {
	return map[string]string{".jpg": "jpeg", ".png": "png", ".webp": "webp"}[filepath.Ext(key)]
}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, prefix+name)
	}
	return out
}

// sheet checks that the contact sheet is a picture.
func sheet(t *testing.T, out string) {
	t.Helper()
	file, err := os.Open(filepath.Join(out, "contact-sheet.jpg"))
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	img, format, err := image.Decode(file)
	if err != nil || format != "jpeg" || img.Bounds().Dx() < 300 || img.Bounds().Dy() < 100 {
		t.Errorf("the contact sheet is %s: %v", format, err)
	}
}
