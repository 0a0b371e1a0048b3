package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/report"
)

func TestResizeOfFolders(t *testing.T) {
	dir := t.TempDir()
	picture := jpegOf(t, 40, 30)
	for _, name := range []string{"in/a.jpg", "in/b/c/d.jpg", "in/.hidden/x.jpg", "in/.x.jpg", "in/b/thumbs/old.jpg", "else.jpg"} {
		write(t, dir, name, picture)
	}
	for link, to := range map[string]string{"in/link.jpg": "../else.jpg", "in/dead.jpg": "nothing", "in/round": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	e := s3resizer(t, dir, nil, "resize", "--sizes", "s=20", "--out", "in/b/thumbs", "in", "in/a.jpg")
	e.want(t, 0)
	wantFiles(t, filepath.Join(dir, "in/b/thumbs"), "old.jpg", "s-a.jpg", "s-b/c/d.jpg", "s-link.jpg")

	s3resizer(t, dir, nil, "resize", "--out", "o", "in/b/c", "missing").want(t, 1, "missing: stat missing: no such file")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	s3resizer(t, dir, nil, "resize", "--out", "o2", "empty").want(t, 2, "pictures of the folder empty: there are no files in it")
}

func TestResizeKeepsFilesOfOneNameApart(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"2024/cat.jpg", "2025/cat.jpg", "2025/b/dog.jpg", "a.jpg.jpg"} {
		write(t, dir, name, jpegOf(t, 40+i, 30))
	}
	write(t, dir, "a.jpg", pngOf(t, 40, 30))
	e := s3resizer(t, dir, nil, "resize", "--sizes", "s=100", "--out", "o", "2024", "./2025", "2025/cat.jpg")
	e.want(t, 0)
	wantFiles(t, filepath.Join(dir, "o"), "s-2024/cat.jpg", "s-2025/b/dog.jpg", "s-2025/cat.jpg")
	wantPicture(t, filepath.Join(dir, "o/s-2025/cat.jpg"), "jpeg", 41, 30)

	// A PNG whose JPEG has the name of another file's.
	e = s3resizer(t, dir, nil, "resize", "--jobs", "1", "--force", "--sizes", "s=100", "--formats", "jpeg", "--out", "p", "a.jpg", "a.jpg.jpg")
	e.want(t, 1, "a.jpg.jpg: p/s-a.jpg.jpg is what is made of a.jpg: rename one of the two")
	wantFiles(t, filepath.Join(dir, "p"), "s-a.jpg.jpg")
}

func TestResizeOverwritesNothingUnasked(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
	args := []string{"resize", "--sizes", "a=20,b=10", "--out", "o", "cat.jpg"}
	run := func(more ...string) ended { return s3resizer(t, dir, nil, slices.Concat(args, more)...) }
	inode := func(name string) os.FileInfo {
		info, err := os.Stat(filepath.Join(dir, "o", name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	dry := run("--dry-run")
	dry.want(t, 0)
	wantFiles(t, dir, "cat.jpg")
	if lines := tableLines(t, dry.stdout); len(lines) != 1 || !strings.HasPrefix(lines[0].sizes[0], "20×15 ") || !strings.Contains(dry.stdout, "Nothing was written.") {
		t.Errorf("the dry run says %s", dry.stdout)
	}

	run().want(t, 0)
	first := inode("a-cat.jpg")
	again := run()
	again.want(t, 0)
	if !os.SameFile(first, inode("a-cat.jpg")) || !strings.Contains(again.stdout, "Of 1 file the renditions were there already. --force makes them anew.") {
		t.Errorf("it was made anew, or not told of: %s", again.stdout)
	}
	if r := jsonLines(t, run("--json").stdout); len(r) != 1 || r[0].Status != report.Skipped || !strings.Contains(r[0].Reason, "--force") || r[0].Source.Width != 40 {
		t.Errorf("%+v", r)
	}
	run("--force").want(t, 0)
	if os.SameFile(first, inode("a-cat.jpg")) {
		t.Error("--force did not make it anew")
	}

	t.Run("a newer picture", func(t *testing.T) {
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(filepath.Join(dir, "cat.jpg"), later, later); err != nil {
			t.Fatal(err)
		}
		run().want(t, 1, "cat.jpg: o/a-cat.jpg is there already: --force overwrites it", "1 of 1 file")
	})
	t.Run("half of a set", func(t *testing.T) {
		earlier := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, "cat.jpg"), earlier, earlier); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "o/b-cat.jpg")); err != nil {
			t.Fatal(err)
		}
		run().want(t, 1, "o/a-cat.jpg is there already")
		wantFiles(t, filepath.Join(dir, "o"), "a-cat.jpg")
	})
}

func TestResizeOfStandardInputToStandardOutput(t *testing.T) {
	dir := t.TempDir()
	run := func(input []byte, args ...string) ended {
		command := process(t, binary, dir, []string{"RESIZE_MAX_BYTES=100000"}, append([]string{"resize", "--sizes", "s=20"}, args...)...)
		command.Stdin = bytes.NewReader(input)
		return finish(t, command)
	}
	e := run(pngOf(t, 40, 30), "--formats", "webp", "--out", "-", "-")
	e.want(t, 0)
	checkPicture(t, "standard output", []byte(e.stdout), "webp", 20, 15)
	run(pngOf(t, 40, 30), "--out", "o", "-").want(t, 0)
	wantPicture(t, filepath.Join(dir, "o/s-stdin.png"), "png", 20, 15)

	if e := run([]byte("hello"), "--out", "-", "-"); e.status != 1 || e.stdout != "" || !strings.HasPrefix(e.stderr, "-: rejected, unsupported: ") {
		t.Errorf("%+v", e)
	}
	run(make([]byte, 100001), "--out", "-", "-").want(t, 1, "-: rejected", "100000")
	run(nil, "--out", "-", "-").want(t, 1, "-: rejected, unsupported: the object is empty")
	wantFiles(t, dir, "o/s-stdin.png")
}

// There is a line on a terminal, from a second on, and none elsewhere.
func TestResizeAndDemoShowHowFarTheyAre(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in/a.png", pngOf(t, 40, 30))
	write(t, dir, "in/b.png", pngOf(t, 1300, 1200))
	for what, c := range map[string]struct {
		command  string
		settings []string
	}{
		"file":    {"(until [ -e o/large-a.png ]; do sleep .1; done; sleep 1.5; cat in/a.png) | " + shipped + " resize --jobs 1 --out o in/a.png -", nil},
		"picture": {shipped + " demo --photos in --out d", []string{"RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=4", "RESIZE_SIZES=large=1300", "GOMAXPROCS=1"}},
	} {
		e := finish(t, process(t, "script", dir, c.settings, "-qec", c.command, "/dev/null"))
		if line := `\r\x1b\[K1 of 2 ` + what + `s, [\d.]+ a second, \d+ s left`; !regexp.MustCompile(line).MatchString(e.stdout) {
			t.Errorf("%s: %q", c.command, e.stdout)
		}
	}
}
