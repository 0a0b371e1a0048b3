// Package s3model stands between a client and an S3 on this machine and makes it behave like S3 inside its region: so
// long to the first byte of an answer, so many bytes a second on each connection. It notes when each request was
// answered, so that whoever is measured is measured from outside and in the same way.
//
// The one idea: an answer's first byte leaves FirstByte after the request's last byte was there, or when the S3 behind
// has answered, if that is later. What the S3 itself takes is hidden in the delay, as it is part of S3's own, and not
// added to it. (A proxy of plain TCP, such as toxiproxy, can only add.)
//
// It models neither TLS nor connection set-up, neither loss nor the spread of S3's latencies.
package s3model

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Model is what is added to the S3 behind. The zero value adds nothing.
type Model struct {
	FirstByte      time.Duration // from the last byte of a request to the first of its answer, at least
	BytesPerSecond float64       // of one connection, each way; 0 is without limit
}

// InRegion is S3 as a function in its region meets it: small objects take 10 to 20 ms or more to their first byte, one
// connection carries up to about 85–90 MB/s (AWS, "Best practices design patterns: optimizing Amazon S3 performance").
var InRegion = Model{FirstByte: 20 * time.Millisecond, BytesPerSecond: 75e6}

// Request is one that was answered.
type Request struct {
	Method, Path string // the path decoded
	Status       int
	Start        time.Time // its header was read
	End          time.Time // its answer was written
}

// Proxy serves an S3 through a model.
type Proxy struct {
	URL string

	model    Model
	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy

	mu       sync.Mutex
	requests []Request
}

// Start serves the S3 at target on a free port of the loopback interface. Close it.
func Start(target string, m Model) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("model an S3: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("model an S3: %w", err)
	}
	p := &Proxy{URL: "http://" + listener.Addr().String(), model: m, listener: listener}
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // it is signed
		},
		// What is signed and what is answered pass unchanged: nothing is compressed on the way.
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve)}
	go func() { _ = p.server.Serve(pacedListener{listener, m.BytesPerSecond}) }()
	return p, nil
}

// Close ends every connection.
func (p *Proxy) Close() {
	_ = p.server.Close()
	p.forward.Transport.(*http.Transport).CloseIdleConnections()
}

// Take returns what was answered since it was last called.
func (p *Proxy) Take() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.requests
	p.requests = nil
	return taken
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	seen := Request{Method: r.Method, Path: r.URL.Path, Start: time.Now()}
	body := &lastByte{ReadCloser: r.Body, at: seen.Start}
	r.Body = body
	answer := &answer{ResponseWriter: w, body: body, delay: p.model.FirstByte}
	p.forward.ServeHTTP(answer, r)
	seen.Status, seen.End = answer.code, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, seen)
}

// lastByte notes when a body's last bytes were read.
type lastByte struct {
	io.ReadCloser
	mu sync.Mutex
	at time.Time
}

func (b *lastByte) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.mu.Lock()
		b.at = time.Now()
		b.mu.Unlock()
	}
	return n, err
}

func (b *lastByte) when() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

// answer holds itself back, and notes its status.
//
// The S3 may answer before the proxy has read that the body is at its end, so what counts is the last byte that came.
type answer struct {
	http.ResponseWriter
	body  *lastByte
	delay time.Duration
	code  int
}

func (a *answer) WriteHeader(code int) {
	if code >= 200 { // the others are on the way to one
		a.code = code
		time.Sleep(time.Until(a.body.when().Add(a.delay)))
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
