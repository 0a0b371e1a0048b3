package backfill

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// state is what is left of a job: where the listing of the source is, and which of the objects before that place are not
// done. It lives in memory and, if the job has a file for it, there too, so that a run may die at any moment.
//
// The file is lines of JSON: the job; a checkpoint, which is all of the above; and then an outcome for each picture that
// was worked on since. Every few seconds, and every thousand outcomes, a new file with a new checkpoint takes its place.
// So neither grows with the number of objects, but with what is being worked on and what has failed.
//
// What a killed run forgets is what it did not write: the pictures in its workers, and what it read of the listing since
// the checkpoint, which the next run reads again, leaving out what has an outcome.
type state struct {
	job  Job
	path string   // or ""
	file *os.File // locked; nil without a path, and for those who only look

	mu      sync.Mutex
	fresh   int             // outcomes since the checkpoint
	skip    map[string]bool // keys behind the position that are finished (by a run that was killed), or tried again first
	current checkpoint
}

// checkpoint is what a state is in the file.
type checkpoint struct {
	Position    string                 `json:"position"`              // the last key that was read of the source's listing
	Listed      bool                   `json:"listed,omitempty"`      // all of it was, and nothing is pending
	Pending     map[string]s3io.Listed `json:"pending,omitempty"`     // read, and not yet finished
	Skip        []string               `json:"skip,omitempty"`        // see state
	Failed      map[string]Outcome     `json:"failed,omitempty"`      // by key
	Quarantined map[string]Outcome     `json:"quarantined,omitempty"` // by key
	Counts      map[Status]Count       `json:"counts"`
}

// Outcome is what came of an object.
type Outcome struct {
	Key    string       `json:"key"`
	Bytes  int64        `json:"bytes"` // of the object
	Status Status       `json:"status"`
	Class  report.Class `json:"class,omitempty"`  // of what was rejected, failed or quarantined
	Reason string       `json:"reason,omitempty"` // for people
}

// Status says what came of an object.
type Status string

// Statuses that only a backfill has. The others are the report's.
const (
	Complete    Status = "complete"    // there is a complete set already, or nothing that this job is to do
	Failed      Status = "failed"      // something was in the way that the picture is not to blame for
	Quarantined Status = "quarantined" // a worker died of it, or had to be killed
)

// Count is a number of objects and their bytes.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

func (c Count) plus(objects, bytes int64) Count { return Count{c.Objects + objects, c.Bytes + bytes} }

// line is one of the file; one field is set.
type line struct {
	Job        *Job        `json:"job,omitempty"`
	Checkpoint *checkpoint `json:"checkpoint,omitempty"`
	Outcome    *Outcome    `json:"outcome,omitempty"`
}

// openState reads the state of a job, if there is one. Path may be empty. Whoever only looks leaves the file as it is.
func openState(path string, job Job, look bool) (*state, error) {
	s := &state{job: job, path: path, skip: map[string]bool{}, current: newCheckpoint()}
	if path == "" {
		return s, nil
	}
	file, err := openLocked(path, look)
	if err != nil {
		if look && errors.Is(err, os.ErrNotExist) {
			return s, nil
		}
		return nil, err
	}
	if err := s.replay(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if look {
		return s, file.Close()
	}
	s.file = file
	return s, nil
}

func newCheckpoint() checkpoint {
	return checkpoint{Pending: map[string]s3io.Listed{}, Failed: map[string]Outcome{}, Quarantined: map[string]Outcome{}, Counts: map[Status]Count{}}
}

// openLocked opens the file, which one run at a time may use. A run may be about to replace the file while it is being
// opened, so that the lock is on one that is there no more.
func openLocked(path string, look bool) (*os.File, error) {
	if look {
		return os.Open(path)
	}
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		if err := lock(file); err != nil {
			return nil, errors.Join(fmt.Errorf("the state %s is in use by another run: %w", path, err), file.Close())
		}
		opened, err1 := file.Stat()
		if err1 == nil && !opened.Mode().IsRegular() { // /dev/null, say, in whose place a file would be put
			return nil, errors.Join(fmt.Errorf("%s %w", path, errNotAState), file.Close())
		}
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(opened, there) {
			return file, nil
		}
		_ = file.Close() // nothing was written
	}
}

