// Package queue brings events to a Lambda function the way that AWS's own services do, with the
// guarantees that they give: [SQS] is Lambda's event source mapping for an SQS queue, and [Spool]
// its queue for asynchronous invocations.
//
// The one idea: an event has one place of safety, the queue or the spool folder, and leaves it
// when the function has succeeded and not before. What dies in between is delivered again, so
// delivery is at least once, and in no order that could be relied on.
//
// It neither listens nor starts anything: cmd/lambda-local does.
package queue

import (
	"context"
	"time"
)

// Function is what the events are for.
type Function interface {
	// WaitIdle waits until at least one runtime is idle and returns how many are. An error means
	// that there will be none any more.
	WaitIdle(ctx context.Context) (int, error)

	// Start takes an idle runtime or, where others were quicker, a place in line for one, before
	// it returns. The function that it returns waits for the answer, without any limit to the
	// wait in line. Its error is runtimeapi.ErrClosed if there will be no answer because of a
	// shutdown; any other is a failed attempt.
	Start(Invocation) (wait func() ([]byte, error))
}

// Invocation is one call of the function.
type Invocation struct {
	Source  string // where the event came from, for the log
	Event   string // its id there
	Attempt int    // from 1
	Payload []byte
}

// pause waits for d and reports whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
