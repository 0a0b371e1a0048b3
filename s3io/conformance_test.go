package s3io_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/s3io"
)

// The conformance suite runs against the S3 that the environment names, when S3RESIZER_CONFORMANCE is set (as `make
// conformance` does), else against the embedded one, over HTTP. A server that can't be reached fails it.
func serverConfig(t *testing.T) aws.Config {
	t.Helper()
	if os.Getenv("S3RESIZER_CONFORMANCE") != "" {
		cfg, err := s3io.LoadConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	return devtest.Start(t, devserver.Options{})
}

// wire stands between the SDK and the network: it keeps the requests and may spoil the answers.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	sent []*http.Request
	// spoil may replace an answer or its body.
	spoil func(n int, r *http.Response) (*http.Response, error)
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, r)
	n, spoil := len(w.sent), w.spoil
	w.mu.Unlock()
	response, err := w.next.RoundTrip(r)
	if err != nil || spoil == nil {
		return response, err
	}
	return spoil(n, response)
}

func (w *wire) reset(spoil func(n int, r *http.Response) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.spoil = nil, spoil
}

func (w *wire) requests() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*http.Request(nil), w.sent...)
}

// quiet is a connection that is open and brings nothing more, until its request is given up.
type quiet struct {
	io.ReadCloser
	after int
	ended <-chan struct{}
}

func (q *quiet) Read(p []byte) (int, error) {
	if q.after == 0 {
		<-q.ended
		return 0, context.Canceled
	}
	n, err := q.ReadCloser.Read(p[:min(len(p), q.after)])
	q.after -= n
	return n, err
}

// cutAfter ends a body with a reset connection after n bytes.
func cutAfter(r *http.Response, n int64) *http.Response {
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r.Body, n), failing{}), r.Body}
	return r
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// suite is a client on a bucket of its own.
type suite struct {
	*s3io.Client
	cfg    aws.Config
	wire   *wire
	bucket string
}

func newSuite(t *testing.T, cfg aws.Config) *suite {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	w := &wire{next: transport}
	cfg.HTTPClient = w
	cfg.RetryMaxAttempts = 2
	s := &suite{cfg: cfg, wire: w, Client: s3io.New(cfg, s3io.Options{}), bucket: fmt.Sprintf("conformance-%d", time.Now().UnixNano())}
	raw := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
	if _, err := raw.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.bucket}); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	t.Cleanup(func() {
		w.reset(nil)
		ctx := context.Background()
		for pages := s3.NewListObjectsV2Paginator(raw, &s3.ListObjectsV2Input{Bucket: &s.bucket}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Errorf("list what the suite left: %v", err)
				return
			}
			for _, o := range page.Contents {
				if _, err := raw.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: o.Key}); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := raw.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &s.bucket}); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	})
	return s
}

