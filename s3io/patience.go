package s3io

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// answerTimeout bounds every step of a request: to connect, to take its next bytes (32 KiB, or less), to begin the
	// answer. S3 itself says "503 Slow Down" long before.
	answerTimeout = 10 * time.Second
	// stallTime is how long an answer's body is waited for before it must have brought leastBytes. A connection that
	// breaks is noticed at once; one that goes quiet, or drips, would be waited for until the function's time is up.
	stallTime = 5 * time.Second
	// leastBytes make 16 KiB a second. S3 brings five thousand times as much within its region; at this rate one range
	// takes 8.5 minutes, over half of the longest time that Lambda gives: a new connection is the better bet.
	leastBytes = int64(stallTime/time.Second) * 16 << 10
)

var (
	errNoAnswer = fmt.Errorf("for %v the server neither took the request's next bytes nor answered", answerTimeout)
	errSlow     = fmt.Errorf("less than %d KiB in %v of waiting", leastBytes>>10, stallTime)
)

// patient is an HTTP client whose requests, and whose answers' bodies, don't wait for ever. A transport's own timeouts
// leave gaps where both ends are alive and nothing moves: while a request is written, and while a body is read.
type patient struct {
	s3.HTTPClient
	pace Pace // or nil
}

func (p patient) Do(r *http.Request) (*http.Response, error) {
	if p.pace != nil {
		if err := p.pace.Wait(r.Context()); err != nil {
			return nil, err
		}
	}
	ctx, stop := context.WithCancelCause(r.Context())
	r = r.WithContext(ctx)
	step := time.AfterFunc(answerTimeout, func() { stop(errNoAnswer) })
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sent{r.Body, step}
	}
	response, err := p.HTTPClient.Do(r)
	step.Stop()
	if err != nil {
		err = causeOf(ctx, err)
		stop(nil)
		return nil, err
	}
	if p.pace != nil && (response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests) {
		p.pace.Throttled()
	}
	response.Body = &watched{ReadCloser: response.Body, ctx: ctx, stop: stop}
	return response, nil
}

// causeOf is why ctx ended, if it did: that is what an error of what it ended stands for.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// sent is a request's body. The transport reads the next bytes once the last ones are on their way: a step forward. (If
// the server answers before it has them all, the transport may read on; what then ends is an answer that was read.)
type sent struct {
	io.ReadCloser
	step *time.Timer
}

func (s *sent) Read(p []byte) (int, error) {
	s.step.Reset(answerTimeout)
	return s.ReadCloser.Read(p)
}

// watched is an answer's body, which ends with errSlow if it brings less than leastBytes in stallTime. What counts is the
// time spent in Read, where it is the other side that is waited for; between two calls it is the reader that is busy.
type watched struct {
	io.ReadCloser
	ctx  context.Context
	stop context.CancelCauseFunc // of the request

	waited  time.Duration // since the last time that it was found fast enough
	brought int64         // bytes, meanwhile
}

func (w *watched) Read(p []byte) (int, error) {
	if w.waited >= stallTime && w.brought >= leastBytes {
		w.waited, w.brought = 0, 0
	}
	left := stallTime
	if w.brought < leastBytes {
		left -= w.waited
	}
	begun := time.Now()
	slow := time.AfterFunc(left, func() { w.stop(errSlow) })
	n, err := w.ReadCloser.Read(p)
	slow.Stop()
	w.waited += time.Since(begun)
	w.brought += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = causeOf(w.ctx, err)
	}
	return n, err
}

func (w *watched) Close() error {
	defer w.stop(nil)
	return w.ReadCloser.Close()
}
