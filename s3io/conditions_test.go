package s3io_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/s3io"
)

// conditions is an S3 that answers a DELETE with If-Match as it is told, and may let somebody else in after a HEAD.
type conditions struct {
	next      http.RoundTripper
	status    int
	body      string
	afterHead func()
	asked     []string // the requests, as METHOD or METHOD If-Match
}

func (c *conditions) Do(r *http.Request) (*http.Response, error) {
	asked := r.Method
	if r.Header.Get("If-Match") != "" {
		asked += " If-Match"
	}
	c.asked = append(c.asked, asked)
	if asked == "DELETE If-Match" {
		return &http.Response{
			StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}, nil
	}
	response, err := c.next.RoundTrip(r)
	if r.Method == http.MethodHead && c.afterHead != nil {
		afterHead := c.afterHead
		c.afterHead = nil
		afterHead()
	}
	return response, err
}

// as LocalStack 4.14 says it
const noConditions = `<?xml version='1.0' encoding='utf-8'?>
<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message><Header>If-Match</Header></Error>`

func TestAnS3WithoutConditionalDeletes(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{}))
	client := func(c *conditions) *s3io.Client {
		c.next = s.wire.next
		cfg := s.cfg.Copy()
		cfg.HTTPClient = c
		return s3io.New(cfg, s3io.Options{})
	}
	there := func(key string) bool {
		_, err := s.Head(t.Context(), s.bucket, key)
		return err == nil
	}

	for name, c := range map[string]*conditions{
		"by its code":   {status: http.StatusNotImplemented, body: noConditions},
		"by the status": {status: http.StatusNotImplemented},
		"by a 400":      {status: http.StatusBadRequest, body: noConditions},
	} {
		t.Run("says so "+name+", and is asked once", func(t *testing.T) {
			client := client(c)
			for _, key := range []string{"one", "two"} {
				if err := client.Delete(t.Context(), s.bucket, key, s.put(t, key, noise(10, 1))); err != nil || there(key) {
					t.Errorf("%s: %v, there: %v", key, err, there(key))
				}
			}
			if got, want := strings.Join(c.asked, ", "), "DELETE If-Match, HEAD, DELETE, HEAD, DELETE"; got != want {
				t.Errorf("asked %s, want %s", got, want)
			}
		})
	}

	t.Run("another one's object stays, and what is not there is removed", func(t *testing.T) {
		client := client(&conditions{status: http.StatusNotImplemented, body: noConditions})
		older := s.put(t, "k", noise(10, 2))
		newer := s.put(t, "k", noise(10, 3))
		wantClass(t, client.Delete(t.Context(), s.bucket, "k", older), s3io.Changed)
		if !there("k") {
			t.Error("it is gone")
		}
		if err := client.Delete(t.Context(), s.bucket, "nothing", newer); err != nil {
			t.Error(err)
		}
	})

	t.Run("what is written between the look and the removal goes, as the documentation says", func(t *testing.T) {
		older := s.put(t, "k", noise(10, 4))
		client := client(&conditions{status: http.StatusNotImplemented, body: noConditions, afterHead: func() { s.put(t, "k", noise(10, 5)) }})
		if err := client.Delete(t.Context(), s.bucket, "k", older); err != nil || there("k") {
			t.Errorf("%v, there: %v", err, there("k"))
		}
	})

	t.Run("no other refusal makes it do without", func(t *testing.T) {
		for want, c := range map[s3io.Class]*conditions{
			s3io.Changed:   {status: http.StatusPreconditionFailed},
			s3io.Denied:    {status: http.StatusForbidden},
			s3io.Invalid:   {status: http.StatusMethodNotAllowed, body: "<Error><Code>MethodNotAllowed</Code></Error>"},
			s3io.Transient: {status: http.StatusInternalServerError},
		} {
			wantClass(t, client(c).Delete(t.Context(), s.bucket, "k", s.put(t, "k", noise(10, 6))), want)
			if strings.Contains(strings.Join(c.asked, ", "), "HEAD") || !there("k") {
				t.Errorf("%s: asked %v, there: %v", want, c.asked, there("k"))
			}
		}
	})
}

// What an S3 does not know it will not know the next time: 501 was taken for S3's own fault, and tried until the dead letters.
func TestWhatIsNotImplementedDoesNotPass(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{}))
	for _, answer := range []struct {
		status int
		body   string
	}{
		{http.StatusNotImplemented, noConditions},
		{http.StatusNotImplemented, ""},
		{http.StatusMethodNotAllowed, ""},
		{http.StatusHTTPVersionNotSupported, ""},
		{http.StatusInternalServerError, noConditions}, // the code says more than the status
	} {
		s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
			r.Body.Close()
			r.StatusCode, r.Header, r.ContentLength = answer.status, http.Header{}, int64(len(answer.body))
			r.Body = io.NopCloser(strings.NewReader(answer.body))
			return r, nil
		})
		_, err := s.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "k", Data: noise(10, 1)})
		wantClass(t, err, s3io.Invalid)
	}
}

// What an S3 has no condition for is written all the same, and it is asked once.
func TestAnS3WithoutConditionalPuts(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{}))
	var asked []string
	cfg := s.cfg.Copy()
	cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		condition := r.Header.Get("If-Match") + r.Header.Get("If-None-Match")
		asked = append(asked, r.Method+" "+condition)
		if condition != "" {
			return &http.Response{StatusCode: http.StatusNotImplemented, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(noConditions)), ContentLength: int64(len(noConditions)), Request: r}, nil
		}
		return s.wire.next.RoundTrip(r)
	})
	client := s3io.New(cfg, s3io.Options{})
	for range 2 {
		if _, err := client.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "k", Data: noise(10, 1), Replaces: s3io.Nothing}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(asked, ", "), "PUT *, PUT , PUT "; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// An S3 that takes no notice of If-Match gives the bytes of whatever is there: one upload's beginning is not put before
// another one's end, even if a third has the first one's bytes again.
func TestAnS3ThatTakesNoNoticeOfConditions(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{}))
	cfg := s.cfg.Copy()
	s.put(t, "k", noise(2*part+1, 1))
	cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		response, err := s.wire.next.RoundTrip(r)
		if err == nil && r.Header.Get("If-Match") != "" {
			response.Header.Set("ETag", `"another"`)
		}
		return response, err
	})
	o, err := s3io.New(cfg, s3io.Options{}).Open(t.Context(), s.bucket, "k")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	_, err = io.ReadAll(o)
	wantClass(t, err, s3io.Changed)
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
