package queue

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"s3resizer/internal/runtimeapi"
)

// MaxEventBytes is Lambda's quota for the payload of an asynchronous invocation: 1 MB.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEventBytes = 1024 * 1024

// buryAgainAfter is when the dead letters are tried again, after they could not be written.
const buryAgainAfter = 10 * time.Second

// SpoolOptions are all needed.
type SpoolOptions struct {
	Dir         string        // made if it is missing; one process at a time uses it
	DeadLetters string        // file to which lines of JSON are appended
	Retries     int           // after the first attempt
	RetryAfter  time.Duration // before the first retry, doubling
	Function    Function
	Log         *slog.Logger
}

// Spool holds asynchronous invocations: events that were accepted and whose sender waits for
// nothing more. Each is a file in a folder from before it was accepted until the function has
// succeeded, or has failed at it too often; then it becomes a line in the file of dead letters.
//
// An attempt counts when it has failed. One that a shutdown or a crash of this process cut short
// does not, and the wait for a runtime is none.
type Spool struct {
	SpoolOptions
	lock *os.File
	wake chan struct{} // holds one: waiting has changed

	mu      sync.Mutex
	waiting []*event // by due, then by file
	running int
}

// event is one file of the spool. Its file is named by time and id, so that names sort by age.
type event struct {
	ID           string          `json:"id"`
	Source       string          `json:"source"`
	Received     time.Time       `json:"received"`
	Attempts     int             `json:"attempts"` // that have failed
	ErrorType    string          `json:"errorType,omitempty"`
	ErrorMessage string          `json:"errorMessage,omitempty"`
	Payload      json.RawMessage `json:"event"`

	file string
	due  time.Time
}

// deadLetter is one line of the dead letters.
type deadLetter struct {
	Time time.Time `json:"time"`
	*event
}

// OpenSpool opens the folder and reads the events that a former process has left in it. A file
// that is no event is set aside under another name.
func OpenSpool(o SpoolOptions) (*Spool, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the spool folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(o.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the spool folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { // ends with the process
		lock.Close()
		return nil, fmt.Errorf("lock the spool folder %s, which another process may be using: %w", o.Dir, err)
	}
	s := &Spool{SpoolOptions: o, lock: lock, wake: make(chan struct{}, 1)}
	if err := s.load(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("read the spool folder: %w", err)
	}
	return s, nil
}

// Close lets go of the folder. Call it when Run has returned.
func (s *Spool) Close() error { return s.lock.Close() }

// eventFile is how the file of an event is named: nothing else in the folder is touched.
var eventFile = regexp.MustCompile(`^\d{20}-[A-Z2-7]+\.(json|tmp)$`)

func (s *Spool) load() error {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(s.Dir, entry.Name())
		switch {
		case !eventFile.MatchString(entry.Name()):
		case strings.HasSuffix(entry.Name(), ".tmp"): // never accepted, or an older form of a file that is there
			if err := os.Remove(path); err != nil {
				return err
			}
		default:
			content, err := os.ReadFile(path)
			if err != nil {
				s.Log.Error("a file in the spool can't be read, and stays there", "error", err.Error())
				continue
			}
			e := &event{file: path, due: time.Now()}
			if err := json.Unmarshal(content, e); err != nil || e.ID == "" || len(e.Payload) == 0 || e.Attempts < 0 {
				s.Log.Error("a file in the spool is no event; setting it aside", "file", path, "as", path+".corrupt", "error", cmp.Or(err, errors.New("its fields make no sense")).Error())
				if err := os.Rename(path, path+".corrupt"); err != nil {
					return err
				}
				continue
			}
			s.enqueue(e)
		}
	}
	if len(s.waiting) > 0 {
		s.Log.Info("events are left from before", "events", len(s.waiting), "spool", s.Dir)
	}
	return nil
}

// Add accepts an event, which must be JSON: when it returns an id, the event will reach the
// function, even if this process dies at once.
func (s *Spool) Add(source string, payload []byte) (id string, err error) {
	now := time.Now()
	e := &event{ID: rand.Text(), Source: source, Received: now, Payload: payload, due: now}
	e.file = filepath.Join(s.Dir, fmt.Sprintf("%020d-%s.json", now.UnixNano(), e.ID))
	if err := e.write(); err != nil {
		return "", fmt.Errorf("spool an event: %w", err)
	}
	s.enqueue(e)
	return e.ID, nil
}

