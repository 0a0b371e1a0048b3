package runtimeapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// How the death of a runtime differs from a client's way with connections.
//
// A process that dies closes its connections at once, and the one over which it took its
// invocation is the only sign of life that there is between the poll and the answer. But a client
// may close that connection in good health: curl does so as soon as it has read the response, and
// every pool of connections does so to one that was idle for too long (Java and Node after 5 s,
// .NET after 60, Go after 90). On the wire that is the same FIN. Ending the invocation of a
// runtime that lives is worse than noticing a death late: its answer would be refused, which most
// runtimes take for fatal.
//
// Neither the history of a connection nor a pause before its end tells the two apart for certain;
// to know the client does. So this goes by its User-Agent: aws-lambda-go keeps the connection in a
// pool of its own, up to the 90 s of http.DefaultTransport. Whatever does not call itself so, and
// whatever has been idle for longer, has the timeout alone. (With AWS_LAMBDA_MAX_CONCURRENCY
// above 2, that pool is too small for its process, and must not be watched.)
const (
	watchedClient = "aws-lambda-go/"
	watchedFor    = 85 * time.Second

	// exitGrace is for an answer that was sent on another connection, or is being read still.
	exitGrace = time.Second
)

// delivery is one handing over of an invocation.
type delivery struct {
	id      string
	attempt int
}

type connectionKey struct{}

// Watch makes web, which is to serve s, tell s of its connections, so that the invocation of a
// runtime that dies ends at once, with a *FunctionError of type Runtime.ExitError, as in Lambda.
// Without Watch, and for other runtimes than aws-lambda-go's, it ends by its timeout. Call Watch
// before web serves; it replaces the hooks ConnContext and ConnState.
func (s *Server) Watch(web *http.Server) {
	web.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	web.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			s.lose(c)
		}
	}
}

// hold notes over which connection inv was delivered, if its end would mean something. It is
// called while the request is served, and thus before the connection can be seen to close.
func (s *Server) hold(r *http.Request, inv *invocation, attempt int) {
	c, ok := r.Context().Value(connectionKey{}).(net.Conn)
	if !ok || !strings.HasPrefix(r.UserAgent(), watchedClient) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[c] = delivery{inv.id, attempt}
}

// lose gives the invocation that was delivered over c, if it has not been answered, no more than
// exitGrace.
func (s *Server) lose(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.held[c]
	delete(s.held, c)
	inv := s.inflight[d.id]
	if !ok || inv == nil || inv.attempt != d.attempt || time.Since(inv.taken) > watchedFor || !inv.timer.Stop() {
		return
	}
	left := time.Until(inv.deadline)
	if left <= exitGrace {
		inv.timer.Reset(left)
		return
	}
	inv.timer = time.AfterFunc(exitGrace, func() {
		s.expire(inv, d.attempt, &FunctionError{
			RequestID: inv.id,
			Type:      "Runtime.ExitError",
			Message:   fmt.Sprintf("RequestId: %s Error: Runtime exited without providing a reason", inv.id),
		})
	})
}