func (s *suite) put(t *testing.T, key string, data []byte) (etag string) {
	t.Helper()
	etag, err := s.Put(t.Context(), s3io.Upload{Bucket: s.bucket, Key: key, ContentType: "application/octet-stream", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

func (s *suite) read(t *testing.T, key string) ([]byte, error) {
	t.Helper()
	o, err := s.Open(t.Context(), s.bucket, key)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(o)
}

func noise(n int, seed uint64) []byte {
	data := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func wantClass(t *testing.T, err error, want s3io.Class) {
	t.Helper()
	if got := s3io.ClassOf(err); got != want {
		t.Errorf("class %q, want %q: %v", got, want, err)
	}
}

const part = 8 << 20 // the length of a range

func TestConformance(t *testing.T) {
	s, server := newSuite(t, serverConfig(t)), server(t)

	t.Run("what is put is read back, with all that was said of it", func(t *testing.T) {
		s.wire.reset(nil)
		for _, key := range []string{"plain.jpg", "a b+c.jpg", "여행/제주 바다.jpg", "x%20y&z=1?.png", "deep/er/folder/file", "a//b"} {
			if key == "a//b" && server == versitygw {
				continue // not a legal name where objects are files
			}
			data := noise(1000, 1)
			etag, err := s.Put(t.Context(), s3io.Upload{
				Bucket: s.bucket, Key: key, ContentType: "image/jpeg", CacheControl: "max-age=60", Data: data,
				Metadata: map[string]string{"s3resizer-source": "s3://b/%20k", "s3resizer-size": "small"},
			})
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			o, err := s.Open(t.Context(), s.bucket, key)
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			got, err := io.ReadAll(o)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: read %d bytes, %v", key, len(got), err)
			}
			head, err := s.Head(t.Context(), s.bucket, key)
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			for how, info := range map[string]s3io.Info{"open": o.Info, "head": head} {
				if info.ETag != etag || strings.Contains(etag, `"`) || info.Size != 1000 || info.ContentType != "image/jpeg" || info.CacheControl != "max-age=60" ||
					info.Metadata["s3resizer-source"] != "s3://b/%20k" || info.Metadata["s3resizer-size"] != "small" || info.Bucket != s.bucket || info.Key != key {
					t.Errorf("%s by %s: %+v, put as %s", key, how, info, etag)
				}
			}
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		}
	})

	t.Run("a file is put from its beginning", func(t *testing.T) {
		s.wire.reset(nil)
		data := noise(100_000, 2)
		file, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.Write(data); err != nil {
			t.Fatal(err)
		}
		etag, err := s.PutFile(t.Context(), s.bucket, "file.csv", "text/csv", file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.read(t, "file.csv")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if info, err := s.Head(t.Context(), s.bucket, "file.csv"); err != nil || info.ETag != etag || info.ContentType != "text/csv" {
			t.Errorf("%+v, put as %s; %v", info, etag, err)
		}
	})

	t.Run("an empty object", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "empty", nil)
		if got, err := s.read(t, "empty"); len(got) != 0 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})

	t.Run("objects around and beyond a range", func(t *testing.T) {
		for _, size := range []int{part - 1, part, part + 1, 2*part + 12345} {
			s.wire.reset(nil)
			data := noise(size, 2)
			s.put(t, "large", data)
			s.wire.reset(nil)
			got, err := s.read(t, "large")
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes: read %d, %v", size, len(got), err)
			}
			sent := s.wire.requests()
			if want := (size + part - 1) / part; len(sent) != want {
				t.Errorf("%d bytes: %d requests, want %d", size, len(sent), want)
			}
			for _, r := range sent[1:] {
				if r.Header.Get("If-Match") == "" {
					t.Errorf("%s is not pinned to the first range's ETag", r.Header.Get("Range"))
				}
			}
		}
	})

	t.Run("the next range is on the wire while one is read", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "ahead", noise(2*part, 3))
		s.wire.reset(nil)
		o, err := s.Open(t.Context(), s.bucket, "ahead")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if sent := len(s.wire.requests()); sent != 1 {
			t.Errorf("%d requests before anything is read, want 1", sent)
		}
		if _, err := io.ReadFull(o, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); len(s.wire.requests()) < 2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the second range was not asked for while the first was read")
			}
		}
	})

	t.Run("a broken body is taken up where it broke", func(t *testing.T) {
		s.wire.reset(nil)
		data := noise(part+part/2, 4)
		s.put(t, "broken", data)
		for tenth := range int64(10) {
			s.wire.reset(func(n int, r *http.Response) (*http.Response, error) {
				if n <= 4 { // both ranges break, and so do their first resumptions
					return cutAfter(r, tenth*part/10), nil
				}
				return r, nil
			})
			got, err := s.read(t, "broken")
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("broken after %d bytes: read %d of %d, %v", tenth*part/10, len(got), len(data), err)
			}
		}
	})

	t.Run("a body that goes quiet is taken up too", func(t *testing.T) {
		s.wire.reset(nil)
		data := noise(5000, 8)
		s.put(t, "quiet", data)
		s.wire.reset(func(n int, r *http.Response) (*http.Response, error) {
			if n == 1 {
				r.Body = &quiet{ReadCloser: r.Body, after: 1000, ended: r.Request.Context().Done()}
			}
			return r, nil
		})
		begun := time.Now()
		got, err := s.read(t, "quiet")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d of %d, %v", len(got), len(data), err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("after %v", took)
		}
	})

	t.Run("a body that ends early is no whole object", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "short", noise(5000, 5))
		s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
			if strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 0-") {
				r.Body = io.NopCloser(io.LimitReader(r.Body, 1000)) // a clean end, too early
				return r, nil
			}
			return cutAfter(r, 0), nil
		})
		got, err := s.read(t, "short")
		if err == nil || errors.Is(err, io.EOF) || len(got) != 1000 {
			t.Errorf("read %d bytes of 5000, error %v", len(got), err)
		}
		wantClass(t, err, s3io.Transient)
	})

	t.Run("an object that is replaced while it is read", func(t *testing.T) {
		s.wire.reset(nil)
		s.put(t, "replaced", noise(2*part+1, 6))
		s.wire.reset(nil)
		o, err := s.Open(t.Context(), s.bucket, "replaced")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		s.put(t, "replaced", noise(2*part+1, 7))
		_, err = io.ReadAll(o)
		wantClass(t, err, s3io.Changed)
	})
}
