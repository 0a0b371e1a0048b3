package verify_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/verify"
	"s3resizer/resize"
	"s3resizer/s3io"
)

const (
	source      = "photos"
	destination = "photos-resized"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// memory is an S3 in memory, and counts what it is asked for.
type memory struct {
	pageSize int

	mu      sync.Mutex
	objects map[string]map[string]s3io.Upload
	asked   map[string]int // by operation
	before  func(op, bucket, key string) error
}

func newMemory() *memory {
	return &memory{pageSize: 1000, objects: map[string]map[string]s3io.Upload{source: {}, destination: {}}, asked: map[string]int{}}
}

func (m *memory) ask(op, bucket, key string) error {
	m.mu.Lock()
	m.asked[op]++
	before := m.before
	m.mu.Unlock()
	if before != nil {
		return before(op, bucket, key)
	}
	return nil
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func (m *memory) List(_ context.Context, bucket, prefix, after string) (page []s3io.Listed, more bool, err error) {
	if err := m.ask("list", bucket, prefix); err != nil {
		return nil, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.Sorted(maps.Keys(m.objects[bucket]))
	for _, key := range keys[sort.SearchStrings(keys, after):] {
		if key == after || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(page) == m.pageSize {
			return page, true, nil
		}
		data := m.objects[bucket][key].Data
		page = append(page, s3io.Listed{Key: key, ETag: etag(data), Size: int64(len(data)), Modified: time.Unix(0, 0)})
	}
	return page, false, nil
}

func (m *memory) Head(ctx context.Context, bucket, key string) (s3io.Info, error) {
	if err := ctx.Err(); err != nil {
		return s3io.Info{}, err
	}
	if err := m.ask("head", bucket, key); err != nil {
		return s3io.Info{}, err
	}
	return m.info(bucket, key)
}

func (m *memory) info(bucket, key string) (s3io.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, there := m.objects[bucket][key]
	if !there {
		return s3io.Info{}, &s3io.Error{Class: s3io.NotFound, Op: "head", Bucket: bucket, Key: key, Err: errors.New("no such key")}
	}
	return s3io.Info{Bucket: bucket, Key: key, ETag: etag(o.Data), Size: int64(len(o.Data)), ContentType: o.ContentType, Metadata: o.Metadata}, nil
}

func (m *memory) Open(_ context.Context, bucket, key string) (*s3io.Object, error) {
	if err := m.ask("get", bucket, key); err != nil {
		return nil, err
	}
	info, err := m.info(bucket, key)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &s3io.Object{Info: info, ReadCloser: io.NopCloser(bytes.NewReader(m.objects[bucket][key].Data))}, nil
}

func (m *memory) Tags(context.Context, string, string) (string, error) { panic("not asked for") }

func (m *memory) Put(_ context.Context, u s3io.Upload) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[u.Bucket][u.Key] = u
	return etag(u.Data), nil
}

func (m *memory) Delete(_ context.Context, bucket, key, tag string) error {
	if err := m.ask("delete", bucket, key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o, there := m.objects[bucket][key]; there && etag(o.Data) != tag {
		return &s3io.Error{Class: s3io.Changed, Op: "delete", Bucket: bucket, Key: key, Err: errors.New("precondition failed")}
	}
	delete(m.objects[bucket], key)
	return nil
}

// change changes an object that is there.
func (m *memory) change(t *testing.T, key string, how func(*s3io.Upload)) {
	t.Helper()
	o, there := m.objects[destination][key]
	if !there {
		t.Fatalf("there is no %s", key)
	}
	o.Metadata = maps.Clone(o.Metadata)
	how(&o)
	m.objects[destination][key] = o
}

// upload puts a picture of w × 6 pixels, and no picture if that is 0.
func (m *memory) upload(t *testing.T, key string, w int) {
	t.Helper()
	data := []byte("no picture")
	if w > 0 {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, 6))); err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[source][key] = s3io.Upload{Bucket: source, Key: key, Data: data}
}

// resize does what the function does.
func (m *memory) resize(t *testing.T, s config.Settings, key string) {
	t.Helper()
	event, _ := json.Marshal(map[string]string{"bucket": source, "key": key})
	if _, err := handler.New(m, s, slog.New(slog.DiscardHandler)).Handle(t.Context(), event); err != nil {
		t.Fatal(err)
	}
}

func settings(t *testing.T, environ ...string) config.Settings {
	t.Helper()
	s, err := config.Load(append([]string{"RESIZE_SIZES=s=2,m=4", "RESIZE_BUCKET_OWNER=any"}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// found runs a verification and returns "kind key" of each finding, sorted, and the run.
func found(t *testing.T, o verify.Options) ([]string, *verify.Verification) {
	t.Helper()
	lines := []string{}
	o.Bucket = source
	o.Found = func(f verify.Finding) {
		lines = append(lines, fmt.Sprintf("%s %s", f.Kind, f.Key))
		if f.Reason == "" {
			t.Errorf("%+v has no reason", f)
		}
	}
	v := verify.New(o)
	if err := v.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	if total := v.Progress().Total(); total != int64(len(lines)) {
		t.Errorf("%d findings were counted, %d told", total, len(lines))
	}
	return lines, v
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
