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
	"syscall"

	"s3resizer/s3io"
)

// checkpoint is what a state is in the file.
type checkpoint struct {
	Position    string                 `json:"position"`              // the last key that was read of the source's listing
	Listed      bool                   `json:"listed,omitempty"`      // all of it was, and nothing is pending
	Pending     map[string]s3io.Listed `json:"pending,omitempty"`     // read, and not yet finished
	Begun       map[string]s3io.Listed `json:"begun,omitempty"`       // of those, or behind the position: being resized
	Skip        []string               `json:"skip,omitempty"`        // see state
	Failed      map[string]Outcome     `json:"failed,omitempty"`      // by key
	Quarantined map[string]Outcome     `json:"quarantined,omitempty"` // by key
	Counts      map[Status]Count       `json:"counts"`
}

// line is one of the file; one field is set.
type line struct {
	Job        *Job         `json:"job,omitempty"`
	Checkpoint *checkpoint  `json:"checkpoint,omitempty"`
	Begun      *s3io.Listed `json:"begun,omitempty"`
	Outcome    *Outcome     `json:"outcome,omitempty"`
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
	return checkpoint{Pending: map[string]s3io.Listed{}, Begun: map[string]s3io.Listed{}, Failed: map[string]Outcome{}, Quarantined: map[string]Outcome{}, Counts: map[Status]Count{}}
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
			s.current.Begun = orElse(s.current.Begun, fresh.Begun)
			s.current.Failed = orElse(s.current.Failed, fresh.Failed)
			s.current.Quarantined = orElse(s.current.Quarantined, fresh.Quarantined)
			s.current.Counts = orElse(s.current.Counts, fresh.Counts)
			for _, key := range s.current.Skip {
				s.skip[key] = true
			}
			s.current.Skip = nil
		case l.Begun != nil:
			s.current.Begun[l.Begun.Key] = *l.Begun
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

// apply moves an object to where it belongs, and tells whether it was known.
func (s *state) apply(o Outcome) bool {
	c := &s.current
	_, known := c.Pending[o.Key]
	delete(c.Pending, o.Key)
	delete(c.Begun, o.Key)
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
