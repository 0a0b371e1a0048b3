package localguard

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Listen is net.Listen for TCP. If another process has the port, the error says which, as far as that can be told, and
// which port near it is free.
func Listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	host, port, _ := net.SplitHostPort(addr)
	number, numeric := strconv.Atoi(port)
	if numeric != nil {
		return nil, err
	}
	if owner := ownerOf(number); owner != "" {
		err = fmt.Errorf("%w by %s", err, owner)
	}
	for next := number + 1; next <= min(number+20, 65535); next++ {
		other := net.JoinHostPort(host, strconv.Itoa(next))
		if listener, failed := net.Listen("tcp", other); failed == nil {
			_ = listener.Close() // it was to see whether it could be had
			return nil, fmt.Errorf("%w; %s is free", err, other)
		}
	}
	return nil, err
}

// ownerOf names the process that listens on a port: "python3 (process 1234)". Linux tells it of the user's own processes, and
// of any to root; elsewhere it is "".
func ownerOf(port int) string {
	for inode := range listeners(port) {
		descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, descriptor := range descriptors {
			if target, err := os.Readlink(descriptor); err != nil || target != "socket:["+inode+"]" {
				continue
			}
			process := strings.Split(descriptor, "/")[2]
			name, err := os.ReadFile("/proc/" + process + "/comm")
			if err == nil {
				return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), process)
			}
		}
	}
	return ""
}

// listeners are the inodes of the sockets that listen on a port:
// https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
func listeners(port int) map[string]bool {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table) // there is none but on Linux
		for line := range strings.Lines(string(text)) {
			const local, state, inode, listening = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listening && strings.HasSuffix(fields[local], fmt.Sprintf(":%04X", port)) {
				inodes[fields[inode]] = true
			}
		}
	}
	return inodes
}
