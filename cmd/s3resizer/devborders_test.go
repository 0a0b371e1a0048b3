package main_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two pictures whose encoder can't be stopped, and nothing was resized any more: there are as many workers.
func TestDevIsNotBlockedByWhatDoesNotStop(t *testing.T) {
	s := serve(t, []string{"RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=9", "RESIZE_SIZES=large=2600"}, "--timeout", "2s")
	for i := range runtime.GOMAXPROCS(0) {
		s.put(t, fmt.Sprintf("slow%d.png", i), pngOf(t, 2600, 2400))
	}
	s.put(t, "quick.png", pngOf(t, 40, 30))
	s.waitFor(t, "resized quick.png")
	if err := s.process.Process.Kill(); err != nil { // which waits for nothing
		t.Fatal(err)
	}
	_ = s.drain()
	_ = s.process.Wait() // killed
	s.ended = true
	for _, says := range []string{"failed deadline: ", "slow0.png", "did not stop and was left behind", "pictures are still being worked on"} {
		if !strings.Contains(s.stderr.String(), says) {
			t.Errorf("it does not say %q", says)
		}
	}
}

// A second Ctrl-C was ignored, while what was accepted before the first one ran on.
func TestASecondInterruptEndsItAtOnce(t *testing.T) {
	s := serve(t, []string{"RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=9", "RESIZE_SIZES=large=2600"})
	s.put(t, "slow.png", pngOf(t, 2600, 2400))
	time.Sleep(300 * time.Millisecond) // it is being encoded, which takes many seconds
	begun := time.Now()
	for range 2 {
		if err := s.process.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	_ = s.drain()
	err := s.process.Wait()
	s.ended = true
	status, ok := s.process.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT || time.Since(begun) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestDevIsForThisMachineUnlessToldOtherwise(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.7:9000"} {
		e := s3resizer(t, t.TempDir(), nil, "dev", "--addr", addr)
		e.want(t, 2, addr, "other machines may reach it", "--public")
	}
	s3resizer(t, t.TempDir(), nil, "dev", "--addr", "9000x").want(t, 2, `--addr "9000x"`, "want a port, such as 9000, or host:port")
	for _, args := range [][]string{{"--addr", "localhost:0"}, {"--addr", "0"}, {"--addr", "0.0.0.0:0", "--public"}} {
		s := serve(t, nil, args...)
		if open := len(args) == 3; open {
			s.waitFor(t, "Warning: it listens on 0.0.0.0:0: other machines may reach it, and read, write and remove everything there")
		}
		s.put(t, "cat.jpg", jpegOf(t, 40, 30))
		s.waitFor(t, "resized cat.jpg")
		s.interrupt(t, 5*time.Second)
	}
	if help := s3resizer(t, t.TempDir(), nil, "dev", "--help").stdout; !strings.Contains(help, "--public") || !strings.Contains(help, "whoever reaches the address may read, write and remove everything") {
		t.Errorf("help says:\n%s", help)
	}
}
