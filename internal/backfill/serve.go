package backfill

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Serve is the other side of [Workers]: it does one object after the other, as they come in, and returns when nothing more
// can come because the process that it works for has ended. It is not waited for a picture then: what the process does
// next should be to end.
//
// Start makes the handler; all its requests to S3 must ask the pace, and so the process that it works for.
func Serve(ctx context.Context, in io.Reader, out io.Writer, start func(s3io.Pace) (*handler.Handler, error)) error {
	s := &server{out: json.NewEncoder(out), granted: make(chan struct{}, 1000), objects: make(chan object)}
	h, err := start(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for o := range s.objects {
			s.say(answer(ctx, h, o))
		}
	}()
	s.say(reply{Ready: true})
	defer close(s.objects)
	decoder := json.NewDecoder(bufio.NewReader(in))
	for {
		var r request
		if err := decoder.Decode(&r); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if r.Go {
			s.granted <- struct{}{}
		}
		if r.Object != nil {
			s.objects <- *r.Object
		}
	}
}

// server is a process's line to the one that it works for, and its pace.
type server struct {
	granted chan struct{}
	objects chan object

	mu  sync.Mutex
	out *json.Encoder
}

func (s *server) say(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.Encode(r) // if nobody listens any more, the next Decode ends it
}

// Wait asks for a request to be sent. What is granted to one may be taken by another: it is as many.
func (s *server) Wait(ctx context.Context) error {
	s.say(reply{Ask: true})
	select {
	case <-s.granted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Throttled passes it on.
func (s *server) Throttled() { s.say(reply{Throttled: true}) }

// answer does one object, in the time that there is.
func answer(ctx context.Context, h *handler.Handler, o object) reply {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.Limit)*time.Millisecond)
	defer cancel()
	event, err := json.Marshal(map[string]string{"bucket": o.Bucket, "key": o.Key})
	if err != nil {
		return reply{Failure: &Failure{Class: report.ClassInternal, Reason: err.Error()}}
	}
	answer, err := h.Handle(ctx, event)
	if err != nil {
		failure := FailureOf(err)
		return reply{Failure: &failure}
	}
	return reply{Result: &answer.Results[0]}
}
