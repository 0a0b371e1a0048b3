// Command stamp prints the time, in nanoseconds since 1970, and becomes the program that its arguments name: so that a
// start inside a container can be timed from the moment at which that program is executed.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		environ := os.Environ()
		fmt.Println(time.Now().UnixNano())
		err = syscall.Exec(path, os.Args[1:], environ)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
