package main_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
)

// A pipe that nobody writes to held the command for good.
func TestResizeOfWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // a socket's path has to be short
	listener, err := net.Listen("unix", "socket.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Symlink("pipe.jpg", filepath.Join(dir, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
	e := s3resizer(t, dir, nil, "resize", "--out", "o", "pipe.jpg", "link.jpg", "socket.jpg", "/dev/null", "cat.jpg")
	e.want(t, 1, "pipe.jpg is a pipe, not a file", "link.jpg is a pipe", "socket.jpg is a socket", "/dev/null is a device", "4 of 5 files")
	wantPicture(t, filepath.Join(dir, "o/large-cat.jpg"), "jpeg", 40, 30)
}

// A name put the terminal into another color, or a line of its own below; and one that is not UTF-8 was not found.
func TestResizePrintsNoControlCharactersOfNames(t *testing.T) {
	dir := t.TempDir()
	names := []string{"red\x1b[31m.jpg", "two\nlines.jpg", "tab\tbed.jpg", "missing\x1b[2J.jpg", "caf\xe9.jpg"}
	for _, name := range names[:3] {
		write(t, dir, name, jpegOf(t, 40, 30))
	}
	write(t, dir, names[4], jpegOf(t, 40, 30))
	e := s3resizer(t, dir, nil, append([]string{"resize", "--out", "o"}, names...)...)
	e.want(t, 1, `missing\x1b[2J.jpg: `, `caf\xe9.jpg: its name is not UTF-8`, "2 of 5 files")
	for _, text := range []string{e.stdout, e.stderr} {
		if found := regexp.MustCompile(`[^\n[:^cntrl:]]`).FindString(text); found != "" {
			t.Errorf("prints %q: %q", found, text)
		}
	}
	var shown []string
	for _, l := range tableLines(t, e.stdout) {
		shown = append(shown, l.name)
	}
	if want := []string{`red\x1b[31m.jpg`, `two\nlines.jpg`, `tab\tbed.jpg`}; !slices.Equal(shown, want) {
		t.Errorf("the table has %q, want %q", shown, want)
	}
	wantPicture(t, filepath.Join(dir, "o", "large-two\nlines.jpg"), "jpeg", 40, 30)
}

// Under other names, the sources were not known for what they are.
func TestResizeNeverOverwritesASourceThroughALink(t *testing.T) {
	source := jpegOf(t, 400, 300)
	for name, link := range map[string]func(dir string) error{
		"the source is a link": func(dir string) error { return os.Symlink("small-cat.jpg", filepath.Join(dir, "dog.jpg")) },
		"the folder is a link": func(dir string) error { return os.Symlink(".", filepath.Join(dir, "o")) },
		"one file of two names": func(dir string) error {
			return os.Link(filepath.Join(dir, "small-cat.jpg"), filepath.Join(dir, "dog.jpg"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "cat.jpg", jpegOf(t, 40, 30))
			write(t, dir, "small-cat.jpg", source)
			if err := link(dir); err != nil {
				t.Fatal(err)
			}
			out, other := ".", "dog.jpg"
			if name == "the folder is a link" {
				out, other = "o", "small-cat.jpg"
			}
			s3resizer(t, dir, nil, "resize", "--out", out, "cat.jpg", other).want(t, 1, "cat.jpg: ", "small-cat.jpg would overwrite "+other)
			if kept, err := os.ReadFile(filepath.Join(dir, "small-cat.jpg")); err != nil || !bytes.Equal(kept, source) {
				t.Errorf("small-cat.jpg was overwritten: %d bytes, %v", len(kept), err)
			}
		})
	}
}
