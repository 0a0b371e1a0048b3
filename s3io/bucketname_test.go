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

// A bucket that there can't be was asked for until the dead letters: an ARN that is none failed without an answer, and a HEAD's
// answer does not say what is wrong. In a path, ".." is another place.
func TestBucketNamesThatCanNotBe(t *testing.T) {
	s := newSuite(t, devtest.Start(t, devserver.Options{}))
	ask := map[string]func(bucket string) error{
		"head": func(bucket string) error { _, err := s.Head(t.Context(), bucket, "k"); return err },
		"open": func(bucket string) error { _, err := s.Open(t.Context(), bucket, "k"); return err },
		"put": func(bucket string) error {
			_, err := s.Put(t.Context(), s3io.Upload{Bucket: bucket, Key: "k"})
			return err
		},
		"delete": func(bucket string) error { return s.Delete(t.Context(), bucket, "k", "") },
		"list":   func(bucket string) error { _, _, err := s.List(t.Context(), bucket, "", ""); return err },
	}
	check := func(op, bucket string, err error) {
		t.Helper()
		wantClass(t, err, s3io.Invalid)
		if err != nil && !strings.Contains(err.Error(), op+" s3://"+bucket+"/") || !strings.Contains(err.Error(), "S3 wants 3 to 63 lower-case letters") {
			t.Errorf("%v", err)
		}
	}
	for _, bucket := range []string{"", "a", "..", "a/b", "a b", "ünï", "a\nb", "-abc", "arn:aws:x", "arn:aws:s3:us-east-1:1:accesspoint", strings.Repeat("x", 256)} {
		for op, do := range ask {
			s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
				t.Errorf("%s of %q was asked for", op, bucket)
				return r, nil
			})
			check(op, bucket, do(bucket))
		}
	}
	for _, bucket := range []string{"Photos", "my_photos", strings.Repeat("x", 64)} { // S3 knows whether it has an old one
		for op, do := range ask {
			s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
				r.Body.Close()
				body := "<Error><Code>InvalidBucketName</Code></Error>"
				if op == "head" {
					body = ""
				}
				r.StatusCode, r.Header, r.ContentLength, r.Body = http.StatusBadRequest, http.Header{}, int64(len(body)), io.NopCloser(strings.NewReader(body))
				return r, nil
			})
			check(op, bucket, do(bucket))
		}
	}
	s.wire.reset(nil)
	_, err := s.Open(t.Context(), s.bucket, "")
	wantClass(t, err, s3io.Invalid) // an empty key
}