func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// errNotAState is for a file that was written by somebody else: it is left alone.
var errNotAState = errors.New("is not a state file of s3resizer backfill; name another one")

func (s *state) replay(file io.Reader) error {
	reader := bufio.NewReader(file)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err == io.EOF { // what is behind the last end of a line was being written when the run was killed
			if number == 1 && len(bytes.TrimSpace(text)) > 0 && !bytes.HasPrefix(text, []byte(`{"job":`)) {
				return fmt.Errorf("%s %w", s.path, errNotAState)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the state: %w", err)
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil || number == 1 && l.Job == nil {
			return fmt.Errorf("%s, line %d: %w", s.path, number, errNotAState)
		}
		switch {
		case l.Job != nil:
			if difference := l.Job.differs(s.job); difference != "" {
				return &OtherJobError{s.path, difference}
			}
		case l.Checkpoint != nil:
			fresh := newCheckpoint()
			s.current = *l.Checkpoint
			s.current.Pending = orElse(s.current.Pending, fresh.Pending)
			s.current.Failed = orElse(s.current.Failed, fresh.Failed)
			s.current.Quarantined = orElse(s.current.Quarantined, fresh.Quarantined)
			s.current.Counts = orElse(s.current.Counts, fresh.Counts)
			for _, key := range s.current.Skip {
				s.skip[key] = true
			}
			s.current.Skip = nil
		case l.Outcome != nil:
			if !s.apply(*l.Outcome) {
				s.skip[l.Outcome.Key] = true
			}
		}
	}
}

func orElse[K comparable, V any](m, other map[K]V) map[K]V {
	if m == nil {
		return other
	}
	return m
}

// OtherJobError says that the state is of another job.
type OtherJobError struct {
	Path, Difference string
}

func (e *OtherJobError) Error() string {
	return fmt.Sprintf("the state %s is of another job: %s; finish that one as it was begun, or name another file with --state", e.Path, e.Difference)
}

// begin makes the state that of a run. One that was interrupted goes on; after one that came to the end of the listing
// another one starts. What failed is tried again first, and after a run for all that is then the whole of it; so is what
// is quarantined, if that is asked for.
func (s *state) begin(retryQuarantined bool) ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.current
	var first []Item
	for _, listed := range c.Pending {
		first = append(first, Item{Listed: listed})
	}
	again := maps.Clone(c.Failed)
	if retryQuarantined {
		maps.Copy(again, c.Quarantined)
	}
	for _, o := range again {
		first = append(first, Item{Listed: s3io.Listed{Key: o.Key, Size: o.Bytes}, Again: true})
	}
	if c.Listed {
		c.Counts = map[Status]Count{Failed: sum(c.Failed), Quarantined: sum(c.Quarantined)}
		if s.job.Only != All || len(again) == 0 {
			c.Listed, c.Position = false, ""
		}
	}
	for key := range again {
		if !c.Listed && key > c.Position {
			s.skip[key] = true // when the listing comes to it
		}
	}
	slices.SortFunc(first, func(a, b Item) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return first, s.write()
}

func sum(outcomes map[string]Outcome) Count {
	var c Count
	for _, o := range outcomes {
		c = c.plus(1, o.Bytes)
	}
	return c
}

// read notes that an object was read of the source's listing, and tells whether it is to be looked at.
func (s *state) read(object s3io.Listed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.current
	c.Position = object.Key
	if s.skip[object.Key] {
		delete(s.skip, object.Key)
		return false
	}
	_, failed := c.Failed[object.Key]
	_, quarantined := c.Quarantined[object.Key]
	if failed || quarantined {
		return false
	}
	c.Pending[object.Key] = object
	return true
}

// pass notes that there is nothing to do for an object. That is not worth a line: the next run sees it as well.
func (s *state) pass(object s3io.Listed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(Outcome{Key: object.Key, Bytes: object.Size, Status: Complete})
}

// finish notes what came of an object.
func (s *state) finish(o Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(o)
	if s.file == nil {
		return nil
	}
	if s.fresh++; s.fresh >= maxFresh {
		return s.write()
	}
	data, err := encode(line{Outcome: &o})
	if err == nil {
		_, err = s.file.Write(data)
	}
	if err != nil {
		s.fresh = maxFresh // nothing may stand behind half a line: the next one is of a new file
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

// maxFresh is how many outcomes may follow a checkpoint.
const maxFresh = 1000

// apply moves an object to where it belongs, and tells whether it was known.
func (s *state) apply(o Outcome) bool {
	c := &s.current
	_, known := c.Pending[o.Key]
	delete(c.Pending, o.Key)
	for status, kept := range map[Status]map[string]Outcome{Failed: c.Failed, Quarantined: c.Quarantined} {
		if before, again := kept[o.Key]; again {
			known = true
			delete(kept, o.Key)
			c.Counts[status] = c.Counts[status].plus(-1, -before.Bytes)
		}
		if o.Status == status {
			kept[o.Key] = o
		}
	}
	c.Counts[o.Status] = c.Counts[o.Status].plus(1, o.Bytes)
	return known
}

// checkpoint brings the file up to date.
func (s *state) checkpoint() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write()
}

// end is for when a run is over, and tells how far it came.
func (s *state) end(whole bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if whole && len(s.current.Pending) == 0 {
		s.current.Listed = true
		clear(s.skip)
	}
	if s.file == nil {
		return nil
	}
	err := s.write()
	return errors.Join(err, s.file.Close())
}

func (s *state) write() error {
	if s.file == nil {
		return nil
	}
	if err := s.replace(); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	s.fresh = 0
	return nil
}

// replace puts a new file in the place of the one there is; there always is a whole one.
func (s *state) replace() error {
	c := s.current
	c.Skip = slices.Sorted(maps.Keys(s.skip))
	job, err := encode(line{Job: &s.job})
	if err != nil {
		return err
	}
	data, err := encode(line{Checkpoint: &c})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(job, data...))
	err = errors.Join(err, file.Sync(), lock(file))
	if err == nil {
		err = os.Rename(file.Name(), s.path)
	}
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	_ = s.file.Close() // it is no file's any more
	s.file = file
	return nil
}

func encode(l line) ([]byte, error) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(l)
	return data.Bytes(), err
}

