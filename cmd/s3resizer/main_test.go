package main_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	_ "golang.org/x/image/webp"

	"s3resizer/resize"

	"s3resizer/internal/commandtest"
)

// binary is the command, race detector and all if the tests have it; a race ends it with exit status 66. shipped is the
// command as it ships, for what would take minutes under the race detector.
var binary, shipped string

func TestMain(m *testing.M) {
	os.Exit(commandtest.Main(m, func(dir string) (err error) {
		if shipped, err = commandtest.Build(dir, "s3resizer", nil); err != nil || !raceDetected() {
			binary = shipped
			return err
		}
		binary, err = commandtest.Build(dir, "s3resizer-race", nil, "-race")
		return err
	}))
}

// raceDetected tells whether the tests were built with the race detector.
func raceDetected() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// limit is how long any process may take.
const limit = time.Minute

// process prepares the command in a folder of its own, with the settings and no others. It is killed at the limit, or
// when the test ends.
func process(t *testing.T, name, dir string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	command.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "RESIZE_") || strings.HasPrefix(entry, "AWS_")
	})
	command.Env = append(command.Env, "GORACE=atexit_sleep_ms=0") // not a second for each process
	command.Env = append(command.Env, settings...)
	return command
}

// ended is a process that has.
type ended struct {
	status         int
	stdout, stderr string
}

// finish runs a process to its end.
func finish(t *testing.T, command *exec.Cmd) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// s3resizer runs the command in dir.
func s3resizer(t *testing.T, dir string, settings []string, args ...string) ended {
	t.Helper()
	return finish(t, process(t, binary, dir, settings, args...))
}

// want checks the exit status, and that stderr names all the words.
func (e ended) want(t *testing.T, status int, words ...string) {
	t.Helper()
	if e.status != status {
		t.Errorf("exit status %d, want %d\nstdout: %s\nstderr: %s", e.status, status, e.stdout, e.stderr)
	}
	for _, word := range words {
		if !strings.Contains(e.stderr, word) {
			t.Errorf("stderr does not say %q:\n%s", word, e.stderr)
		}
	}
	if status == 0 && e.stderr != "" {
		t.Errorf("all went well, but stderr says:\n%s", e.stderr)
	}
}

// jpegOf and pngOf make pictures of random grey, which take an encoder the time that a photo does.
func jpegOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var data bytes.Buffer
	if err := jpeg.Encode(&data, noise(width, height), nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var data bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&data, noise(width, height)); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func noise(width, height int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, height))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(img.Pix)
	return img
}

// write puts a file into dir.
func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantPicture checks that a file is a whole picture of the given dimensions.
func wantPicture(t *testing.T, path, format string, width, height int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	checkPicture(t, path, data, format, width, height)
}

func checkPicture(t *testing.T, name string, data []byte, format string, width, height int) {
	t.Helper()
	img, found, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if size := img.Bounds().Size(); found != format || size != image.Pt(width, height) {
		t.Errorf("%s is a %s of %v, want a %s of %d × %d", name, found, size, format, width, height)
	}
}

