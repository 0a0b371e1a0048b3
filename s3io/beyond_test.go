package s3io_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/s3io"
)

// What is asked of an S3 beside reading and writing: deletions, listings, refusals, faults.
func TestConformanceBeyondObjects(t *testing.T) {
	s, server := newSuite(t, serverConfig(t)), server(t)
	s.put(t, "plain.jpg", noise(1000, 1))

	t.Run("what is deleted is gone", func(t *testing.T) {
		s.wire.reset(nil)
		for _, etag := range []string{"", s.put(t, "deleted", noise(10, 10)), "0123456789abcdef0123456789abcdef"} { // the last of nothing
			if err := s.Delete(t.Context(), s.bucket, "deleted", etag); err != nil {
				t.Errorf("with ETag %q: %v", etag, err)
			}
			_, err := s.Head(t.Context(), s.bucket, "deleted")
			wantClass(t, err, s3io.NotFound)
			if etag == "" {
				s.put(t, "deleted", noise(10, 10))
			}
		}
		for _, r := range s.wire.requests() {
			if r.Method == http.MethodDelete && r.Header.Get("If-Match") != "" && !strings.HasPrefix(r.Header.Get("If-Match"), `"`) {
				t.Errorf("If-Match: %s, which is no ETag without its quotes", r.Header.Get("If-Match"))
			}
		}
		wantClass(t, s.Delete(t.Context(), s.bucket+"-none", "k", ""), s3io.NoSuchBucket)
	})

	t.Run("what was replaced is not deleted with the ETag that it had", func(t *testing.T) {
		s.wire.reset(nil)
		older := s.put(t, "replaced before it was deleted", noise(10, 11))
		newer := s.put(t, "replaced before it was deleted", noise(10, 12))
		wantClass(t, s.Delete(t.Context(), s.bucket, "replaced before it was deleted", older), s3io.Changed)
		if head, err := s.Head(t.Context(), s.bucket, "replaced before it was deleted"); err != nil || head.ETag != newer {
			t.Errorf("%+v, %v", head, err)
		}
	})

	t.Run("what is written only in the place of what is known", func(t *testing.T) {
		s.wire.reset(nil)
		put := func(replaces string, seed uint64) (string, error) {
			return s.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "known", ContentType: "text/plain", Data: noise(10, seed), Replaces: replaces})
		}
		first, err := put(s3io.Nothing, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = put(s3io.Nothing, 2)
		wantClass(t, err, s3io.Changed)
		second, err := put(first, 3)
		if err != nil {
			t.Fatal(err)
		}
		_, err = put(first, 4)
		wantClass(t, err, s3io.Changed)
		if info, err := s.Head(t.Context(), s.bucket, "known"); err != nil || info.ETag != second {
			t.Errorf("%+v, %v: want what was written last, %s", info, err, second)
		}
		if err := s.Delete(t.Context(), s.bucket, "known", ""); err != nil {
			t.Fatal(err)
		}
		_, err = put(second, 5)
		wantClass(t, err, s3io.Changed)
	})

	t.Run("what is not there", func(t *testing.T) {
		s.wire.reset(nil)
		_, err := s.Open(t.Context(), s.bucket, "nothing")
		wantClass(t, err, s3io.NotFound)
		_, err = s.Head(t.Context(), s.bucket, "nothing")
		wantClass(t, err, s3io.NotFound)
		_, err = s.Open(t.Context(), s.bucket+"-none", "nothing")
		wantClass(t, err, s3io.NoSuchBucket)
		_, err = s.Put(t.Context(), s3io.Upload{Bucket: s.bucket + "-none", Key: "k", ContentType: "text/plain"})
		wantClass(t, err, s3io.NoSuchBucket)
		if !strings.Contains(fmt.Sprint(err), "s3://"+s.bucket+"-none/k") {
			t.Errorf("the error does not name the bucket: %v", err)
		}
	})

	t.Run("credentials that are not accepted", func(t *testing.T) {
		cfg := s.cfg.Copy()
		known, err := s.cfg.Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cfg.Credentials = credentials.NewStaticCredentialsProvider(known.AccessKeyID, known.SecretAccessKey+"x", known.SessionToken)
		o, err := s3io.New(cfg, s3io.Options{}).Open(t.Context(), s.bucket, "plain.jpg")
		if server == localStack { // looks at those of presigned URLs alone: localstack/services/s3/presigned_url.py:195
			wantClass(t, err, "")
			o.Close()
			return
		}
		wantClass(t, err, s3io.Denied)
	})

	t.Run("throttling is tried again, then transient", func(t *testing.T) {
		slow := func(r *http.Response) (*http.Response, error) {
			r.Body.Close()
			r.StatusCode, r.Status = 503, "503 Slow Down"
			r.Body = io.NopCloser(strings.NewReader(`<Error><Code>SlowDown</Code><Message>slow down</Message></Error>`))
			r.ContentLength = -1
			return r, nil
		}
		s.wire.reset(func(n int, r *http.Response) (*http.Response, error) {
			if n == 1 {
				return slow(r)
			}
			return r, nil
		})
		if _, err := s.read(t, "plain.jpg"); err != nil {
			t.Errorf("after one 503: %v", err)
		}
		s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) { return slow(r) })
		_, err := s.read(t, "plain.jpg")
		wantClass(t, err, s3io.Transient)
	})

	t.Run("what S3 says without saying it well", func(t *testing.T) {
		answer := func(status int, code string) func(int, *http.Response) (*http.Response, error) {
			return func(_ int, r *http.Response) (*http.Response, error) {
				r.Body.Close()
				r.StatusCode, r.ContentLength = status, -1
				r.Header = http.Header{}
				r.Body = http.NoBody
				if code != "" {
					r.Body = io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code></Error>"))
				}
				return r, nil
			}
		}
		for code, want := range map[string]s3io.Class{
			"ExpiredToken": s3io.Denied, "KMS.DisabledException": s3io.KMS, "AuthorizationHeaderMalformed": s3io.WrongRegion, "InvalidArgument": s3io.Invalid,
		} {
			s.wire.reset(answer(400, code))
			_, err := s.Open(t.Context(), s.bucket, "plain.jpg")
			wantClass(t, err, want)
		}
		s.wire.reset(answer(403, "InvalidObjectState"))
		_, err := s.Open(t.Context(), s.bucket, "plain.jpg")
		wantClass(t, err, s3io.Archived)
		s.wire.reset(answer(400, ""))
		_, err = s.Head(t.Context(), s.bucket, "plain.jpg")
		wantClass(t, err, s3io.Transient)
		s.wire.reset(answer(200, "")) // neither length nor range
		_, err = s.Open(t.Context(), s.bucket, "plain.jpg")
		wantClass(t, err, s3io.Transient)
	})

	t.Run("a listing is in the order of bytes, page by page", func(t *testing.T) {
		s.wire.reset(nil)
		etags := map[string]string{}
		for _, key := range []string{"list/a", "list/a-b", "list/a.json", "list/a b+c", "list/a%20b", "list/a0/b", "list/B/a", "list/é", "list/여행/1", "list/😀", "listed"} {
			etags[key] = s.put(t, key, noise(len(key), 9))
		}
		want := slices.Sorted(maps.Keys(etags))
		want = want[:len(want)-1]
		for after := range len(want) { // as if each was where a page ended
			start := ""
			if after > 0 {
				start = want[after-1]
			}
			page, more, err := s.List(t.Context(), s.bucket, "list/", start)
			want := want[after:]
			if server == localStack && after > 0 {
				// It compares keys and StartAfter as they are in a URL, where é begins with a percent sign, before every letter, but
				// lists in the order of the keys themselves: localstack/services/s3/provider.py:1894. So it begins anew after é, which is
				// refused, and leaves é out after a letter.
				quote := func(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "+", "%20") }
				if start > "list/z" {
					wantClass(t, err, s3io.Invalid)
					continue
				}
				want = slices.DeleteFunc(slices.Clone(want), func(key string) bool { return quote(key) <= quote(start) })
			}
			if err != nil || more {
				t.Fatalf("after %q: %v, %v", start, more, err)
			}
			var got []string
			for _, object := range page {
				got = append(got, object.Key)
				if object.ETag != etags[object.Key] || object.Size != int64(len(object.Key)) || time.Since(object.Modified).Abs() > time.Hour {
					t.Errorf("%+v, put as %s", object, etags[object.Key])
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("after %q there are %q, want %q", start, got, want)
			}
		}
		if _, _, err := s.List(t.Context(), s.bucket+"-not-there", "", ""); s3io.ClassOf(err) != s3io.NoSuchBucket {
			t.Errorf("no bucket: %v", err)
		}
	})

	t.Run("a listing in another order is refused", func(t *testing.T) {
		for _, contents := range []string{"<Contents><Key>b</Key></Contents><Contents><Key>a</Key></Contents>", "", "<Contents><Key>0</Key></Contents>"} {
			s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
				r.Body = io.NopCloser(strings.NewReader("<ListBucketResult><IsTruncated>true</IsTruncated>" + contents + "</ListBucketResult>"))
				return r, nil
			})
			_, _, err := s.List(t.Context(), s.bucket, "", "1")
			wantClass(t, err, s3io.Invalid)
		}
	})

	t.Run("every request asks for its pace, and throttling is told of", func(t *testing.T) {
		s.wire.reset(func(n int, r *http.Response) (*http.Response, error) {
			if n == 1 {
				r.StatusCode = http.StatusServiceUnavailable
			}
			return r, nil
		})
		pace := &pace{}
		paced := s3io.New(s.cfg, s3io.Options{Pace: pace})
		if _, err := paced.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "paced", Data: noise(10, 1)}); err != nil {
			t.Fatal(err)
		}
		if pace.waits != 2 || pace.throttled != 1 {
			t.Errorf("%+v, for a write that was throttled once", pace)
		}
		pace.err = errors.New("no more")
		if _, err := paced.Head(t.Context(), s.bucket, "paced"); !errors.Is(err, pace.err) || len(s.wire.requests()) != 2 {
			t.Errorf("%v, after %d requests", err, len(s.wire.requests()))
		}
	})

	t.Run("an empty read reads nothing", func(t *testing.T) {
		s.wire.reset(nil)
		o, err := s.Open(t.Context(), s.bucket, "plain.jpg")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if n, err := o.Read(nil); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})

	t.Run("connections are kept", func(t *testing.T) {
		var mu sync.Mutex
		connections := map[string]bool{}
		s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) { return r, nil })
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
			mu.Lock()
			defer mu.Unlock()
			connections[c.Conn.LocalAddr().String()] = true
		}})
		for range 20 {
			if _, err := s.Head(ctx, s.bucket, "plain.jpg"); err != nil {
				t.Fatal(err)
			}
		}
		if len(connections) != 1 {
			t.Errorf("20 requests took %d connections", len(connections))
		}
	})

	t.Run("a context that ends", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "cancelled", noise(3*part, 8))
		ctx, cancel := context.WithCancel(t.Context())
		o, err := s.Open(ctx, s.bucket, "cancelled")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		cancel()
		if _, err = io.ReadAll(o); !errors.Is(err, context.Canceled) {
			t.Errorf("read after cancel: %v", err)
		}
	})

	t.Run("every request names the expected owner", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "owned", noise(part+1, 9))
		s.wire.reset(nil)
		client := s3io.New(s.cfg, s3io.Options{ExpectedOwner: func(context.Context) (string, error) { return "123456789012", nil }})
		if o, err := client.Open(t.Context(), s.bucket, "owned"); err == nil {
			_, _ = io.ReadAll(o) // the server may refuse, not being AWS's; what is asked is what counts
			o.Close()
		}
		_, _ = client.Head(t.Context(), s.bucket, "owned")
		_, _ = client.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "owned", ContentType: "text/plain"})
		_ = client.Delete(t.Context(), s.bucket, "owned", "")
		_, _, _ = client.List(t.Context(), s.bucket, "", "")
		sent := s.wire.requests()
		if len(sent) < 4 {
			t.Fatalf("%d requests", len(sent))
		}
		for _, r := range sent {
			if got := r.Header.Get("X-Amz-Expected-Bucket-Owner"); got != "123456789012" {
				t.Errorf("%s %s expects owner %q", r.Method, r.URL.Path, got)
			}
		}
	})
}

