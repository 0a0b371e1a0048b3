package runtimeapi

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// enqueue inserts inv by its sequence, so that one that comes back is again ahead of all that
// were submitted after it. The caller holds s.mu.
func (s *Server) enqueue(inv *invocation) {
	at, _ := slices.BinarySearchFunc(s.queue, inv, func(a, b *invocation) int {
		return cmp.Compare(a.sequence, b.sequence)
	})
	s.queue = slices.Insert(s.queue, at, inv)
}

// dispatch matches waiting invocations with waiting runtimes, and starts the clock of those it
// hands over. The caller holds s.mu.
func (s *Server) dispatch() {
	for len(s.queue) > 0 && len(s.pollers) > 0 {
		inv, poller := s.queue[0], s.pollers[0]
		s.queue = slices.Delete(s.queue, 0, 1)
		s.pollers = slices.Delete(s.pollers, 0, 1)

		inv.attempt++
		attempt := inv.attempt
		inv.taken = time.Now()
		inv.deadline = inv.taken.Add(inv.timeout)
		inv.timer = time.AfterFunc(inv.timeout, func() {
			s.expire(inv, attempt, &TimeoutError{RequestID: inv.id, Timeout: inv.timeout})
		})
		s.inflight[inv.id] = inv
		poller <- inv
	}
	s.announce()
}

// announce wakes those that wait for a change. The caller holds s.mu.
func (s *Server) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// take waits for an invocation on behalf of one poll. If ctx ends at the moment in which one is
// handed over, that one is put back.
func (s *Server) take(ctx context.Context) (*invocation, error) {
	poller := make(chan *invocation, 1)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.initErr = nil
	s.pollers = append(s.pollers, poller)
	s.dispatch()
	s.mu.Unlock()

	select {
	case inv, ok := <-poller:
		if !ok {
			return nil, ErrClosed
		}
		return inv, nil
	case <-ctx.Done():
	}

	s.mu.Lock()
	waiting := slices.Index(s.pollers, poller)
	if waiting >= 0 {
		s.pollers = slices.Delete(s.pollers, waiting, waiting+1)
		s.announce()
	}
	s.mu.Unlock()
	if waiting < 0 {
		if inv, ok := <-poller; ok {
			s.putBack(inv)
		}
	}
	return nil, context.Cause(ctx)
}

// putBack returns to the queue an invocation that did not reach the runtime it was handed to,
// unless its invoker has left meanwhile.
func (s *Server) putBack(inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight[inv.id] != inv {
		return
	}
	delete(s.inflight, inv.id)
	inv.timer.Stop()
	inv.taken = time.Time{}
	switch {
	case inv.abandoned:
		s.announce()
	case s.draining:
		inv.end(nil, ErrClosed)
		s.announce()
	default:
		s.enqueue(inv)
		s.dispatch()
	}
}

// running reports whether id is with a runtime whose answer is still awaited.
func (s *Server) running(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inflight[id] != nil
}

// finish ends the invocation with the given id and reports whether its answer was still awaited.
func (s *Server) finish(id string, response []byte, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := s.inflight[id]
	if inv == nil {
		return false
	}
	delete(s.inflight, id)
	inv.timer.Stop()
	inv.end(response, err)
	s.announce()
	return true
}

// expire ends inv with err because its time is up, unless the delivery that the clock was started
// for has been answered or undone.
func (s *Server) expire(inv *invocation, attempt int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight[inv.id] != inv || inv.attempt != attempt {
		return
	}
	delete(s.inflight, inv.id)
	inv.end(nil, err)
	s.announce()
}

// failStart keeps an initialisation error for the invocation that the runtime would have served:
// the first in the queue, or else the next to be submitted. Where another runtime is alive, that
// one serves it.
func (s *Server) failStart(err *FunctionError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.pollers) > 0 || len(s.inflight) > 0:
		return
	case len(s.queue) > 0:
		s.queue[0].end(nil, err)
		s.queue = slices.Delete(s.queue, 0, 1)
	default:
		s.initErr = err
	}
	s.announce()
}

// end gives the invoker its result. The caller holds Server.mu and has taken the invocation out
// of the queue or the flight, so that it is called once.
func (inv *invocation) end(response []byte, err error) {
	inv.response, inv.err, inv.ended = response, err, time.Now()
	close(inv.done)
}
