// Package devserver is an S3 endpoint inside the process that tells of uploads
// the way AWS does, for `s3resizer demo`, `s3resizer dev` and tests:
//
//	s3, err := devserver.New(devserver.Options{
//		Buckets:   []string{"photos", "photos-resized"},
//		Notify:    []string{"photos"},
//		OnEvent: func(e events.S3Event) { … },
//	})
//	url, err := s3.Listen()
//	go s3.Serve()
//	defer s3.Shutdown(ctx)
//
// The one idea: the back end says that an object was created, not the shape of
// the request. Whatever stores an object notes its key, size and ETag in the
// request's context at the moment it takes its place; when the request has been
// answered with success, that note becomes an S3 event record. So copies,
// multipart uploads and form posts are told of exactly once, parts and refused
// uploads never, and the record holds what was stored rather than what was sent.
// So it is with removals, but for those of single versions.
//
// A page may live beside the buckets (Options.Page), of one origin with them.
//
// It is for one machine and its developer: it answers only requests that name
// it by a loopback name or by the address it listens on, and no web page of
// another origin. It is not durable (nothing is fsynced), has one account, and
// offers of S3 what gofakes3 does: no policies, no ACLs, no lifecycle.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rclone/gofakes3"

	"s3resizer/internal/localguard"
)

// backend is a store of buckets and objects that calls note for every object it
// creates or removes.
type backend interface {
	gofakes3.Backend
	io.Closer
}

// S3 is the endpoint, an http.Handler. Path-style requests only.
type S3 struct {
	addr      string
	guard     guard
	notifier  *notifier
	page      http.Handler                 // or nil
	onNoEvent func(*http.Request, Refusal) // or nil
	store     backend
	server    *http.Server

	mu       sync.Mutex
	listener net.Listener
	closed   bool
	requests sync.WaitGroup
}

// New returns an endpoint that is ready to serve, by itself (Listen, Serve) or
// under another server as an http.Handler.
func New(o Options) (*S3, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	store, err := openBackend(o)
	if err != nil {
		return nil, err
	}
	if err := createBuckets(store, o.Buckets); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s := &S3{
		addr:      o.Addr,
		guard:     newGuard(o),
		notifier:  newNotifier(o, newAPI(o, store)),
		page:      o.Page,
		onNoEvent: o.OnNoEvent,
		store:     store,
	}
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

func openBackend(o Options) (backend, error) {
	if o.Dir == "" {
		return newMemory(), nil
	}
	return openStore(o.Dir, o.Log)
}

func createBuckets(store backend, names []string) error {
	for _, name := range names {
		err := store.CreateBucket(context.Background(), name)
		if err != nil && !gofakes3.HasErrorCode(err, gofakes3.ErrBucketAlreadyExists) {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return nil
}

func newAPI(o Options, store gofakes3.Backend) http.Handler {
	options := []gofakes3.Option{
		gofakes3.WithLogger(logger{o.Log}),
		gofakes3.WithRequestID(uint64(time.Now().UnixNano())), // it counts up: events of different processes are told apart
	}
	if o.AccessKey != "" {
		options = append(options, gofakes3.WithV4Auth(map[string]string{o.AccessKey: o.SecretKey}))
	}
	return gofakes3.New(store, options...).Server()
}

// logger hands what gofakes3 says to slog; its Info is a line for every step
// of every request.
type logger struct{ log *slog.Logger }

func (l logger) Print(level gofakes3.LogLevel, v ...any) {
	at := slog.LevelDebug
	switch level {
	case gofakes3.LogErr:
		at = slog.LevelError
	case gofakes3.LogWarn: // of requests that are refused
		at = slog.LevelInfo
	}
	if l.log.Enabled(context.Background(), at) {
		l.log.Log(context.Background(), at, fmt.Sprint(v...))
	}
}

// ServeHTTP answers one S3 request, or one of the page's.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &response{ResponseWriter: w}
	if refused := s.guard.check(r); refused != nil {
		refused.reply(answer, r)
		s.aside(r, answer)
		return
	}
	switch {
	case s.page == nil:
	case strings.HasPrefix(r.URL.Path, PagePath):
		s.page.ServeHTTP(w, r) // not counted as a request: it may last as long as a tab is open
		return
	case fromAddressBar(r):
		http.Redirect(w, r, PagePath, http.StatusFound)
		return
	}
	if !s.enter() {
		shuttingDown.reply(w, r)
		return
	}
	defer s.requests.Done()

	if s.page != nil {
		// Objects are of the page's origin: one that is opened in the browser must not act in the page's name.
		w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	s.notifier.serve(answer, r)
	answer.finish()
	s.aside(r, answer)
}

func (s *S3) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.requests.Add(1)
	return true
}

// Listen binds Options.Addr and returns the endpoint's URL. Requests are
// answered once Serve runs.
func (s *S3) Listen() (url string, err error) {
	listener, err := localguard.Listen(s.addr)
	if err != nil {
		return "", fmt.Errorf("listen for S3 requests: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		return "", errors.Join(errors.New("listen for S3 requests: done before"), listener.Close())
	}
	s.listener = listener
	return "http://" + reachable(s.addr, listener.Addr()), nil
}

// reachable is the host:port by which this machine reaches a listener that was
// asked for as addr: by the name that was asked for, or by loopback where it
// listens on every address.
func reachable(addr string, bound net.Addr) string {
	host, _, _ := net.SplitHostPort(addr)
	_, port, _ := net.SplitHostPort(bound.String())
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Serve answers requests until Shutdown, and returns nil then.
func (s *S3) Serve() error {
	s.mu.Lock()
	listener := s.listener
	s.mu.Unlock()
	if listener == nil {
		return errors.New("serve S3: Listen comes first")
	}
	if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve S3 on %s: %w", listener.Addr(), err)
	}
	return nil
}

// Shutdown ends the endpoint without losing an accepted upload. From its start,
// writes to buckets that notify are refused (503); everything else is answered
// until OnEvent has returned for every upload accepted before, because what
// OnEvent calls will itself read and write here. Then all requests are
// refused, those under way are waited for, and Dir is unlocked.
//
// When ctx is over first, Shutdown cuts the connections it serves and returns
// ctx's error; OnEvent may still be running then, and Dir stays locked.
func (s *S3) Shutdown(ctx context.Context) error {
	err := wait(ctx, s.notifier.drain())

	s.mu.Lock()
	s.closed = true
	listener := s.listener
	s.mu.Unlock()
	if err == nil {
		err = wait(ctx, &s.requests)
	}
	// With no request under way, Close cuts none. (http.Server.Shutdown would wait five seconds for a connection that a
	// client has opened in reserve.) When ctx is over first, it cuts what is left.
	_ = s.server.Close()
	if listener != nil {
		_ = listener.Close() // open still if Serve never ran
	}
	if err != nil {
		return fmt.Errorf("shut down S3: %w", err)
	}
	if err := s.store.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("shut down S3: %w", err)
	}
	return nil
}

// wait waits for the group, but no longer than ctx.
func wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
