package handler_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// echo is an S3 in memory that has every bucket, and keeps the events of what the function does there.
type echo struct {
	forgetful bool // loses metadata

	mu      sync.Mutex
	objects map[string]s3io.Upload // by bucket/key
	raised  []string               // events
}

func (e *echo) info(bucket, key string) (s3io.Info, []byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u, there := e.objects[bucket+"/"+key]
	if !there {
		return s3io.Info{}, nil, &s3io.Error{Class: s3io.NotFound, Op: "head", Bucket: bucket, Key: key, Err: io.EOF}
	}
	sum := md5.Sum(u.Data)
	return s3io.Info{Bucket: bucket, Key: key, ETag: hex.EncodeToString(sum[:]), Size: int64(len(u.Data)), ContentType: u.ContentType, Metadata: u.Metadata}, u.Data, nil
}

func (e *echo) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	info, _, err := e.info(bucket, key)
	return info, err
}

func (e *echo) Open(_ context.Context, bucket, key string) (*s3io.Object, error) {
	info, data, err := e.info(bucket, key)
	return &s3io.Object{Info: info, ReadCloser: io.NopCloser(bytes.NewReader(data))}, err
}

func (e *echo) Put(ctx context.Context, u s3io.Upload) (string, error) {
	if e.forgetful {
		u.Metadata = nil
	}
	e.mu.Lock()
	e.objects[u.Bucket+"/"+u.Key] = u
	e.mu.Unlock()
	e.raise("ObjectCreated:Put", u.Bucket, u.Key)
	info, err := e.Head(ctx, u.Bucket, u.Key)
	return info.ETag, err
}

func (e *echo) Delete(_ context.Context, bucket, key, _ string) error {
	e.mu.Lock()
	delete(e.objects, bucket+"/"+key)
	e.mu.Unlock()
	e.raise("ObjectRemoved:Delete", bucket, key)
	return nil
}

func (e *echo) Tags(context.Context, string, string) (string, error) { return "", nil }

func (e *echo) raise(name, bucket, key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.raised = append(e.raised, fmt.Sprintf(`{"Records":[{"eventSource":"aws:s3","eventName":%q,"s3":{"bucket":{"name":%q},"object":{"key":%q}}}]}`, name, bucket, url.QueryEscape(key)))
}

// answer has the function do what was raised in the buckets that are watched, and returns what that raises.
func (e *echo) answer(h *handler.Handler, watched string) (raised []string) {
	events := e.raised
	e.raised = nil
	for _, event := range events {
		if watched == "" || strings.Contains(event, `"name":"`+watched+`"`) {
			_, _ = h.Handle(context.Background(), json.RawMessage(event)) // a failure is an end, too
		}
	}
	return e.raised
}

// No settings that are accepted make a loop: what the function writes and removes for an upload raises events, and for these it
// writes and removes nothing, whatever the destination, the template and the upload's key, be they in one bucket or in several
// that are all watched. With one bucket, or if only the sources' is watched, that does not even take metadata.
func TestNoSettingsMakeALoop(t *testing.T) {
	picture := photo(t, 16, 12, 1)
	var accepted, refused, oneBucket int
	check := func(t *testing.T, s config.Settings, key string, data []byte, forgetful bool) {
		e := &echo{forgetful: forgetful, objects: map[string]s3io.Upload{"photos/" + key: {Bucket: "photos", Key: key, Data: data}}}
		h := handler.New(e, s, slog.New(slog.DiscardHandler))
		watched := map[bool]string{true: "photos"}[forgetful]
		e.raise("ObjectCreated:Put", "photos", key)
		made := e.answer(h, watched)
		if more := e.answer(h, watched); len(more) > 0 {
			t.Errorf("what is made of %s (metadata lost: %t)\n%s\nmakes\n%s", key, forgetful, strings.Join(made, "\n"), strings.Join(more, "\n"))
		}
		if s.OneBucket("photos") && len(made) > 0 {
			oneBucket++
		}
		_ = e.Delete(t.Context(), "photos", key, "")
		removed := e.answer(h, watched)
		if more := e.answer(h, watched); len(more) > 0 {
			t.Errorf("the removal of what was made of %s (metadata lost: %t)\n%s\nmakes\n%s", key, forgetful, strings.Join(removed, "\n"), strings.Join(more, "\n"))
		}
	}
	for _, destination := range []string{"{bucket}", "photos", "other", "{bucket}-resized"} {
		for _, literal := range []string{"", "r/", "r", "/", "r/s-", ".s3resizer/", ".s3resizer-slow/x/"} {
			for _, rest := range []string{"{size}-{key}", "{size}/{key}", "{key}/{size}", "{dir}{name}-{size}{ext}", "{size}{dir}{name}{ext}"} {
				environ := []string{"RESIZE_SIZES=small=8", "RESIZE_DELETE=on", "RESIZE_DEST_BUCKET=" + destination, "RESIZE_KEY_TEMPLATE=" + literal + rest}
				if accepted%2 == 0 {
					environ = append(environ, deletes)
				}
				s, err := config.Load(environ)
				if err != nil {
					refused++
					if destination != "{bucket}" || strings.Contains(literal, "/") || !strings.Contains(err.Error(), "RESIZE_KEY_TEMPLATE has to begin with one") {
						t.Errorf("%v: %v", environ, err)
					}
					continue
				}
				accepted++
				t.Run(strings.Join(environ[2:], " "), func(t *testing.T) {
					for _, key := range []string{"a.jpg", "r/a.jpg", "small-a.jpg", "r/small/a.jpg", ".s3resizer/a.jpg.json", ".s3resizer-slow/a.jpg", "/a.jpg", "r"} {
						check(t, s, key, picture, false)
						check(t, s, key, picture, true)
					}
					check(t, s, "a.txt", []byte("not a picture"), true)
				})
			}
		}
	}
	if accepted < 100 || refused != 2*5 || oneBucket < 100 {
		t.Errorf("%d settings were accepted and %d refused, and %d times something was made in one bucket", accepted, refused, oneBucket)
	}
}

// In one bucket, everything is as in two.
func TestOneBucket(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=resized/{size}/{key}", "RESIZE_DELETE=on")
	event := b.upload(t, "a/cat.jpg", photo(t, 60, 40, 1))
	r := one(t, h, event)
	outputs := []string{"resized/small/a/cat.jpg", "resized/medium/a/cat.jpg", "resized/large/a/cat.jpg", ".s3resizer/a/cat.jpg.json"}
	if r.Status != report.Resized || len(r.Renditions) != 3 || r.Renditions[0].Bucket != "photos" || r.Renditions[0].Key != outputs[0] {
		t.Fatalf("%+v", r)
	}
	for range outputs {
		if r := one(t, h, <-b.events); r.Status != report.Skipped || !slices.ContainsFunc([]string{"in resized/,", "in .s3resizer/,"}, func(s string) bool { return strings.HasPrefix(r.Reason, s) }) {
			t.Errorf("of our own output: %+v", r)
		}
	}
	if r := one(t, h, b.upload(t, "resized/of-somebody-else.jpg", photo(t, 60, 40, 2))); r.Status != report.Skipped {
		t.Errorf("an upload where the renditions are: %+v", r)
	}
	b.drop(t, "a/cat.jpg")
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", "a/cat.jpg"))); r.Status != report.Deleted || len(r.Removed) != len(outputs) {
		t.Errorf("%+v", r)
	}
	for _, key := range outputs {
		b.absent(t, "photos", key)
	}
}
