package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/internal/report/reporttest"
)

func TestResizeWritesEverySizeBesideATable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in/wide cat.jpg", jpegOf(t, 1600, 1000))
	write(t, dir, "in/여행.png", pngOf(t, 500, 333))
	e := s3resizer(t, dir, nil, "resize", "--out", "thumbs/new", "in/wide cat.jpg", filepath.Join(dir, "in/여행.png"))
	e.want(t, 0)

	out := filepath.Join(dir, "thumbs/new")
	wantFiles(t, out, "small-wide cat.jpg", "medium-wide cat.jpg", "large-wide cat.jpg", "small-여행.png", "medium-여행.png", "large-여행.png")
	wantPicture(t, filepath.Join(out, "small-wide cat.jpg"), "jpeg", 368, 230)
	wantPicture(t, filepath.Join(out, "medium-wide cat.jpg"), "jpeg", 720, 450)
	wantPicture(t, filepath.Join(out, "large-wide cat.jpg"), "jpeg", 1440, 900)
	wantPicture(t, filepath.Join(out, "small-여행.png"), "png", 368, 245)
	wantPicture(t, filepath.Join(out, "medium-여행.png"), "png", 500, 333) // never enlarged
	wantPicture(t, filepath.Join(out, "large-여행.png"), "png", 500, 333)

	lines := tableLines(t, e.stdout)
	if len(lines) != 2 || lines[0].name != "in/wide cat.jpg" || lines[1].name != filepath.Join(dir, "in/여행.png") {
		t.Fatalf("%d lines in the table:\n%s", len(lines), e.stdout)
	}
	for i, want := range []string{"1600×1000 | 368×230 | 720×450 | 1440×900", "500×333 | 368×245 | 500×333 | 500×333"} {
		got := []string{lines[i].source}
		for _, size := range lines[i].sizes {
			dimensions, _, _ := strings.Cut(size, " ")
			got = append(got, dimensions)
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("the table says %q, want %q:\n%s", got, want, e.stdout)
		}
	}
}

// jsonLines reads what --json printed, and checks that no bucket is in it.
func jsonLines(t *testing.T, stdout string) []report.Result {
	t.Helper()
	var results []report.Result
	for text := range strings.Lines(stdout) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		var r report.Result
		if err := decoder.Decode(&r); err != nil || decoder.More() {
			t.Errorf("not one object: %s: %v", text, err)
		}
		if strings.Contains(text, `"bucket"`) {
			t.Errorf("a file has no bucket: %s", text)
		}
		if err := reporttest.Check([]byte(text)); err != nil {
			t.Error(err)
		}
		results = append(results, r)
	}
	return results
}

func TestResizeReportsInJSON(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in/R&D <1>.jpg", jpegOf(t, 1600, 1000))
	e := s3resizer(t, dir, nil, "resize", "--json", "--out", "o", "./in/R&D <1>.jpg")
	e.want(t, 0)
	results := jsonLines(t, e.stdout)
	if len(results) != 1 || len(results[0].Renditions) != 3 {
		t.Fatalf("one file, three renditions: %s", e.stdout)
	}
	r := results[0]
	if r.Status != report.Resized || r.Source.Key != "./in/R&D <1>.jpg" || r.Source.Width != 1600 || r.Source.Height != 1000 || r.Source.Format != "jpeg" || r.Timings == nil {
		t.Errorf("%s", e.stdout)
	}
	for i, size := range []string{"small", "medium", "large"} {
		made := r.Renditions[i]
		if made.Size != size || made.Key != "o/"+size+"-R&D <1>.jpg" || made.ContentType != "image/jpeg" {
			t.Errorf("%+v", made)
		}
		path := filepath.Join(dir, made.Key)
		wantPicture(t, path, "jpeg", made.Width, made.Height)
		if info, err := os.Stat(path); err != nil || info.Size() != int64(made.Bytes) {
			t.Errorf("%s: %v, %v; the report says %d bytes", path, info, err, made.Bytes)
		}
	}
}

