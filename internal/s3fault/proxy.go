// Package s3fault stands between a client and an S3, and lets a test choose which requests go wrong, and how.
//
// The one idea: a fault is a handler with the S3 behind it. It may answer in the S3's place, spoil what the S3 answers,
// or break the connection, on the wire, where neither the client nor the S3 can tell it from a network's own.
package s3fault

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Fault serves one request, with the S3 at hand.
type Fault func(w http.ResponseWriter, r *http.Request, s3 http.Handler)

// Match tells which requests a fault is for.
type Match func(r *http.Request) bool

// Proxy is an S3 whose faults are chosen. A request that no rule is for passes unchanged.
type Proxy struct {
	URL string

	forward *httputil.ReverseProxy
	server  *httptest.Server
	trusts  *x509.CertPool
	damage  atomic.Int64 // see Damage

	hits atomic.Int64

	mu    sync.Mutex
	rules []*rule
}

type rule struct {
	match Match
	times int
	fault Fault
}

// Start serves the S3 at the URL target until the test ends.
func Start(t testing.TB, target string) *Proxy {
	p := build(t, target)
	p.server.Start()
	p.URL = p.server.URL
	return p
}

// StartTLS is Start with a certificate, for 127.0.0.1, of an authority that nobody but TrustedBy trusts.
func StartTLS(t testing.TB, target string) *Proxy {
	p := build(t, target)
	p.server.Listener = damaging{p.server.Listener, p}
	p.server.StartTLS()
	p.URL = p.server.URL
	p.trusts = x509.NewCertPool()
	p.trusts.AddCert(p.server.Certificate())
	return p
}

func build(t testing.TB, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	p := &Proxy{forward: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // it is signed
		},
		Transport: transport,
		// What the client broke off can't be told to it.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	p.server = httptest.NewUnstartedServer(p)
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that were to fail
	t.Cleanup(func() {
		p.Stop()
		p.server.Close()
		transport.CloseIdleConnections()
	})
	return p
}

// TrustedBy is for a transport's TLSClientConfig.
func (p *Proxy) TrustedBy() *tls.Config { return &tls.Config{RootCAs: p.trusts} }

// Inject lets the next times requests that match go wrong, behind the rules that are there already.
func (p *Proxy) Inject(times int, match Match, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, &rule{match, times, fault})
}

// Hits is how many requests, or connections, have gone wrong.
func (p *Proxy) Hits() int { return int(p.hits.Load()) }

// Stop breaks every connection, and refuses new ones.
func (p *Proxy) Stop() {
	_ = p.server.Listener.Close()
	p.server.CloseClientConnections()
}

// Damage flips a bit of what is sent over the first connection that brings n bytes from now on: TLS finds the record forged.
func (p *Proxy) Damage(n int64) { p.damage.Store(n) }

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := p.choose(r); fault != nil {
		fault(w, r, p.forward)
		return
	}
	p.forward.ServeHTTP(w, r)
}

func (p *Proxy) choose(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rule := range p.rules {
		if rule.times > 0 && rule.match(r) {
			rule.times--
			p.hits.Add(1)
			return rule.fault
		}
	}
	return nil
}

// damaging makes connections that damage what they send.
type damaging struct {
	net.Listener
	p *Proxy
}

func (d damaging) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &damagedConn{Conn: conn, p: d.p}, nil
}

type damagedConn struct {
	net.Conn
	p    *Proxy
	sent int64
}

func (c *damagedConn) Write(p []byte) (int, error) {
	before := c.sent
	c.sent += int64(len(p))
	if at := c.p.damage.Load(); before < at && at <= c.sent && c.p.damage.CompareAndSwap(at, 0) {
		p = append([]byte(nil), p...)
		p[at-before-1] ^= 1
		c.p.hits.Add(1)
	}
	return c.Conn.Write(p)
}