// Len is how many events wait, for a runtime or for their next attempt, and how many are with one.
func (s *Spool) Len() (waiting, running int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting), s.running
}

// Run gives the events to the function as runtimes become idle, until ctx ends, and returns when
// what it has started has been answered.
func (s *Spool) Run(ctx context.Context) {
	var invocations sync.WaitGroup
	defer invocations.Wait()
	for s.awaitDue(ctx) {
		if _, err := s.Function.WaitIdle(ctx); err != nil {
			return
		}
		e := s.dequeue()
		if e.Attempts > s.Retries { // what could not be buried then
			s.settle(e, nil)
			continue
		}
		wait := s.Function.Start(Invocation{Source: e.Source, Event: e.ID, Attempt: e.Attempts + 1, Payload: e.Payload})
		invocations.Go(func() {
			_, err := wait()
			s.settle(e, err)
		})
	}
}

// awaitDue waits until the first event is due. It returns false when ctx ends.
func (s *Spool) awaitDue(ctx context.Context) bool {
	for ctx.Err() == nil {
		s.mu.Lock()
		left := time.Hour
		if len(s.waiting) > 0 {
			left = time.Until(s.waiting[0].due)
		}
		s.mu.Unlock()
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-s.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return false
}

func (s *Spool) enqueue(e *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := slices.BinarySearchFunc(s.waiting, e, func(a, b *event) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.file, b.file))
	})
	s.waiting = slices.Insert(s.waiting, at, e)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Spool) dequeue() *event {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.waiting[0]
	s.waiting = slices.Delete(s.waiting, 0, 1)
	s.running++
	return e
}

// settle does what has to be done after an attempt at e: nothing is forgotten before something
// else remembers it.
func (s *Spool) settle(e *event, err error) {
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	switch {
	case errors.Is(err, runtimeapi.ErrClosed): // it keeps its file, for the next process
		return
	case err != nil:
		e.Attempts++
		e.ErrorType, e.ErrorMessage = "", err.Error()
		if failure, ok := runtimeapi.Report(err); ok {
			e.ErrorType, e.ErrorMessage = failure.Type, failure.Message
		}
		e.due = time.Now().Add(s.RetryAfter << min(e.Attempts-1, 10))
		if err := e.write(); err != nil {
			s.Log.Error("the spool does not take the count of attempts", "event", e.ID, "attempts", e.Attempts, "error", err.Error())
		}
	}
	if e.Attempts > s.Retries {
		err = s.bury(e)
		if err != nil {
			s.Log.Error("an event that failed too often could not be added to the dead letters; trying again", "event", e.ID, "error", err.Error())
			e.due = time.Now().Add(buryAgainAfter)
		}
	}
	if err != nil {
		s.enqueue(e)
		return
	}
	if err := os.Remove(e.file); err != nil {
		s.Log.Error("an event that is done with stays in the spool, and will come again", "file", e.file, "error", err.Error())
	}
}

// bury appends e to the dead letters.
func (s *Spool) bury(e *event) error {
	line, err := encode(deadLetter{time.Now(), e})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.DeadLetters, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	// A line that a crash or a full disk has cut short must not swallow this one.
	last := []byte{'\n'}
	if end, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	} else if end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	s.Log.Error("an event has failed too often", "event", e.ID, "source", e.Source, "attempts", e.Attempts, "errorType", e.ErrorType, "deadLetters", s.DeadLetters)
	return nil
}

// write puts e into its file: after it, a crash of the machine leaves the new content, before it
// the old one, or none.
func (e *event) write() error {
	content, err := encode(e)
	if err != nil {
		return err
	}
	temporary := strings.TrimSuffix(e.file, ".json") + ".tmp"
	if err := writeSynced(temporary, content); err != nil {
		_ = os.Remove(temporary) // or else at the next start
		return err
	}
	if err := os.Rename(temporary, e.file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(e.file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func writeSynced(path string, content []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