// The first file takes far longer than the others, which are done before it.
func TestResizeKeepsTheOrderOfItsArguments(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 2400, 1800))
	names := []string{"a.png"}
	for i := range 6 {
		names = append(names, fmt.Sprintf("%d.jpg", 6-i))
		write(t, dir, names[i+1], jpegOf(t, 40, 30))
	}
	e := s3resizer(t, dir, nil, slices.Concat([]string{"resize", "--jobs", "2", "--json", "--out", "o"}, names)...)
	e.want(t, 0)
	var got []string
	for _, r := range jsonLines(t, e.stdout) {
		got = append(got, r.Source.Key)
	}
	if !slices.Equal(got, names) {
		t.Errorf("--json: %q, want %q", got, names)
	}
	e = s3resizer(t, dir, nil, slices.Concat([]string{"resize", "--jobs", "2", "--force", "--out", "o"}, names)...)
	e.want(t, 0)
	got = nil
	for _, l := range tableLines(t, e.stdout) {
		got = append(got, l.name)
	}
	if !slices.Equal(got, names) {
		t.Errorf("table: %q, want %q", got, names)
	}
}

func TestResizeSaysWhatIsWrongWithEachFileAndDoesTheOthers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "first.jpg", jpegOf(t, 40, 30))
	write(t, dir, "notes.jpg", []byte("These are notes, whatever the name says.\n"))
	write(t, dir, "empty.jpg", nil)
	whole := jpegOf(t, 400, 300)
	write(t, dir, "cut.jpg", whole[:len(whole)/2])
	write(t, dir, "last.jpg", jpegOf(t, 40, 30))
	all := []string{"first.jpg", "notes.jpg", "missing.jpg", "empty.jpg", "cut.jpg", "last.jpg"}
	reasons := []string{"notes.jpg: rejected, unsupported: ", "missing.jpg: ", "empty.jpg: rejected, unsupported: ", "cut.jpg: rejected, corrupt: "}
	words := []string{"JPEG", "no such file", "empty", ""}

	check := func(e ended) {
		t.Helper()
		e.want(t, 1)
		lines := strings.Split(strings.TrimSuffix(e.stderr, "\n"), "\n")
		if len(lines) != len(reasons)+1 {
			t.Fatalf("want a line for each file, and one for all:\n%s", e.stderr)
		}
		for i, reason := range reasons {
			if !strings.HasPrefix(lines[i], reason) || !strings.Contains(lines[i], words[i]) {
				t.Errorf("%q, want %q… with %q in it", lines[i], reason, words[i])
			}
		}
		if last := lines[len(reasons)]; last != "s3resizer: not resized: 4 of 6 files" {
			t.Errorf("in the end it says %q", last)
		}
		wantFiles(t, filepath.Join(dir, "o"), "small-first.jpg", "medium-first.jpg", "large-first.jpg", "small-last.jpg", "medium-last.jpg", "large-last.jpg")
	}

	e := s3resizer(t, dir, nil, slices.Concat([]string{"resize", "--out", "o"}, all)...)
	check(e)
	var names []string
	for _, l := range tableLines(t, e.stdout) {
		names = append(names, l.name)
	}
	if want := []string{"first.jpg", "notes.jpg", "empty.jpg", "cut.jpg", "last.jpg"}; !slices.Equal(names, want) {
		t.Errorf("the table has %q, want %q:\n%s", names, want, e.stdout)
	}

	e = s3resizer(t, dir, nil, slices.Concat([]string{"resize", "--json", "--force", "--out", "o"}, all)...)
	check(e)
	rejected := map[string]string{}
	for _, r := range jsonLines(t, e.stdout) {
		if r.Status == report.Rejected && r.Reason != "" && len(r.Renditions) == 0 {
			rejected[r.Source.Key] = string(r.Class)
		}
	}
	if len(rejected) != 3 || rejected["notes.jpg"] != "unsupported" || rejected["empty.jpg"] != "unsupported" || rejected["cut.jpg"] != "corrupt" {
		t.Errorf("rejected: %v\n%s", rejected, e.stdout)
	}
}

// The file is read a second time there, as an object is.
func TestResizeOfACutFileFollowsTheSetting(t *testing.T) {
	dir := t.TempDir()
	whole := jpegOf(t, 400, 300)
	write(t, dir, "cut.jpg", whole[:len(whole)*7/10])
	s3resizer(t, dir, nil, "resize", "--out", "o", "cut.jpg").want(t, 1, "cut short at row", "of 300", "RESIZE_ON_TRUNCATED=accept")
	e := s3resizer(t, dir, []string{"RESIZE_ON_TRUNCATED=accept"}, "resize", "--json", "--out", "o", "cut.jpg")
	e.want(t, 0)
	if r := jsonLines(t, e.stdout); len(r) != 1 || r[0].Status != report.Resized || !r[0].Source.Truncated {
		t.Errorf("%s", e.stdout)
	}
	wantPicture(t, filepath.Join(dir, "o", "small-cut.jpg"), "jpeg", 368, 276)
}

