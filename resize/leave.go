package resize

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// C code can't be stopped. libvips, where it is told to, stops between two rows; a color profile that takes a minute a row, or an
// encoder, goes on. So all work is done in a goroutine of its own. When ctx ends, it gets a moment to notice, and is then left
// behind: what it holds stays its own, and it closes that if it ever ends. What is the caller's it does not touch any more.

// ErrLeftBehind is wrapped by an error of [Open] or [Source.Render], beside that of the context, if work did not stop when the
// context ended. It goes on, and takes a processor and memory until it ends by itself.
var ErrLeftBehind = errors.New("the decoder, or an encoder, did not stop and was left behind")

// notice is how long work gets to notice that its context has ended.
const notice = 100 * time.Millisecond

var leftBehind atomic.Int64

// LeftBehind returns how many pictures are being worked on though nobody waits for them any more.
func LeftBehind() int { return int(leftBehind.Load()) }

// caller is whom a picture is read and rendered for.
type caller struct {
	mu   sync.RWMutex // held for reading while something of the caller's is used
	gone bool
}

// with calls f, which uses what is the caller's, unless that has returned.
func (c *caller) with(f func() error) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone {
		return ErrLeftBehind
	}
	return f()
}

func (c *caller) isGone() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.gone
}

// leave returns what work returns. If that does not return when ctx ends, late gets its result whenever it does.
func leave[T any](ctx context.Context, c *caller, work func() (T, error), late func(T)) (result T, err error) {
	ended := make(chan struct{})
	var made T
	var failed error
	go func() {
		defer close(ended)
		made, failed = work()
	}()
	select {
	case <-ended:
		return made, failed
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return made, failed
	case <-time.After(notice):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-ended:
		return made, failed
	default:
	}
	c.gone = true
	leftBehind.Add(1)
	go func() {
		<-ended
		late(made)
		leftBehind.Add(-1)
	}()
	return result, fmt.Errorf("%w: %w", ErrLeftBehind, context.Cause(ctx))
}
