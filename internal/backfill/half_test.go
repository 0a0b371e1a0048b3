package backfill

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk that was full for a moment left half a line, and what was put behind it made the file unreadable.
func TestNothingIsPutBehindHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s, err := openState(path, Job{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.begin(false); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(info.Size()) + 9, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	full := s.finish(Outcome{Key: "a", Status: Failed})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if full == nil {
		t.Error("the disk was not full")
	}
	if err := s.finish(Outcome{Key: "b", Status: Failed}); err != nil {
		t.Error(err)
	}
	again, err := openState(path, Job{}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.current.Failed) != 2 {
		t.Errorf("%+v", again.current)
	}
}