// A rendition of cat.jpg took the place of small-cat.jpg, before or while that was read.
func TestResizeNeverOverwritesAFileThatItIsToRead(t *testing.T) {
	dir := t.TempDir()
	source := jpegOf(t, 400, 300)
	write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
	write(t, dir, "small-cat.jpg", source)
	e := s3resizer(t, dir, nil, "resize", "cat.jpg", "small-cat.jpg")
	e.want(t, 1, "cat.jpg: ", "small-cat.jpg")
	if kept, err := os.ReadFile(filepath.Join(dir, "small-cat.jpg")); err != nil || !slices.Equal(kept, source) {
		t.Errorf("small-cat.jpg was overwritten: %d bytes, %v", len(kept), err)
	}
	wantPicture(t, filepath.Join(dir, "small-small-cat.jpg"), "jpeg", 368, 276)
}

func TestResizeHeedsTheSettings(t *testing.T) {
	for name, test := range map[string]struct {
		settings []string
		want     map[string][2]int // dimensions by path
		format   string
	}{
		"sizes":                  {[]string{"RESIZE_SIZES=tiny=10,half=20"}, map[string][2]int{"tiny-cat.jpg": {10, 8}, "half-cat.jpg": {20, 15}}, "jpeg"},
		"boxes":                  {[]string{"RESIZE_SIZES=avatar@2x=20x20:cover,tall=x12,card=40x40:contain"}, map[string][2]int{"avatar@2x-cat.jpg": {20, 20}, "tall-cat.jpg": {16, 12}, "card-cat.jpg": {40, 40}}, "jpeg"},
		"formats":                {[]string{"RESIZE_FORMATS=webp", "RESIZE_SIZES=small=30"}, map[string][2]int{"small-cat.jpg.webp": {30, 23}}, "webp"},
		"a template with folder": {[]string{"RESIZE_KEY_TEMPLATE=web/{size}/{key}", "RESIZE_SIZES=a=30,b=20"}, map[string][2]int{"web/a/cat.jpg": {30, 23}, "web/b/cat.jpg": {20, 15}}, "jpeg"},
		"a destination bucket":   {[]string{"RESIZE_DEST_BUCKET=files", "RESIZE_SIZES=a=30"}, map[string][2]int{"a-cat.jpg": {30, 23}}, "jpeg"},
		"an owner":               {[]string{"RESIZE_BUCKET_OWNER=123456789012", "RESIZE_SIZES=a=30"}, map[string][2]int{"a-cat.jpg": {30, 23}}, "jpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
			s3resizer(t, dir, test.settings, "resize", "--out", "o", "cat.jpg").want(t, 0)
			var paths []string
			for path, size := range test.want {
				paths = append(paths, path)
				wantPicture(t, filepath.Join(dir, "o", path), test.format, size[0], size[1])
			}
			wantFiles(t, filepath.Join(dir, "o"), paths...)
		})
	}
	t.Run("a limit", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
		s3resizer(t, dir, []string{"RESIZE_MAX_PIXELS=1000"}, "resize", "cat.jpg").want(t, 1, "cat.jpg: rejected, too-large: ", "1000 pixels")
		wantFiles(t, dir, "cat.jpg")
	})
}

func TestResizeLeavesNothingHalfWritten(t *testing.T) {
	t.Run("the folder can't be made", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
		write(t, dir, "o", []byte("a file"))
		s3resizer(t, dir, nil, "resize", "--out", "o", "cat.jpg").want(t, 1, "cat.jpg: ", "mkdir o: not a directory")
		wantFiles(t, dir, "cat.jpg", "o")
	})
	t.Run("a folder is in a rendition's place", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
		write(t, dir, "o/medium-cat.jpg/mine.txt", []byte("mine"))
		s3resizer(t, dir, nil, "resize", "--out", "o", "cat.jpg").want(t, 1, "cat.jpg: ", "o/medium-cat.jpg")
		for _, name := range files(t, filepath.Join(dir, "o")) {
			if !slices.Contains([]string{"small-cat.jpg", "large-cat.jpg", "medium-cat.jpg/mine.txt"}, name) {
				t.Errorf("%s is left", name)
			}
		}
	})
}
