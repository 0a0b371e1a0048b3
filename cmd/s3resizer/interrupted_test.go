package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/s3fault"
)

// children are the worker processes of a backfill.
func children(t *testing.T, of int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", of))
	if err != nil || len(tasks) == 0 {
		t.Errorf("who its children are is told by Linux alone: %v", err)
	}
	var pids []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Error(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// meanwhile runs a process to its end, and do once the moment has come.
func meanwhile(t *testing.T, command *exec.Cmd, moment <-chan struct{}, do func(pid int)) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = command.Wait()
	}()
	select {
	case <-moment:
		do(command.Process.Pid)
	case <-over:
		t.Error("it ended before that")
	}
	<-over
	return ended{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// A worker dies, or stops for ever, while it holds a picture: only that one is lost, and it is not tried again.
func TestBackfillQuarantinesWhatAWorkerDiesOf(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		class  string
		args   []string
	}{
		"dies":  {syscall.SIGKILL, "crashed", nil},
		"hangs": {syscall.SIGSTOP, "hung", []string{"--time-limit", "3s"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucketful(t)
			for i := range 6 {
				b.upload(t, fmt.Sprintf("%d.jpg", i), jpegOf(t, 60, 40))
			}
			b.upload(t, "2-poison.jpg", jpegOf(t, 60, 40))
			opened := make(chan struct{})
			b.proxy.Inject(1, func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == "/photos/2-poison.jpg" },
				func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
					close(opened)
					<-r.Context().Done()
				})
			args := append([]string{"--only", "all", "--jobs", "1", "--state", "state", "--failures", "failed.csv", "s3://photos"}, test.args...)
			e := meanwhile(t, process(t, shipped, b.dir, b.env, append([]string{"backfill"}, args...)...), opened, func(pid int) {
				for _, worker := range children(t, pid) {
					_ = syscall.Kill(worker, test.signal)
				}
			})
			e.want(t, 1, "0 failed and 1 quarantined", "failed.csv")
			wantLine(t, e.stdout, `^ +resized +6 `)
			wantLine(t, e.stdout, `^ +quarantined +1 `)
			if rows := b.failures(t); len(rows) != 2 || !slices.Equal(rows[1][1:5], []string{"quarantined", test.class, "photos", "2-poison.jpg"}) {
				t.Errorf("%q", rows)
			}

			b.reads()
			b.run(t, args...).want(t, 1, "1 quarantined")
			if reads := b.reads(); len(reads) != 6 || reads["2-poison.jpg"] > 0 {
				t.Errorf("the next run read %v", reads)
			}
			b.run(t, append(args, "--retry-quarantined")...).want(t, 0)
			b.wantSet(t, "2-poison.jpg")
		})
	}
}

// Ctrl-C goes to the workers as well, as it does on a terminal.
func TestBackfillInterrupted(t *testing.T) {
	b := newBucketful(t)
	const n = 30
	for i := range n {
		b.upload(t, fmt.Sprintf("%02d.jpg", i), jpegOf(t, 60, 40))
	}
	var reads atomic.Int32
	tenth := make(chan struct{})
	b.proxy.Inject(s3fault.Always, func(r *http.Request) bool { return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".jpg") },
		func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
			if reads.Add(1) == 10 {
				close(tenth)
			}
			s3fault.Delay(50*time.Millisecond)(w, r, s3)
		})
	args := []string{"--only", "all", "--jobs", "2", "--state", "state", "s3://photos"}
	command := b.process(t, args...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	e := meanwhile(t, command, tenth, func(pid int) { _ = syscall.Kill(-pid, syscall.SIGINT) })
	e.want(t, 130, "interrupted: the same command goes on from here")
	wantLine(t, e.stdout, `^ +resized +1\d `)
	e = b.run(t, args...)
	e.want(t, 0)
	wantLine(t, e.stdout, fmt.Sprintf(`^ +resized +%d `, n))
	for key, times := range b.reads() {
		if times != 1 {
			t.Errorf("%s was read %d times", key, times)
		}
	}
}

func TestBackfillInterruptedTwiceEndsAtOnce(t *testing.T) {
	b := newBucketful(t)
	b.upload(t, "a.jpg", jpegOf(t, 60, 40))
	opened := make(chan struct{})
	b.proxy.Inject(1, func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == "/photos/a.jpg" }, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		close(opened)
		<-r.Context().Done()
	})
	command := b.process(t, "s3://photos")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	<-opened
	workers := children(t, command.Process.Pid)
	_ = command.Process.Signal(os.Interrupt)
	said, _ := bufio.NewReader(output).ReadString('\n')
	if !strings.Contains(said, "Ctrl-C once more") {
		t.Errorf("after Ctrl-C it says %q", said)
	}
	again := time.Now()
	_ = command.Process.Signal(os.Interrupt)
	if err := command.Wait(); err == nil || time.Since(again) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(again), err)
	}
	for _, pid := range workers {
		for gone := time.Now().Add(5 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(gone) {
				t.Errorf("the worker %d lives on", pid)
				break
			}
		}
	}
}

// Killed (SIGKILL) at random moments and started again, a job misses nothing, and repeats no more than what its workers
// held. This is the short form; TORTURE makes it 50 kills.
func TestBackfillKilledAtAnyMoment(t *testing.T) {
	kills, seed := 6, uint64(1)
	if os.Getenv("TORTURE") != "" {
		kills = 50
	}
	random := rand.New(rand.NewPCG(seed, 0))
	b := newBucketful(t)
	const n, jobs = 150, 2
	data := jpegOf(t, 60, 40)
	for i := range n {
		b.upload(t, fmt.Sprintf("%03d.jpg", i), data)
		if i%10 == 0 {
			b.upload(t, fmt.Sprintf("%03d.jpg-again", i), data) // its record comes before the other one's
		}
	}
	const all = n + n/10
	args := []string{"--only", "all", "--jobs", fmt.Sprint(jobs), "--state", "state", "s3://photos"}
	killed, rounds, repeated := 0, 0, 0
	for ; killed < kills; rounds++ {
		b.reads()
		_ = os.Remove(filepath.Join(b.dir, "state"))
		inRound := 0
		for ended := false; !ended; {
			command := process(t, shipped, b.dir, b.env, append([]string{"backfill"}, args...)...)
			var stdout, stderr bytes.Buffer
			command.Stdout, command.Stderr = &stdout, &stderr
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- command.Wait() }()
			after := time.Duration(random.IntN(1500)) * time.Millisecond
			if killed >= kills {
				after = limit
			}
			select {
			case err := <-done:
				if ended = err == nil; !ended {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				wantLine(t, stdout.String(), fmt.Sprintf(`^ +resized +%d `, all))
			case <-time.After(after):
				_ = command.Process.Kill()
				<-done
				killed++
				inRound++
				state, _ := os.ReadFile(filepath.Join(b.dir, "state"))
				ended = bytes.Contains(state, []byte(`"listed":true`)) // it was done, and about to say so
			}
		}
		reads := b.reads()
		more := 0
		for _, times := range reads {
			more += times - 1
		}
		repeated += more
		if len(reads) != all || more > inRound*jobs {
			t.Errorf("%d of %d pictures were read, %d of them again, after %d kills with %d at a time", len(reads), all, more, inRound, jobs)
		}
	}
	for i := range n {
		b.wantSet(t, fmt.Sprintf("%03d.jpg", i))
	}
	t.Logf("%d kills, seed %d, in %d jobs of %d pictures, %d at a time: none was missed, %d were begun twice", killed, seed, rounds, all, jobs, repeated)
}
