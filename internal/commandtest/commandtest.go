// Package commandtest lets the tests of a command run the command itself, built for them, and look at what it is made of.
package commandtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Main is for TestMain: build may put programs into a folder, which is there until the tests have run. It returns the
// exit code.
func Main(m *testing.M, build func(dir string) error) int {
	dir, err := os.MkdirTemp("", "command-test-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }() // the system's own cleaning finds what stays
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Build builds the command in the current folder, where its tests run, as dir/name, and returns its path. environ is
// added to the environment.
func Build(dir, name string, environ []string, flags ...string) (string, error) {
	path := filepath.Join(dir, name)
	args := append([]string{"build", "-o", path}, flags...)
	command := exec.Command("go", append(args, ".")...)
	command.Env = append(os.Environ(), environ...)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return path, nil
}

// WantNoneOf checks that the command in the current folder, built with the environment and flags given, depends on no
// package whose path ends with one of banned, nor on any below such a one.
func WantNoneOf(t *testing.T, environ, flags, banned []string) {
	t.Helper()
	list := exec.Command("go", append(append([]string{"list", "-deps"}, flags...), ".")...)
	list.Env = append(os.Environ(), environ...)
	dependencies, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dependency := range strings.SplitSeq(string(dependencies), "\n") {
		for _, path := range banned {
			if strings.HasSuffix(dependency, path) || strings.Contains(dependency, path+"/") {
				t.Errorf("it depends on %s", dependency)
			}
		}
	}
}
