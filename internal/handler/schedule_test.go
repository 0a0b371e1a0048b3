package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// execution is one delivery of an event, at work in a handler of its own whose every call to the store waits to be let
// through. Between two calls that are let through it is at rest, so that what happens is decided by the order of those
// alone, and can be played again.
type execution struct {
	delivery
	name    string
	pace    int  // how often its turn comes, against others
	nap     int  // when so many calls were let through, it sleeps until all else is done; 0 for never
	passed  int  // calls let through
	spared  bool // S3 has refused to remove something, because it had been replaced
	alone   bool // nobody else has been at work since it began
	store   handler.Store
	calls   chan *call
	done    chan ending
	dead    chan struct{} // closed when it is killed
	pending []*call       // what it waits for; several while an attempt begins, and while renditions are written
	records bool          // the settings ask for records
	last    *call         // the last one that was let through
	held    []func()      // answers that are given with the last of those that are pending
	end     *ending
}

// call is one call to the store that waits.
type call struct {
	op, bucket, key string
	of              string // the ETag of the upload that a put is of
	refused         bool   // a removal, of what had been replaced
	effect          func() error
	answer          chan error
}

func (c *call) String() string { return c.op + " " + c.key }

// rendition tells whether the call writes one. The handler writes those of a picture all at once.
func (c *call) rendition() bool { return c.op == "put" && !strings.HasSuffix(c.key, ".json") }

// ending is what a handler returned.
type ending struct {
	answer report.Report
	err    error
}

// execute starts to handle a delivery.
func execute(t testing.TB, d delivery, name string, store handler.Store, s config.Settings) *execution {
	e := &execution{delivery: d, name: name, store: store, records: s.Record, calls: make(chan *call), done: make(chan ending, 1), dead: make(chan struct{})}
	h := newHandler(t, e, s, slog.New(slog.DiscardHandler))
	go func() {
		answer, err := h.Handle(context.Background(), json.RawMessage(d.event))
		e.done <- ending{answer, err}
	}()
	return e
}

func (e *execution) asleep() bool { return e.nap > 0 && e.passed >= e.nap }

var errKilled = errors.New("killed")

// ask waits until the call is let through.
func (e *execution) ask(c *call, effect func() error) error {
	c.effect, c.answer = effect, make(chan error, 1)
	select {
	case e.calls <- c:
	case <-e.dead:
		return errKilled
	}
	select {
	case err := <-c.answer:
		return err
	case <-e.dead:
		return errKilled
	}
}

func (e *execution) Open(ctx context.Context, bucket, key string) (o *s3io.Object, err error) {
	err = e.ask(&call{op: "open", bucket: bucket, key: key}, func() (err error) { o, err = e.store.Open(ctx, bucket, key); return err })
	var cut *cutError
	if errors.As(err, &cut) {
		o.ReadCloser = broken(o, cut.error)
		return o, nil
	}
	return o, err
}

func (e *execution) Head(ctx context.Context, bucket, key string) (info s3io.Info, err error) {
	err = e.ask(&call{op: "head", bucket: bucket, key: key}, func() (err error) { info, err = e.store.Head(ctx, bucket, key); return err })
	return info, err
}

func (e *execution) Tags(context.Context, string, string) (string, error) { panic("not asked for") }

func (e *execution) Put(ctx context.Context, u s3io.Upload) (etag string, err error) {
	err = e.ask(&call{op: "put", bucket: u.Bucket, key: u.Key, of: u.Metadata["s3resizer-source-etag"]}, func() (err error) { etag, err = e.store.Put(ctx, u); return err })
	return etag, err
}

func (e *execution) Delete(ctx context.Context, bucket, key, etag string) error {
	c := &call{op: "delete", bucket: bucket, key: key}
	return e.ask(c, func() error {
		err := e.store.Delete(ctx, bucket, key, etag)
		c.refused = s3io.ClassOf(err) == s3io.Changed
		e.spared = e.spared || c.refused
		return err
	})
}

// cutError is the answer to an open whose body is to break off.
type cutError struct{ error }

// rest waits until the execution has made all the calls that it makes before one is answered, or has ended.
func (e *execution) rest() error {
	for want := 1; len(e.pending) < want && e.end == nil; {
		select {
		case c := <-e.calls:
			e.pending = append(e.pending, c)
			switch {
			case c.rendition():
				want = len(renditionSizes)
			case e.begins(c):
				want = 2
			}
		case end := <-e.done:
			e.end = &end
		case <-time.After(time.Minute):
			return fmt.Errorf("%s waits for something else than the store; calls: %v", e.name, e.pending)
		}
	}
	slices.SortFunc(e.pending, func(a, b *call) int { return strings.Compare(a.String(), b.String()) })
	return nil
}

// begins reports whether the call is one of the two with which an attempt begins, of which neither waits for the other: those
// for the source and for the record. They are answered together, though each sees what there is at its own time.
func (e *execution) begins(c *call) bool {
	first := e.last == nil || e.last.op == "head" && e.last.bucket == "photos" || e.last.op == "put" && !e.last.rendition() || e.last.refused
	return e.records && first && (c.op == "open" && c.bucket == "photos" || c.op == "head" && strings.HasPrefix(c.key, naming.Records))
}

// fate is what becomes of a call.
type fate string

