// Command mutants breaks the code on purpose, one line at a time, and runs the test that must notice. A mutant that survives is
// something that no test asks for.
//
// The files stay as they are: the compiler is given changed ones in their place.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is one change, and the test that must fail with it.
type mutant struct {
	file     string // from the top of the repository
	old, new string // what stands there once, and what is put in its place
	dir, run string // the package of the test, and the pattern of its name
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tries every mutant, or those whose file or change has one of the words.
func run(words []string) error {
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	var failures []string
	tried := 0
	for i, m := range mutants {
		if !m.wanted(words) {
			continue
		}
		tried++
		began := time.Now()
		verdict, err := m.try(filepath.Join(work, fmt.Sprint(i)))
		if err != nil {
			return fmt.Errorf("%s: %q: %w", m.file, m.old, err)
		}
		fmt.Printf("%-9s %4.0f s  %s: %s → %s\n", verdict, time.Since(began).Seconds(), m.file, strings.TrimSpace(m.old), strings.TrimSpace(m.new))
		if verdict != "noticed" {
			failures = append(failures, fmt.Sprintf("%s: %s", m.file, m.old))
		}
	}
	if len(failures) > 0 {
		return fmt.Errorf("%d of %d mutants survived:\n%s", len(failures), tried, strings.Join(failures, "\n"))
	}
	fmt.Printf("%d mutants, each noticed by its test.\n", tried)
	return nil
}

func (m mutant) wanted(words []string) bool {
	for _, word := range words {
		if strings.Contains(m.file+m.old+m.new, word) {
			return true
		}
	}
	return len(words) == 0
}

// try runs the test with the change, in a folder of its own.
func (m mutant) try(work string) (verdict string, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return "", fmt.Errorf("it is there %d times, want once", n)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(work, "changed.go"), filepath.Join(work, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o644); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, data, 0o644); err != nil {
		return "", err
	}
	if output, err := exec.Command("go", "build", "-overlay", overlay, "./"+filepath.Dir(m.file)).CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile: %s", output)
	}
	output, err := exec.Command("go", "test", "-count=1", "-overlay", overlay, "-run", m.run, "./"+m.dir).CombinedOutput()
	switch {
	case strings.Contains(string(output), "no tests to run"):
		return "", fmt.Errorf("there is no test %s in %s", m.run, m.dir)
	case err == nil:
		return "SURVIVED", nil
	default:
		return "noticed", nil
	}
}
