package s3fault

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Always is more often than any client tries.
const Always = 1 << 30

// Any is every request.
func Any(*http.Request) bool { return true }

// Reads are the GETs of objects.
func Reads(r *http.Request) bool { return r.Method == http.MethodGet }

// Looks are the HEADs of the objects whose key, in whatever bucket, begins like that.
func Looks(prefix string) Match { return keyed(http.MethodHead, prefix) }

// Writes are the PUTs of the objects whose key, in whatever bucket, begins like that.
func Writes(prefix string) Match { return keyed(http.MethodPut, prefix) }

func keyed(method, prefix string) Match {
	return func(r *http.Request) bool {
		_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		return r.Method == method && strings.HasPrefix(key, prefix)
	}
}

// Error answers with an error of S3's.
func Error(status int, code string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as the test wants it</Message></Error>", code)
	}
}

// Reset breaks the connection instead of answering.
func Reset(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) }

// ResetUpload breaks the connection after so many tenths of the request's body.
func ResetUpload(tenths int64) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength*tenths/10)
		reset(w)
	}
}

// LoseAnswer has the S3 do what it is asked to, and breaks the connection instead of saying so.
func LoseAnswer(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
	s3.ServeHTTP(httptest.NewRecorder(), r)
	reset(w)
}

// Silence takes the request and never answers.
func Silence(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// Delay answers later.
func Delay(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
		select {
		case <-time.After(d):
			s3.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}
}

// ResetAfter breaks the connection after n bytes of the answer's body.
func ResetAfter(n int64) Fault {
	return after(n, func(w http.ResponseWriter, _ *http.Request) { reset(w) })
}

// EndAfter closes it in good order, though more was promised.
func EndAfter(n int64) Fault {
	return after(n, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// StallAfter keeps it open and sends nothing more.
func StallAfter(n int64) Fault {
	return after(n, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// DripAfter goes on with a byte every so often.
func DripAfter(n int64, every time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
		s3.ServeHTTP(&dripping{w, r, n, every}, r)
	}
}

type dripping struct {
	http.ResponseWriter
	r     *http.Request
	left  int64
	every time.Duration
}

func (d *dripping) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil && d.r.Context().Err() == nil {
		piece := max(1, min(d.left, int64(len(p))))
		if d.left == 0 {
			time.Sleep(d.every)
		}
		var n int
		n, err = d.ResponseWriter.Write(p[:piece])
		d.left -= min(d.left, int64(n))
		_ = http.NewResponseController(d.ResponseWriter).Flush()
		p, written = p[n:], written+n
	}
	return written, err
}

// after lets n bytes of a body through, and then ends it as end does.
func after(n int64, end func(http.ResponseWriter, *http.Request)) Fault {
	return func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
		s3.ServeHTTP(&cut{ResponseWriter: w, r: r, left: n, end: end}, r)
	}
}

type cut struct {
	http.ResponseWriter
	r    *http.Request
	left int64
	end  func(http.ResponseWriter, *http.Request)
}

func (c *cut) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.left == 0 && err == nil {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		c.end(c.ResponseWriter, c.r)
		err = net.ErrClosed
	}
	return n, err
}

// reset ends the connection of w with a RST.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if outer, ok := conn.(*tls.Conn); ok {
		conn = outer.NetConn()
	}
	if outer, ok := conn.(*damagedConn); ok {
		conn = outer.Conn
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
	panic(http.ErrAbortHandler)
}
