package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Most tests in this file run in synctest bubbles: the folder is real, the time is not.

func openSpool(t *testing.T, dir string, f Function) (*Spool, *log) {
	t.Helper()
	logged, logger := newLog(t)
	s, err := OpenSpool(SpoolOptions{Dir: dir, DeadLetters: filepath.Join(dir, "dead-letters.jsonl"), Retries: 2, RetryAfter: time.Second, Function: f, Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, logged
}

// runSpool runs s until the function that it returns is called, which then does what a shutdown does.
func runSpool(t *testing.T, s *Spool, f function) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	return sync.OnceFunc(func() {
		cancel()
		if err := f.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-ended
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func add(t *testing.T, s *Spool, payload string) {
	t.Helper()
	if _, err := s.Add("test", []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

// files is what is in a spool, beside its lock.
func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func deadLetters(t *testing.T, dir string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "dead-letters.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range strings.Lines(string(content)) {
		var letter map[string]any
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Logf("no JSON: %s", line)
			continue
		}
		all = append(all, letter)
	}
	return all
}

func TestAnEventIsAFileUntilItHasSucceeded(t *testing.T) {
	dir, f := t.TempDir(), newFunction(t)
	s, _ := openSpool(t, dir, f)
	defer runSpool(t, s, f)()
	add(t, s, `{"key": "<a&b>"}`)
	if n := files(t, dir, "*.json"); len(n) != 1 {
		t.Fatalf("accepted, but there are %v", n)
	}
	payloads, finish := make(chan string, 1), make(chan struct{})
	f.runtime(func(payload string) (string, bool) { payloads <- payload; <-finish; return "", false })
	if got := <-payloads; got != `{"key": "<a&b>"}` {
		t.Errorf("the function got %s", got)
	}
	if n := files(t, dir, "*.json"); len(n) != 1 {
		t.Fatalf("the function runs, but there are %v", n)
	}
	close(finish)
	eventually(t, "removed", func() bool { return len(files(t, dir, "*.*")) == 1 && len(files(t, dir, ".lock")) == 1 })
	eventually(t, "counted", func() bool { waiting, running := s.Len(); return waiting == 0 && running == 0 })
}

func TestRetriesAndThenTheDeadLetters(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t)
		s, logged := openSpool(t, dir, f)
		var attempts []time.Duration
		start := time.Now()
		f.runtime(func(payload string) (string, bool) {
			if payload == `{"good":true}` {
				return "", false
			}
			attempts = append(attempts, time.Since(start))
			return fmt.Sprintf("Broken%d", len(attempts)), true
		})
		stop := runSpool(t, s, f)
		add(t, s, `{"bad":true}`)
		add(t, s, `{"good":true}`)
		time.Sleep(time.Hour)
		stop()

		if want := []time.Duration{0, time.Second, 3 * time.Second}; !slices.Equal(attempts, want) {
			t.Errorf("attempts after %v, want %v", attempts, want)
		}
		letters := deadLetters(t, dir)
		if len(letters) != 1 {
			t.Fatalf("%v", letters)
		}
		l := letters[0]
		if at, err := time.Parse(time.RFC3339, l["time"].(string)); err != nil || !at.Equal(start.Add(3*time.Second)) {
			t.Errorf("time %v", l["time"])
		}
		if l["attempts"] != 3.0 || l["errorType"] != "Broken3" || l["errorMessage"] != "on purpose" || l["source"] != "test" || fmt.Sprint(l["event"]) != "map[bad:true]" {
			t.Errorf("%v", l)
		}
		if n := files(t, dir, "*.json"); len(n) != 0 {
			t.Errorf("left: %v", n)
		}
		if !strings.Contains(logged.String(), "failed too often") {
			t.Error("not logged")
		}
	})
}

func TestATimeoutIsAnAttemptAndTheWaitForARuntimeIsNot(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t)
		s, _ := openSpool(t, dir, f)
		stop := runSpool(t, s, f)
		add(t, s, `{}`)
		time.Sleep(24 * time.Hour)
		if waiting, running := s.Len(); waiting != 1 || running != 0 || len(deadLetters(t, dir)) != 0 {
			t.Errorf("%d wait, %d run, dead letters: %v", waiting, running, deadLetters(t, dir))
		}
		for range 3 {
			f.runtime(func(string) (string, bool) { time.Sleep(2 * f.timeout); return "", false })
		}
		time.Sleep(time.Hour)
		stop()
		if l := deadLetters(t, dir); len(l) != 1 || l[0]["errorType"] != "Sandbox.Timedout" || l[0]["attempts"] != 3.0 {
			t.Errorf("%v", l)
		}
	})
}

func TestAttemptsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		fail := func(string) (string, bool) { attempts++; return "Broken", true }
		f := newFunction(t)
		s, _ := openSpool(t, dir, f)
		stop := runSpool(t, s, f)
		add(t, s, `{"n":1}`)
		f.runtime(fail)
		time.Sleep(1500 * time.Millisecond) // two attempts, the third is to come at 3 s
		stop()
		if attempts != 2 {
			t.Fatalf("%d attempts", attempts)
		}

		f = newFunction(t)
		s, logged := openSpool(t, dir, f)
		if !strings.Contains(logged.String(), "events=1") {
			t.Error("not logged")
		}
		stop = runSpool(t, s, f)
		f.runtime(fail)
		time.Sleep(time.Hour)
		stop()
		if l := deadLetters(t, dir); attempts != 3 || len(l) != 1 || l[0]["attempts"] != 3.0 || fmt.Sprint(l[0]["event"]) != "map[n:1]" {
			t.Errorf("%d attempts, %v", attempts, l)
		}
	})
}

