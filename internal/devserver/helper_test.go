package devserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"s3resizer/internal/devserver"
)

// endpoint is a running server, a client for it and what it told of.
type endpoint struct {
	*s3.Client
	server *devserver.S3
	url    string

	mu   sync.Mutex
	told []events.S3Event
}

// start serves o until the test ends. Unless o says otherwise there are two
// buckets, of which one notifies.
func start(t *testing.T, o devserver.Options) *endpoint {
	t.Helper()
	e := &endpoint{}
	if o.Buckets == nil {
		o.Buckets = []string{"photos", "quiet"}
	}
	if o.Notify == nil {
		o.Notify = []string{"photos"}
	}
	if o.OnEvent == nil {
		o.OnEvent = func(event events.S3Event) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.told = append(e.told, event)
		}
	}
	server, err := devserver.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		_ = server.Shutdown(context.Background())
	})
	e.server, e.url = server, web.URL
	e.Client = client(web.URL, "key", "secret")
	return e
}

func client(url, accessKey, secretKey string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint:     &url,
		UsePathStyle:     true,
		Region:           "eu-north-1",
		Credentials:      credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		RetryMaxAttempts: 1,
		HTTPClient:       &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
}

// settle shuts the server down and returns all records that it told of.
func (e *endpoint) settle(t *testing.T) []events.S3EventRecord {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var records []events.S3EventRecord
	for _, event := range e.told {
		if len(event.Records) != 1 {
			t.Errorf("an event has %d records, want 1", len(event.Records))
		}
		records = append(records, event.Records...)
	}
	return records
}

func (e *endpoint) put(t *testing.T, bucket, key, body string) *s3.PutObjectOutput {
	t.Helper()
	out, err := e.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(body)),
	})
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return out
}

func (e *endpoint) get(t *testing.T, bucket, key string) (string, *s3.GetObjectOutput) {
	t.Helper()
	out, err := e.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return string(body), out
}

// multipart uploads parts as key; configure may be nil.
func (e *endpoint) multipart(t *testing.T, bucket, key string, configure func(*s3.CreateMultipartUploadInput), parts ...string) *s3.CompleteMultipartUploadOutput {
	t.Helper()
	in := &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}
	if configure != nil {
		configure(in)
	}
	upload, err := e.CreateMultipartUpload(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var done []types.CompletedPart
	for i, part := range parts {
		out, err := e.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: upload.UploadId,
			PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader([]byte(part)),
		})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.ETag})
	}
	out, err := e.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// code is the S3 error code of err, or "".
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// onBothBackends runs a test in memory and on a folder.
func onBothBackends(t *testing.T, test func(t *testing.T, o devserver.Options)) {
	t.Run("memory", func(t *testing.T) { test(t, devserver.Options{}) })
	t.Run("folder", func(t *testing.T) { test(t, devserver.Options{Dir: t.TempDir()}) })
}

// together sends n requests whose bodies begin only when the server has begun
// to read all of them, so after it has looked at every header, and returns how
// often each status was answered.
func together(t *testing.T, n int, request func() *http.Request, body string) map[int]int {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute, DisableKeepAlives: true}}
	var begun, all sync.WaitGroup
	begun.Add(n)
	var mu sync.Mutex
	statuses := map[int]int{}
	for range n {
		r := request()
		r.Header.Set("Expect", "100-continue") // the server's first read asks for the body
		r.Body, r.ContentLength = io.NopCloser(&gated{begun: &begun, body: strings.NewReader(body)}), int64(len(body))
		all.Go(func() {
			res, err := web.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			statuses[res.StatusCode]++
		})
	}
	all.Wait()
	return statuses
}

type gated struct {
	begun *sync.WaitGroup
	once  sync.Once
	body  io.Reader
}

func (g *gated) Read(p []byte) (int, error) {
	g.once.Do(func() {
		g.begun.Done()
		g.begun.Wait()
	})
	return g.body.Read(p)
}
