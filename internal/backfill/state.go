package backfill

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

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

// begin makes the state that of a run. One that was interrupted goes on; after one that came to the end of the listing
// another one starts. What failed is tried again first, and after a run for all that is then the whole of it; so is what
// is quarantined, if that is asked for.
func (s *state) begin(retryQuarantined bool) ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.current
	// What was being resized when a run was killed may have been spoiled by it, behind a record that somebody else has written
	// meanwhile.
	for key, listed := range c.Begun {
		c.Pending[key] = listed
		if key > c.Position {
			s.skip[key] = true
		}
	}
	var first []Item
	for key, listed := range c.Pending {
		_, begun := c.Begun[key]
		first = append(first, Item{Listed: listed, Again: begun})
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

// start notes that an object is about to be resized.
func (s *state) start(object s3io.Listed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Begun[object.Key] = object
	return s.append(line{Begun: &object})
}

// finish notes what came of an object.
func (s *state) finish(o Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(o)
	return s.append(line{Outcome: &o})
}

// append writes a line, or after many of them a checkpoint.
func (s *state) append(l line) error {
	if s.file == nil {
		return nil
	}
	if s.fresh++; s.fresh >= maxFresh {
		return s.write()
	}
	data, err := encode(l)
	if err == nil {
		_, err = s.file.Write(data)
	}
	if err != nil {
		s.fresh = maxFresh // nothing may stand behind half a line: the next one is of a new file
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

// maxFresh is how many lines may follow a checkpoint.
const maxFresh = 1000

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

func (s *state) counts() map[Status]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.current.Counts)
}
