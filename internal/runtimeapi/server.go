// Package runtimeapi is the server side of the AWS Lambda Runtime API, version 2018-06-01: the
// HTTP interface from which a function's process fetches invocations and to which it posts the
// answers. A Lambda binary that is started with AWS_LAMBDA_RUNTIME_API pointing at a [Server]
// runs outside AWS exactly as inside.
//
// The one idea: a Server is a queue with invokers on one side and polling runtimes on the other.
// Any number of runtimes may poll it; each invocation goes to exactly one of them, in the order
// in which Invoke was called, and comes back to the queue's head if it could not be written.
//
// It notices when a runtime dies with an invocation, if its http.Server was given to [Server.Watch].
//
// It starts and stops no processes, limits no memory, and serves neither the Extensions API, nor
// the Logs API, nor response streaming (a streamed response is collected and returned whole).
package runtimeapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultFunctionARN is the function that invocations are said to be for.
	DefaultFunctionARN = "arn:aws:lambda:us-east-1:123456789012:function:s3resizer"

	// MaxRequestBytes is Lambda's quota for the payload of a synchronous invocation: 6 MB.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxRequestBytes = 6 * 1024 * 1024

	// MaxResponseBytes is what Lambda accepts as a response: 6 MB and 100 bytes, as its message
	// "exceeded maximum allowed payload size (6291556 bytes)" tells.
	MaxResponseBytes = 6*1024*1024 + 100
)

// Config has a Server's settings. The zero value is usable.
type Config struct {
	// FunctionARN is sent with every invocation; DefaultFunctionARN when empty.
	FunctionARN string

	// TraceID is the X-Ray header value sent with every invocation. When empty, each
	// invocation gets a fresh one that is marked as not sampled.
	TraceID string

	// OnInitError, if not nil, is called for each initialisation error that a runtime reports,
	// from the goroutine that serves the report, before the runtime gets its answer.
	OnInitError func(*FunctionError)
}

// Server hands invocations to the runtimes that poll it. It is an http.Handler; its methods may
// be called from any goroutine.
type Server struct {
	config Config
	mux    *http.ServeMux

	mu       sync.Mutex
	sequence uint64                 // of the newest invocation
	queue    []*invocation          // waiting for a runtime, in sequence
	inflight map[string]*invocation // with a runtime, by request id
	pollers  []chan *invocation     // outstanding /next, longest first; each channel holds one
	initErr  *FunctionError         // reported since a runtime last polled, not yet told to an invoker
	held     map[net.Conn]delivery  // by connections whose end would be their runtime's
	changed  chan struct{}          // closed and replaced when anything above or below changes
	draining bool                   // nothing more is queued
	closed   bool
}

// invocation is one call of Invoke. All but the constant part is guarded by Server.mu; response
// and err may be read once done is closed.
type invocation struct {
	sequence uint64
	id       string
	traceID  string
	payload  []byte
	timeout  time.Duration

	attempt   int       // deliveries begun
	taken     time.Time // by the latest of them
	deadline  time.Time
	ended     time.Time
	timer     *time.Timer
	abandoned bool // the invoker has gone; the answer is accepted and dropped

	done     chan struct{}
	response []byte
	err      error
}

// New returns a Server without runtimes and invocations. Close it to let go of whoever waits.
func New(config Config) *Server {
	config.FunctionARN = cmp.Or(config.FunctionARN, DefaultFunctionARN)
	s := &Server{
		config:   config,
		inflight: make(map[string]*invocation),
		held:     make(map[net.Conn]delivery),
		changed:  make(chan struct{}),
	}
	s.mux = s.routes()
	return s
}

// Invoke hands payload to the next runtime that polls, behind the invocations that already wait,
// and returns the runtime's response. An empty payload is delivered as {}, as Lambda does.
//
// timeout is the function's: it counts from the moment a runtime takes the invocation, and sets
// the deadline that the runtime gets. The wait for a runtime is limited by ctx alone. If ctx
// ends before a runtime has taken the invocation, it is withdrawn and never delivered; if later,
// Invoke returns at once and the runtime's answer is accepted and dropped, as when a client of
// Lambda hangs up.
//
// Errors: *FunctionError when the function reports one, when its response is too large, and when
// a runtime has reported an initialisation error and none is polling; *TimeoutError when there is
// no answer in time; ErrRequestTooLarge, ErrClosed; otherwise ctx's cause, wrapped.
func (s *Server) Invoke(ctx context.Context, payload []byte, timeout time.Duration) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("invoke: %w", context.Cause(ctx))
	}
	call, err := s.Start(payload, timeout)
	if err != nil {
		return nil, err
	}
	return call.Wait(ctx)
}

