package localguard

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestATakenPortIsToldWithWhoHasIt(t *testing.T) {
	taken, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Listen(taken.Addr().String())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatal(err)
	}
	name, _ := os.ReadFile("/proc/self/comm")
	who, free, _ := strings.Cut(err.Error(), "; ")
	if want := fmt.Sprintf("address already in use by %s (process %d)", strings.TrimSpace(string(name)), os.Getpid()); !strings.HasSuffix(who, want) {
		t.Errorf("%v, want %q in it", err, want)
	}
	other, ok := strings.CutSuffix(free, " is free")
	if !ok {
		t.Fatalf("%v names no other port", err)
	}
	next, err := net.Listen("tcp", other)
	if err != nil {
		t.Fatal(err)
	}
	_ = next.Close() // it was free
}