const (
	passes     fate = ""
	fails      fate = "fails"               // nothing was done
	lost       fate = "the answer is lost"  // of a put or delete that was done
	cut        fate = "the body breaks off" // of an open
	killed     fate = "killed before"       // neither this call nor any after it
	killedLate fate = "killed with it done" // this put or delete, and nothing after it
)

// let lets the i-th of the pending calls through, to its fate.
func (e *execution) let(i int, f fate) error {
	c := e.pending[i]
	e.pending = slices.Delete(e.pending, i, i+1)
	e.passed++
	together := e.begins(c)
	if len(e.pending) == 0 || !together {
		e.last = c
	}
	answer := func(err error) {
		e.held = append(e.held, func() { c.answer <- err })
		if !together || len(e.pending) == 0 {
			for _, give := range e.held {
				give()
			}
			e.held = nil
		}
	}
	fault := &s3io.Error{Class: s3io.Transient, Op: c.op, Bucket: c.bucket, Key: c.key, Err: errors.New("connection reset")}
	switch f {
	case passes:
		answer(c.effect())
	case fails:
		answer(fault)
	case lost:
		_ = c.effect() // whatever it was
		answer(fault)
	case cut:
		err := c.effect()
		if err == nil {
			err = &cutError{fault}
		}
		answer(err)
	case killed, killedLate:
		if f == killedLate {
			_ = c.effect()
		}
		e.kill()
		return nil
	}
	if len(e.pending) > 0 {
		return nil
	}
	return e.rest()
}

// kill ends an execution where it stands: not one more call of it gets through, and nobody hears what it would have said.
func (e *execution) kill() {
	close(e.dead)
	<-e.done
	e.pending, e.end = nil, &ending{err: errKilled}
}

// direct is a store that calls the embedded S3 without a network, a client or signatures between: a thousand
// interleavings are some fifty thousand calls, which would take a minute.
type direct struct {
	server  http.Handler
	careful bool // it looks at the ETag before it removes an object
}

func (d direct) do(op, bucket, key string, header http.Header, body []byte) (*http.Response, error) {
	method := map[string]string{"open": http.MethodGet, "head": http.MethodHead, "put": http.MethodPut, "delete": http.MethodDelete}[op]
	r := httptest.NewRequest(method, "http://127.0.0.1/"+bucket+"/"+key, bytes.NewReader(body))
	maps.Copy(r.Header, header)
	answer := httptest.NewRecorder()
	d.server.ServeHTTP(answer, r)
	switch {
	case answer.Code == http.StatusNotFound:
		return nil, &s3io.Error{Class: s3io.NotFound, Op: op, Bucket: bucket, Key: key, Err: errors.New("no such key")}
	case answer.Code == http.StatusPreconditionFailed:
		return nil, &s3io.Error{Class: s3io.Changed, Op: op, Bucket: bucket, Key: key, Err: errors.New("precondition failed")}
	case answer.Code >= 300:
		return nil, fmt.Errorf("%s %s: %d %s", op, key, answer.Code, answer.Body)
	}
	return answer.Result(), nil
}

func (d direct) Open(_ context.Context, bucket, key string) (*s3io.Object, error) {
	answer, err := d.do("open", bucket, key, nil, nil)
	if err != nil {
		return nil, err
	}
	return &s3io.Object{Info: info(bucket, key, answer), ReadCloser: answer.Body}, nil
}

func (d direct) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	answer, err := d.do("head", bucket, key, nil, nil)
	if err != nil {
		return s3io.Info{}, err
	}
	return info(bucket, key, answer), nil
}

func (d direct) Put(_ context.Context, u s3io.Upload) (etag string, err error) {
	header := http.Header{"Content-Type": {u.ContentType}, "Content-Length": {strconv.Itoa(len(u.Data))}}
	for name, value := range u.Metadata {
		header.Set("X-Amz-Meta-"+name, value)
	}
	switch {
	case !d.careful || u.Replaces == "":
	case u.Replaces == s3io.Nothing:
		header.Set("If-None-Match", "*")
	default:
		header.Set("If-Match", `"`+u.Replaces+`"`)
	}
	answer, err := d.do("put", u.Bucket, u.Key, header, u.Data)
	if s3io.ClassOf(err) == s3io.NotFound && u.Replaces != "" {
		return "", &s3io.Error{Class: s3io.Changed, Op: "put", Bucket: u.Bucket, Key: u.Key, Err: err}
	}
	if err != nil {
		return "", err
	}
	return etagOf(answer), nil
}

func (d direct) Tags(context.Context, string, string) (string, error) { panic("not asked for") }

func (d direct) Delete(_ context.Context, bucket, key, etag string) error {
	header := http.Header{}
	if d.careful && etag != "" {
		header.Set("If-Match", `"`+etag+`"`)
	}
	_, err := d.do("delete", bucket, key, header, nil)
	return err
}

func etagOf(answer *http.Response) string { return strings.Trim(answer.Header.Get("ETag"), `"`) }

func info(bucket, key string, answer *http.Response) s3io.Info {
	size, _ := strconv.ParseInt(answer.Header.Get("Content-Length"), 10, 64)
	metadata := map[string]string{}
	for name, values := range answer.Header {
		if ours, is := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); is {
			metadata[ours] = values[0]
		}
	}
	return s3io.Info{Bucket: bucket, Key: key, ETag: etagOf(answer), Size: size, ContentType: answer.Header.Get("Content-Type"), Metadata: metadata}
}