// Start is the first half of Invoke: when it returns, the invocation has its place, and if a
// runtime was idle, one is no longer. An error means that nothing was queued.
func (s *Server) Start(payload []byte, timeout time.Duration) (*Call, error) {
	if timeout <= 0 {
		return nil, fmt.Errorf("invoke: timeout %v is not positive", timeout)
	}
	if len(payload) > MaxRequestBytes {
		return nil, fmt.Errorf("invoke with %d bytes: %w", len(payload), ErrRequestTooLarge)
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	inv := &invocation{
		id:      newRequestID(),
		traceID: cmp.Or(s.config.TraceID, newTraceID(time.Now())),
		payload: bytes.Clone(payload), // it may still be on its way when an abandoned Wait returns
		timeout: timeout,
		done:    make(chan struct{}),
	}
	if err := s.submit(inv); err != nil {
		return nil, err
	}
	return &Call{s, inv}, nil
}

// Call is an invocation that was started.
type Call struct {
	server *Server
	inv    *invocation
}

// RequestID is what the runtime knows the invocation by.
func (c *Call) RequestID() string { return c.inv.id }

// Wait is the second half of Invoke.
func (c *Call) Wait(ctx context.Context) ([]byte, error) {
	select {
	case <-c.inv.done:
		return c.inv.response, c.inv.err
	case <-ctx.Done():
		c.server.abandon(c.inv)
		return nil, fmt.Errorf("invoke %s: %w", c.inv.id, context.Cause(ctx))
	}
}

// Ran is how long a runtime has, or had, the invocation; 0 if none has taken it.
func (c *Call) Ran() time.Duration {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	switch {
	case c.inv.taken.IsZero():
		return 0
	case c.inv.ended.IsZero():
		return time.Since(c.inv.taken)
	}
	return c.inv.ended.Sub(c.inv.taken)
}

// WaitReady returns nil once a runtime is waiting for an invocation, that is, once a GET
// …/invocation/next is outstanding. It returns a *FunctionError if a runtime reports an
// initialisation error instead, ErrClosed, or ctx's cause.
func (s *Server) WaitReady(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, initErr, closed, changed := len(s.pollers), s.initErr, s.closed, s.changed
		s.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case idle > 0:
			return nil
		case initErr != nil:
			return initErr
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for a runtime: %w", context.Cause(ctx))
		}
	}
}

// WaitIdle waits until a runtime waits for an invocation, whatever others report meanwhile, and
// returns how many do. Its errors are ErrClosed, also when the Server shuts down, and ctx's cause.
func (s *Server) WaitIdle(ctx context.Context) (int, error) {
	for {
		s.mu.Lock()
		idle, stopped, changed := len(s.pollers), s.closed || s.draining, s.changed
		s.mu.Unlock()
		switch {
		case stopped:
			return 0, ErrClosed
		case idle > 0:
			return idle, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for a runtime: %w", context.Cause(ctx))
		}
	}
}

// Running is the number of invocations that runtimes have taken and not answered.
func (s *Server) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inflight)
}

// Idle is the number of runtimes that wait for an invocation now.
func (s *Server) Idle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pollers)
}

// Shutdown ends the invocations that no runtime has taken with ErrClosed, refuses new ones, waits
// until the others are answered or out of time, and closes s. If ctx ends first, it closes s at
// once and returns ctx's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	for _, inv := range s.queue {
		inv.end(nil, ErrClosed)
	}
	s.queue = nil
	s.announce()
	s.mu.Unlock()

	for {
		s.mu.Lock()
		running, changed := len(s.inflight), s.changed
		s.mu.Unlock()
		if running == 0 {
			return s.Close()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			_ = s.Close() // never fails
			return fmt.Errorf("shut down with %d invocations running: %w", running, context.Cause(ctx))
		}
	}
}

// Close ends every outstanding poll with status 500, which tells a runtime to exit, and every
// Invoke and WaitReady with ErrClosed. Call it before http.Server.Shutdown or
// httptest.Server.Close, which wait for outstanding polls. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for _, poller := range s.pollers {
		close(poller)
	}
	for _, inv := range s.inflight {
		inv.timer.Stop()
		inv.end(nil, ErrClosed)
	}
	for _, inv := range s.queue {
		inv.end(nil, ErrClosed)
	}
	s.pollers, s.queue = nil, nil
	clear(s.inflight)
	s.announce()
	return nil
}

// submit puts inv at the end of the queue.
func (s *Server) submit(inv *invocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.draining {
		return ErrClosed
	}
	if s.initErr != nil && len(s.pollers) == 0 {
		// "Error will be served in response to the first invoke": the API's description of /init/error.
		err := s.initErr
		s.initErr = nil
		return err
	}
	s.sequence++
	inv.sequence = s.sequence
	s.enqueue(inv)
	s.dispatch()
	return nil
}

// abandon withdraws inv if no runtime has it.
func (s *Server) abandon(inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv.abandoned = true
	s.queue = slices.DeleteFunc(s.queue, func(other *invocation) bool { return other == inv })
}

// newRequestID returns a random (version 4) UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns an X-Ray tracing header whose root is of the given time.
func newTraceID(now time.Time) string {
	var b [20]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0",
		uint32(now.Unix()), hex.EncodeToString(b[:12]), hex.EncodeToString(b[12:]))
}