// Job is what a state is the state of.
type Job struct {
	Bucket      string    `json:"bucket"`
	Prefix      string    `json:"prefix"`
	Destination string    `json:"destination"` // bucket
	Settings    string    `json:"settings"`    // their fingerprint
	Only        Only      `json:"only"`
	Since       time.Time `json:"since,omitzero"` // objects that were last modified before are left out
}

// Only says which objects a job is about.
type Only string

// What a job is about: [Missing] or [Stale] alone, both, or everything.
const (
	MissingAndStale Only = "missing and stale"
	Missing         Only = "missing" // those that have no commit record
	Stale           Only = "stale"   // those whose record is of an older upload, or of other settings
	All             Only = "all"     // done again whatever is there
)

// differs says in what, or is "".
func (j Job) differs(other Job) string {
	where := func(j Job) string { return "s3://" + j.Bucket + "/" + j.Prefix + " to s3://" + j.Destination }
	switch {
	case where(j) != where(other):
		return fmt.Sprintf("from %s, this one is from %s", where(j), where(other))
	case j.Settings != other.Settings:
		return fmt.Sprintf("its RESIZE_ settings have the fingerprint %s, this one's have %s", j.Settings, other.Settings)
	case j.Only != other.Only:
		return fmt.Sprintf("it is for %s, this one for %s", j.Only, other.Only)
	case !j.Since.Equal(other.Since):
		return fmt.Sprintf("it is for what was modified since %v, this one since %v", j.Since, other.Since)
	default:
		return ""
	}
}

func (s *state) counts() map[Status]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.current.Counts)
}