// pace counts what it is asked and told.
type pace struct {
	waits, throttled int
	err              error
}

func (p *pace) Wait(context.Context) error {
	p.waits++
	return p.err
}

func (p *pace) Throttled() { p.throttled++ }

func TestAnotherAccountsBucketIsDenied(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{Owner: "123456789012"}))
	s.put(t, "k", []byte("data"))
	other := s3io.New(s.cfg, s3io.Options{ExpectedOwner: func(context.Context) (string, error) { return "210987654321", nil }})
	_, err := other.Open(t.Context(), s.bucket, "k")
	wantClass(t, err, s3io.Denied)
	_, err = other.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: "k", ContentType: "text/plain"})
	wantClass(t, err, s3io.Denied)
	wantClass(t, other.Delete(t.Context(), s.bucket, "k", ""), s3io.Denied)
}

func TestNobodyThere(t *testing.T) {
	cfg := devserver.ClientConfig("http://127.0.0.1:1", "us-east-1", "k", "s")
	cfg.RetryMaxAttempts = 1
	client := s3io.New(cfg, s3io.Options{})
	_, err := client.Open(t.Context(), "bucket", "k")
	wantClass(t, err, s3io.Transient)
	_, err = client.Put(t.Context(), s3io.Upload{Bucket: "bucket", Key: "k", ContentType: "text/plain"})
	wantClass(t, err, s3io.Transient)
}

func TestOwnerThatIsNotKnownSendsNothing(t *testing.T) {
	unknown := errors.New("no account")
	client := s3io.New(devserver.ClientConfig("http://127.0.0.1:1", "us-east-1", "k", "s"), s3io.Options{
		ExpectedOwner: func(context.Context) (string, error) { return "", unknown },
	})
	if _, err := client.Open(t.Context(), "bucket", "k"); !errors.Is(err, unknown) {
		t.Errorf("open: %v", err)
	}
	if err := client.Delete(t.Context(), "bucket", "k", ""); !errors.Is(err, unknown) {
		t.Errorf("delete: %v", err)
	}
}