// wantFiles checks what is in dir and below.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := files(t, dir); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// files returns the paths of all files in dir and below, sorted.
func files(t *testing.T, dir string) []string {
	t.Helper()
	found := []string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, relErr := filepath.Rel(dir, path)
			found, err = append(found, filepath.ToSlash(name)), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// line is one line of the table; a cell is what stands between two gaps.
type line struct {
	source, bytes string
	sizes         []string
	ms, name      string
}

// tableLines reads the table out of what was printed.
func tableLines(t *testing.T, stdout string) []line {
	t.Helper()
	var lines []line
	columns := 0
	gap := regexp.MustCompile(` {2,}`)
	for text := range strings.Lines(stdout) {
		cells := gap.Split(strings.TrimSpace(text), -1)
		switch {
		case cells[0] == "source":
			columns = len(cells)
		case columns > 0 && len(cells) == columns:
			lines = append(lines, line{cells[0], cells[1], cells[2 : columns-2], cells[columns-2], cells[columns-1]})
		case columns > 0 && strings.HasPrefix(text, "–") || strings.Contains(text, "  rejected  "):
			lines = append(lines, line{source: cells[0], sizes: []string{"rejected"}, name: cells[len(cells)-1]})
		}
	}
	if columns == 0 {
		t.Errorf("there is no table:\n%s", stdout)
	}
	return lines
}

func TestVersionNamesLibvips(t *testing.T) {
	e := s3resizer(t, t.TempDir(), nil, "version")
	e.want(t, 0)
	if flag := s3resizer(t, t.TempDir(), nil, "--version"); flag.stdout != e.stdout {
		t.Errorf("--version says %q", flag.stdout)
	}
	if !regexp.MustCompile(`^s3resizer \S+, go1\.\S+, libvips 8\.\d+\.\d+\n$`).MatchString(e.stdout) || !strings.Contains(e.stdout, "libvips "+resize.Version()) {
		t.Errorf("it says %q; the libvips of this test is %s", e.stdout, resize.Version())
	}
}

func TestBadUsageIsNamedAndNothingIsDone(t *testing.T) {
	for name, test := range map[string]struct {
		settings, args, words []string
	}{
		"no files":                 {nil, []string{"resize"}, []string{"name files or folders", "s3resizer resize --help says how it is used"}},
		"an unknown flag":          {nil, []string{"resize", "--fast", "cat.jpg"}, []string{"unknown flag: --fast"}},
		"no jobs":                  {nil, []string{"resize", "--jobs", "0", "cat.jpg"}, []string{"--jobs 0", "at least 1"}},
		"jobs that are no number":  {nil, []string{"resize", "--jobs", "many", "cat.jpg"}, []string{`--jobs "many": want a whole number`}},
		"a time without a unit":    {nil, []string{"dev", "--timeout", "90"}, []string{`--timeout "90": want a time such as 90s`, "s3resizer dev --help"}},
		"a size without a width":   {nil, []string{"resize", "--sizes", "small", "cat.jpg"}, []string{`--sizes "small"`, "a width such as 368", "s3resizer resize --help"}},
		"an unknown format":        {nil, []string{"resize", "--formats", "jpg", "cat.jpg"}, []string{`--formats "jpg"`, "[source jpeg png webp avif]"}},
		"too much quality":         {nil, []string{"resize", "--quality", "101", "cat.jpg"}, []string{`--quality "101"`, "from 1 to 100"}},
		"three sizes to one place": {nil, []string{"resize", "--out", "-", "cat.jpg"}, []string{"--out -: standard output takes one rendition", "3 sizes", "--sizes small=368"}},
		"two texts in one place":   {nil, []string{"resize", "--json", "--sizes", "a=10", "--out", "-", "cat.jpg"}, []string{"--json and --out -"}},
		"a folder into itself":     {nil, []string{"resize", "."}, []string{"would lie among its pictures", "--out"}},
		"a demo among other files": {nil, []string{"demo", "--out", "."}, []string{"has files that no demo has left there", "--out"}},

		"an unknown command":       {nil, []string{"shrink", "cat.jpg"}, []string{`unknown command "shrink"`}},
		"an argument too many":     {nil, []string{"demo", "cat.jpg"}, []string{"cat.jpg"}},
		"mistakes in the settings": {[]string{"RESIZE_SIZES=small,large=0", "RESIZE_QUALITY=101", "RESIZE_COLOUR=red"}, []string{"resize", "cat.jpg"}, []string{`RESIZE_SIZES="small,large=0"`, `RESIZE_QUALITY="101"`, "RESIZE_COLOUR is not a setting"}},
		"mistakes, and the demo":   {[]string{"RESIZE_SIZES=small"}, []string{"demo"}, []string{"RESIZE_SIZES"}},
		"mistakes, and the server": {[]string{"RESIZE_SIZES=small"}, []string{"dev", "--addr", "127.0.0.1:0"}, []string{"RESIZE_SIZES"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
			e := s3resizer(t, dir, test.settings, test.args...)
			e.want(t, 2, append(test.words, "s3resizer: ")...)
			if e.stdout != "" {
				t.Errorf("stdout is not for mistakes: %s", e.stdout)
			}
			wantFiles(t, dir, "cat.jpg")
		})
	}
}
