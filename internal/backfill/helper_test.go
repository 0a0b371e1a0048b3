package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// The source and the destination of all tests, and the fingerprint of the settings.
const (
	source      = "photos"
	destination = "photos-resized"
	settings    = "03ffeb02a7b9"
)

var defaults, _ = config.Load(nil)

// bucket is an S3 in memory: objects by bucket and key. What they hold does not matter, their metadata does.
type memory struct {
	pageSize int

	mu      sync.Mutex
	objects map[string]map[string]s3io.Info
	heads   int
	lists   int
	fail    func(op, key string) error
}

func newMemory() *memory {
	return &memory{pageSize: 1000, objects: map[string]map[string]s3io.Info{source: {}, destination: {}}}
}

func (m *memory) put(bucket, key string, info s3io.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	info.Bucket, info.Key = bucket, key
	m.objects[bucket][key] = info
}

// upload puts a picture; its ETag tells it from the one before.
func (m *memory) upload(key, etag string) { m.put(source, key, s3io.Info{ETag: etag, Size: 1000}) }

// record puts a commit record.
func (m *memory) record(key, etag, settings string) {
	m.put(destination, naming.Record(key), s3io.Info{ETag: "r", Size: 500, Metadata: map[string]string{
		"s3resizer-source-etag": etag, "s3resizer-settings": settings,
	}})
}

func (m *memory) List(_ context.Context, bucket, prefix, after string) (page []s3io.Listed, more bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists++
	if m.fail != nil {
		if err := m.fail("list", bucket); err != nil {
			return nil, false, err
		}
	}
	keys := slices.Sorted(maps.Keys(m.objects[bucket]))
	for _, key := range keys[sort.SearchStrings(keys, after):] {
		if key == after || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(page) == m.pageSize {
			return page, true, nil
		}
		object := m.objects[bucket][key]
		page = append(page, s3io.Listed{Key: key, ETag: object.ETag, Size: object.Size, Modified: modified})
	}
	return page, false, nil
}

var modified = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func (m *memory) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heads++
	if m.fail != nil {
		if err := m.fail("head", key); err != nil {
			return s3io.Info{}, err
		}
	}
	info, there := m.objects[bucket][key]
	if !there {
		return s3io.Info{}, &s3io.Error{Class: s3io.NotFound, Op: "head", Bucket: bucket, Key: key, Err: errors.New("no such key")}
	}
	return info, nil
}

// resizer writes records, and notes what it was asked for.
type resizer struct {
	m      *memory
	before func(key string) error // what goes wrong

	mu   sync.Mutex
	keys []string
}

func (r *resizer) Resize(_ context.Context, bucket, key string) (report.Result, error) {
	r.mu.Lock()
	r.keys = append(r.keys, key)
	r.mu.Unlock()
	if r.before != nil {
		if err := r.before(key); err != nil {
			return report.Result{}, err
		}
	}
	info, err := r.m.Head(context.Background(), bucket, key)
	if err != nil {
		return report.Result{}, err
	}
	r.m.record(key, info.ETag, settings)
	return report.Result{Status: report.Resized}, nil
}

// asked are the keys, sorted, of which each should be there once.
func (r *resizer) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.keys))
}

func job(only backfill.Only) backfill.Job {
	return backfill.Job{Bucket: source, Destination: destination, Fingerprint: settings, Only: only}
}

// run runs a job to its end and returns what was worked on.
func run(t *testing.T, o backfill.Options) ([]string, backfill.Progress, error) {
	t.Helper()
	r, _ := o.Resizer.(*resizer)
	r.keys = nil
	if o.Jobs == 0 {
		o.Jobs = 2
	}
	b, err := backfill.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Run(t.Context())
	return r.asked(), b.Progress(), err
}

func wantKeys(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("worked on %q, want %q", got, want)
	}
}

func wantCounts(t *testing.T, p backfill.Progress, want map[backfill.Status]int64) {
	t.Helper()
	got := map[backfill.Status]int64{}
	for status, c := range p.Counts {
		if c.Objects != 0 {
			got[status] = c.Objects
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("counts are %v, want %v", got, want)
	}
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%06d.jpg", i)
	}
	return keys
}