func TestAShutdownIsNoAttempt(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t)
		s, _ := openSpool(t, dir, f)
		stop := runSpool(t, s, f)
		add(t, s, `{}`)
		f.runtime(func(string) (string, bool) { time.Sleep(time.Hour); return "", false })
		synctest.Wait()
		if err := f.Close(); err != nil { // as a second signal would, in mid-invocation
			t.Fatal(err)
		}
		stop()
		s, _ = openSpool(t, dir, newFunction(t))
		if len(s.waiting) != 1 || s.waiting[0].Attempts != 0 {
			t.Errorf("%+v", s.waiting)
		}
		time.Sleep(2 * time.Hour) // the runtime has nobody to answer any more
	})
}

func TestEventsComeOldestFirst(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, _ := openSpool(t, dir, newFunction(t))
		for i := range 20 {
			add(t, s, fmt.Sprint(i))
			time.Sleep(time.Nanosecond)
		}
		s.Close()
		f := newFunction(t)
		s, _ = openSpool(t, dir, f)
		stop := runSpool(t, s, f)
		var got []string
		f.runtime(func(payload string) (string, bool) { got = append(got, payload); return "", false })
		synctest.Wait()
		stop()
		if want := "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"; strings.Join(got, " ") != want {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatIsNoEventIsSetAside(t *testing.T) {
	dir := t.TempDir()
	s, _ := openSpool(t, dir, newFunction(t))
	add(t, s, `{"n":1}`)
	s.Close()
	good := files(t, dir, "*.json")[0]
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	// named like events, and like other things, which are nobody's business: dead letters may be named as one likes
	name := func(n int, suffix string) string { return fmt.Sprintf("%020d-ABC%s", n, suffix) }
	for name, content := range map[string][]byte{
		name(1, ".json"): content[:len(content)/2], name(2, ".json"): nil, name(3, ".json"): []byte("{}"), name(4, ".json"): []byte("\x00\x00\x00"),
		name(5, ".json"): bytes.Replace(content, []byte(`"attempts":0`), []byte(`"attempts":-5`), 1), name(6, ".tmp"): content,
		"dead-letters.jsonl": nil, "dead.json": content, "dead.tmp": content, "notes.txt": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder := name(7, ".json")
	if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second start has nothing to complain about but the folder
		s, logged := openSpool(t, dir, newFunction(t))
		if len(s.waiting) != 1 || s.waiting[0].file != good {
			t.Errorf("%v", s.waiting)
		}
		if !strings.Contains(logged.String(), folder) {
			t.Error("what can't be read is not logged")
		}
		s.Close()
	}
	var names []string
	for _, path := range files(t, dir, "*.*") {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	want := []string{".lock", "dead-letters.jsonl", "dead.json", "dead.tmp", "notes.txt", folder, filepath.Base(good)}
	for n := 1; n <= 5; n++ {
		want = append(want, name(n, ".json.corrupt"))
	}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	s, _ := openSpool(t, dir, newFunction(t))
	if _, err := OpenSpool(s.SpoolOptions); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened twice: %v", err)
	}
}

func TestWhatCanNotBeWrittenIsNotAccepted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s, _ := openSpool(t, dir, newFunction(t))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add("test", []byte(`{}`)); err == nil {
		t.Error("accepted")
	}
	if _, err := s.Add("test", []byte(`{`)); err == nil {
		t.Error("accepted what is no JSON")
	}
	if waiting, _ := s.Len(); waiting != 0 {
		t.Errorf("%d wait", waiting)
	}
}

func TestDeadLettersThatCanNotBeWrittenKeepTheEvent(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t)
		s, logged := openSpool(t, dir, f)
		if err := os.Mkdir(s.DeadLetters, 0o755); err != nil {
			t.Fatal(err)
		}
		stop := runSpool(t, s, f)
		attempts := 0
		f.runtime(func(string) (string, bool) { attempts++; return "Broken", true })
		add(t, s, `{}`)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := files(t, dir, "*.json"); len(n) != 1 || attempts != 3 || !strings.Contains(logged.String(), "could not be added to the dead letters") {
			t.Errorf("%v, %d attempts", n, attempts)
		}
		if err := os.Remove(s.DeadLetters); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if l := deadLetters(t, dir); len(l) != 1 || attempts != 3 || len(files(t, dir, "*.json")) != 0 {
			t.Errorf("%v, %d attempts", l, attempts)
		}
	})
}

func TestADeadLetterThatWasCutShortStaysAlone(t *testing.T) {
	dir := t.TempDir()
	s, _ := openSpool(t, dir, newFunction(t))
	if err := os.WriteFile(s.DeadLetters, []byte("{\"id\":\"1\"}\n{\"id\":\"2"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"3", "4"} {
		if err := s.bury(&event{ID: id, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []any
	for _, letter := range deadLetters(t, dir) {
		ids = append(ids, letter["id"])
	}
	if fmt.Sprint(ids) != "[1 3 4]" {
		t.Errorf("%v", ids)
	}
}
