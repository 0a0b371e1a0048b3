package s3io_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"s3resizer/s3io"
)

// What stands beside an object's bytes.
func TestConformanceBeside(t *testing.T) {
	s := newSuite(t, serverConfig(t))
	const tags = "a%20b=c%2Bd%20%3A%2F%40%3D&project=%EC%A0%9C%EC%A3%BC"
	upload := s3io.Upload{
		Bucket: s.bucket, Key: "beside", ContentType: "image/jpeg", Disposition: `attachment; filename="a b.jpg"`, Tags: tags,
		Metadata: map[string]string{"by": "somebody"}, Data: noise(10, 20),
	}
	if _, err := s.Put(t.Context(), upload); err != nil {
		t.Fatal(err)
	}
	s.put(t, "bare", noise(10, 21))

	t.Run("comes back as it was", func(t *testing.T) {
		object, err := s.Open(t.Context(), s.bucket, "beside")
		if err != nil {
			t.Fatal(err)
		}
		object.Close()
		head, err := s.Head(t.Context(), s.bucket, "beside")
		if err != nil {
			t.Fatal(err)
		}
		for what, info := range map[string]s3io.Info{"GET": object.Info, "HEAD": head} {
			if info.Disposition != upload.Disposition || info.Metadata["by"] != "somebody" {
				t.Errorf("%s: %+v", what, info)
			}
			if info.Tags != 2 {
				t.Errorf("%s: %d tags", what, info.Tags)
			}
		}
		for key, want := range map[string]string{"beside": tags, "bare": ""} {
			if got, err := s.Tags(t.Context(), s.bucket, key); err != nil || got != want {
				t.Errorf("%s: %q, %v", key, got, err)
			}
		}
		_, err = s.Tags(t.Context(), s.bucket, "nothing")
		wantClass(t, err, s3io.NotFound)
	})

	t.Run("who may not is told the right", func(t *testing.T) {
		s.wire.reset(func(_ int, r *http.Response) (*http.Response, error) {
			r.Body.Close()
			r.StatusCode, r.Status, r.ContentLength = http.StatusForbidden, "403 Forbidden", -1
			r.Body = io.NopCloser(strings.NewReader(`<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`))
			return r, nil
		})
		defer s.wire.reset(nil)
		_, err := s.Tags(t.Context(), s.bucket, "beside")
		if wantClass(t, err, s3io.Denied); !strings.Contains(err.Error(), "s3:GetObjectTagging") {
			t.Error(err)
		}
		_, err = s.Put(t.Context(), upload)
		if wantClass(t, err, s3io.Denied); !strings.Contains(err.Error(), "s3:PutObjectTagging") {
			t.Error(err)
		}
	})
}
