package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a child that is measured from outside, so that every side is measured with the same means.
type process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed when it has ended
}

// command says how a side is started. The environment is whole: nothing of the harness's own gets in.
type command struct {
	path string
	args []string
	env  []string
	core string // the core that it is pinned to, or ""
}

func (c command) build() *exec.Cmd {
	if c.core != "" {
		return exec.Command("taskset", append([]string{"--cpu-list", c.core, c.path}, c.args...)...)
	}
	return exec.Command(c.path, c.args...)
}

// start runs a command. What it prints is kept for the error message, unless stdout is taken by the caller.
func start(c command, stdin io.Reader, stdout io.Writer) (*process, error) {
	p := &process{cmd: c.build(), output: &tail{}, done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.env, stdin, stdout, p.output
	if stdout == nil {
		p.cmd.Stdout = p.output
	}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop ends the process.
func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// cpu is the user and system time of all threads that the process has and has had.
func (p *process) cpu() (time.Duration, error) {
	t, err := cpuClock(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("read the CPU clock of %s: %w; it printed:\n%s", p.cmd.Path, err, p.output)
	}
	return t, nil
}

// peakMB is the most memory that the process has held at once, in megabytes (of 10⁶ bytes).
func (p *process) peakMB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("%s has ended; it printed:\n%s", p.cmd.Path, p.output)
}

// once runs a command to its end, its output to /dev/null, and returns the CPU and wall time that it took.
func once(ctx context.Context, path string, args ...string) (cpu, wall time.Duration, err error) {
	cmd := exec.CommandContext(ctx, path, args...)
	output := &tail{}
	cmd.Stderr = output
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", path, err, output)
	}
	wall = time.Since(began)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept.Write(p)
	if extra := t.kept.Len() - most; extra > 0 {
		t.kept.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}
