package backfill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"s3resizer/internal/report"
)

// Workers are processes that do one picture at a time each, and a [Resizer]: what one of them dies of, or does not come
// back from, costs that picture alone. They speak in lines of JSON over their standard input and output; see [Serve].
// Close them.
type Workers struct {
	// Command makes a process that serves.
	Command func() *exec.Cmd
	// Limit is how long a picture may take. A worker that can gives it up then; one that does not is killed.
	Limit time.Duration
	// Pace is asked for the requests of all of them.
	Pace *Pace

	mu   sync.Mutex
	idle []*worker
}

// request is a line to a worker. One field is set.
type request struct {
	Object *object `json:"object,omitempty"` // to be resized
	Go     bool    `json:"go,omitempty"`     // a request to S3 may be sent
}

type object struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Limit  int64  `json:"limit"` // milliseconds
}

// reply is a line from a worker. One field is set.
type reply struct {
	Ready     bool           `json:"ready,omitempty"`     // it can work
	Ask       bool           `json:"ask,omitempty"`       // may a request to S3 be sent?
	Throttled bool           `json:"throttled,omitempty"` // S3 asks for fewer of them
	Result    *report.Result `json:"result,omitempty"`    // of the object
	Failure   *Failure       `json:"failure,omitempty"`   // or why there is none
}

// Resize does one object, in a process that has nothing else to do.
func (w *Workers) Resize(ctx context.Context, bucket, key string) (report.Result, error) {
	worker, err := w.take(ctx)
	if err != nil {
		return report.Result{}, err
	}
	reply, err := worker.resize(ctx, object{bucket, key, w.Limit.Milliseconds()}, w.Limit+w.Limit/4+graceTime)
	if err != nil {
		return report.Result{}, err
	}
	w.mu.Lock()
	w.idle = append(w.idle, worker)
	w.mu.Unlock()
	if reply.Failure != nil {
		return report.Result{}, reply.Failure
	}
	return *reply.Result, nil
}

// graceTime is what a worker has beyond a quarter of the limit, to give a picture up by itself.
const graceTime = time.Second

func (w *Workers) take(ctx context.Context) (*worker, error) {
	for {
		w.mu.Lock()
		last := len(w.idle) - 1
		if last < 0 {
			w.mu.Unlock()
			return startWorker(ctx, w.Command(), w.Pace)
		}
		worker := w.idle[last]
		w.idle = w.idle[:last]
		w.mu.Unlock()
		select {
		case <-worker.replies: // nothing was asked: it has ended meanwhile, for want of memory, say, which is not the next picture's fault
			worker.kill()
		default:
			return worker, nil
		}
	}
}

// Close ends the processes that have nothing to do, and waits for them.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, worker := range w.idle {
		worker.close()
	}
	w.idle = nil
}

// startTime is how long a process may take to be ready: a hundred times what it takes.
const startTime = 30 * time.Second

// worker is a process.
type worker struct {
	command *exec.Cmd
	pace    *Pace
	replies chan reply // closed when it has ended
	stderr  opening

	mu    sync.Mutex // of the line to it
	stdin io.WriteCloser
}

// startWorker returns when the process can work. If it can't, that is no picture's fault.
func startWorker(ctx context.Context, command *exec.Cmd, pace *Pace) (*worker, error) {
	w := &worker{command: command, pace: pace, replies: make(chan reply, 1)}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if w.stdin, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	command.Stderr = &w.stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	go w.listen(ctx, stdout)
	select {
	case ready := <-w.replies:
		if !ready.Ready {
			return nil, fmt.Errorf("start a worker: %s", w.ending())
		}
		return w, nil
	case <-time.After(startTime):
		w.kill()
		return nil, fmt.Errorf("start a worker: it is not ready after %v", startTime)
	}
}

// listen reads what the process says until it has ended.
func (w *worker) listen(ctx context.Context, stdout io.Reader) {
	defer close(w.replies)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	decoder := json.NewDecoder(stdout)
	for {
		var r reply
		if err := decoder.Decode(&r); err != nil {
			if !errors.Is(err, io.EOF) { // it does not speak to us: nothing more can be had of it
				_ = w.command.Process.Kill()
			}
			_, _ = io.Copy(io.Discard, stdout)
			_ = w.command.Wait() // ending tells how
			return
		}
		switch {
		case r.Ask:
			go func() {
				if w.pace.Wait(ctx) == nil {
					_ = w.send(request{Go: true}) // one that has ended asks for nothing more
				}
			}()
		case r.Throttled:
			w.pace.Throttled()
		default:
			w.replies <- r
		}
	}
}

func (w *worker) send(r request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return json.NewEncoder(w.stdin).Encode(r)
}

// resize waits for what comes of an object. The error is a [*Failure] and the end of the process.
func (w *worker) resize(ctx context.Context, o object, limit time.Duration) (reply, error) {
	_ = w.send(request{Object: &o}) // if it has ended, that is seen below
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case r, open := <-w.replies:
		if open && (r.Result != nil || r.Failure != nil) {
			return r, nil
		}
		if open {
			w.kill()
			return reply{}, &Failure{Class: report.ClassCrashed, Reason: "the worker answered what it was not asked", Fatal: true}
		}
		if w.interrupted() {
			return reply{}, fmt.Errorf("a worker was ended from outside: %s", w.command.ProcessState)
		}
		return reply{}, &Failure{Class: report.ClassCrashed, Reason: "the worker died of it: " + w.ending(), Fatal: true}
	case <-late.C:
		w.kill()
		return reply{}, &Failure{Class: report.ClassHung, Reason: fmt.Sprintf("it was not done after %v; the worker was killed", limit.Round(time.Millisecond)), Fatal: true}
	case <-ctx.Done():
		w.kill()
		return reply{}, ctx.Err()
	}
}

// interrupted tells whether the process was asked to end, which no picture does.
func (w *worker) interrupted() bool {
	status, ok := w.command.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGHUP)
}

// ending tells how the process ended.
func (w *worker) ending() string {
	for range w.replies { // until it has
	}
	text := w.command.ProcessState.String()
	if last := w.stderr.lines(); last != "" {
		text += ": " + last
	}
	return text
}

func (w *worker) kill() {
	_ = w.command.Process.Kill()
	for range w.replies {
	}
}

// close ends a process that has nothing to do.
func (w *worker) close() {
	_ = w.stdin.Close()
	for range w.replies {
	}
}

// opening keeps the beginning of what is written to it: of a crash, that says what it was.
type opening struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxOpening = 4 << 10

func (t *opening) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p[:min(len(p), maxOpening-t.text.Len())])
	return len(p), nil
}

// lines are the first ones, in one.
func (t *opening) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.FieldsFunc(t.text.String(), func(r rune) bool { return r == '\n' })
	return strings.Join(lines[:min(len(lines), 3)], "; ")
}
