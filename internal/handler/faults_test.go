package handler_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize/resizetest/vips"
	"s3resizer/s3io"
)

// meddler is a store that lets a test step in.
type meddler struct {
	handler.Store
	mu        sync.Mutex
	puts      []string
	beforePut func(n int, u s3io.Upload) error // an error is what Put returns, without writing
	afterPut  func(n int, u s3io.Upload) error // an error is what Put returns, though it wrote
	open      func(*s3io.Object)
}

func (m *meddler) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	o, err := m.Store.Open(ctx, bucket, key)
	if err == nil && m.open != nil {
		m.open(o)
	}
	return o, err
}

func (m *meddler) Put(ctx context.Context, u s3io.Upload) (string, error) {
	m.mu.Lock()
	m.puts = append(m.puts, u.Key)
	n := len(m.puts)
	m.mu.Unlock()
	if m.beforePut != nil {
		if err := m.beforePut(n, u); err != nil {
			return "", err
		}
	}
	etag, err := m.Store.Put(ctx, u)
	if err == nil && m.afterPut != nil {
		err = m.afterPut(n, u)
	}
	return etag, err
}

func TestTheRecordComesLast(t *testing.T) {
	b := newBench(t)
	m := &meddler{Store: b}
	one(t, b.handler(t, m), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1)))
	if len(m.puts) != 4 || m.puts[3] != ".s3resizer/cat.jpg.json" {
		t.Errorf("written in the order %v", m.puts)
	}
}

func TestAnOverwrittenSourceIsDoneAgain(t *testing.T) {
	b := newBench(t)
	for name, at := range map[string]int{"after the first rendition": 1, "after the last one": 3, "after the record": 4} {
		t.Run(name, func(t *testing.T) {
			event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, uint8(20+at)))
			m := &meddler{Store: b, afterPut: func(n int, _ s3io.Upload) error {
				if n == at {
					b.upload(t, "cat.jpg", photo(t, 2000, 1500, uint8(10+at)))
				}
				return nil
			}}
			if r := one(t, b.handler(t, m), event); r.Status != report.Resized {
				t.Errorf("%+v", r)
			}
			source, _ := b.get(t, "photos", "cat.jpg")
			for _, key := range []string{"small-cat.jpg", "medium-cat.jpg", "large-cat.jpg", ".s3resizer/cat.jpg.json"} {
				if info, _ := b.get(t, "photos-resized", key); info.Metadata["s3resizer-source-etag"] != source.ETag {
					t.Errorf("%s is of upload %s, the newest is %s", key, info.Metadata["s3resizer-source-etag"], source.ETag)
				}
			}
		})
	}
	t.Run("again and again: an error", func(t *testing.T) {
		event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 99))
		seed := uint8(100)
		m := &meddler{Store: b, afterPut: func(_ int, u s3io.Upload) error {
			if strings.HasSuffix(u.Key, ".json") {
				seed++
				b.upload(t, "cat.jpg", photo(t, 2000, 1500, seed))
			}
			return nil
		}}
		_, err := b.handler(t, m).Handle(t.Context(), event)
		if f := failureOf(t, err); f.Class != "changed" || len(f.Written) != 3 {
			t.Errorf("%v", err)
		}
		if seed != 103 {
			t.Errorf("%d runs, want 3", seed-100)
		}
	})
	t.Run("while it is read", func(t *testing.T) {
		big := photo(t, 2000, 1500, 3)
		big = append(big, make([]byte, 9<<20)...) // trailing bytes: a second range, which no longer matches
		event := b.upload(t, "big.jpg", big)
		first := true
		m := &meddler{Store: b, open: func(o *s3io.Object) {
			if first {
				first = false
				o.ReadCloser = broken(o, &s3io.Error{Class: s3io.Changed, Op: "read", Bucket: "photos", Key: "big.jpg", Err: errors.New("precondition failed")})
			}
		}}
		if r := one(t, b.handler(t, m), event); r.Status != report.Resized {
			t.Errorf("%+v", r)
		}
	})
}

func TestAnEventOfAnOlderUpload(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	old := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	current := b.upload(t, "cat.jpg", photo(t, 1000, 900, 2))
	if r := one(t, h, old); r.Status != report.Resized || r.Source.Width != 1000 {
		t.Errorf("the older upload's event first: %+v", r)
	}
	if r := one(t, h, old); r.Status != report.Superseded {
		t.Errorf("again, with all in place: %+v", r)
	}
	if r := one(t, h, current); r.Status != report.Resized {
		t.Errorf("the current upload's event: %+v", r)
	}
	// A run that died half-way may have put an old rendition back after the record was written.
	info, data := b.get(t, "photos-resized", "medium-cat.jpg")
	info.Metadata["s3resizer-source-etag"] = "of-an-older-upload"
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: info.Key, ContentType: info.ContentType, Metadata: info.Metadata, Data: data}); err != nil {
		t.Fatal(err)
	}
	if r := one(t, h, old); r.Status != report.Resized {
		t.Errorf("with one rendition of an older upload: %+v", r)
	}
	info, data = b.get(t, "photos-resized", ".s3resizer/cat.jpg.json")
	data = bytes.Replace(data, []byte(`"resized"`), []byte(`"rejected"`), 1)
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: info.Key, ContentType: info.ContentType, Metadata: info.Metadata, Data: data}); err != nil {
		t.Fatal(err)
	}
	if r := one(t, h, old); r.Status != report.Resized {
		t.Errorf("below a record that says that it was rejected: %+v", r)
	}
	if r := one(t, b.handler(t, b, "RESIZE_QUALITY=70"), old); r.Status != report.Resized {
		t.Errorf("with renditions of other settings: %+v", r)
	}
}

func broken(o *s3io.Object, err error) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(o.ReadCloser, o.Size/2), failing{err}), o.ReadCloser}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFaultsAreFailuresNotRejections(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 3000, 2000, 1))
	transient := &s3io.Error{Class: s3io.Transient, Op: "read", Bucket: "photos", Key: "cat.jpg", Err: errors.New("connection reset")}
	for name, c := range map[string]struct {
		m       *meddler
		class   report.Class
		written int // at least
	}{
		"the body breaks off":                 {&meddler{open: func(o *s3io.Object) { o.ReadCloser = broken(o, transient) }}, "transient", 0},
		"it breaks off in the header":         {&meddler{open: func(o *s3io.Object) { o.ReadCloser = io.NopCloser(failing{transient}) }}, "transient", 0},
		"the store fails in a word not known": {&meddler{open: func(o *s3io.Object) { o.ReadCloser = broken(o, errors.New("odd")) }}, report.ClassInternal, 0},
		"no rendition can be written":         {&meddler{beforePut: func(int, s3io.Upload) error { return transient }}, "transient", 0},
		"one can't": {&meddler{beforePut: func(_ int, u s3io.Upload) error {
			if strings.HasPrefix(u.Key, "small-") {
				time.Sleep(50 * time.Millisecond) // the others are through by then
				return transient
			}
			return nil
		}}, "transient", 1},
		"one is written, and the answer lost": {&meddler{afterPut: func(n int, _ s3io.Upload) error {
			if n == 1 {
				return transient
			}
			return nil
		}}, "transient", 0},
		"the record can't be written": {&meddler{beforePut: func(_ int, u s3io.Upload) error {
			if strings.HasSuffix(u.Key, ".json") {
				return &s3io.Error{Class: s3io.Denied, Op: "put", Bucket: u.Bucket, Key: u.Key, Err: errors.New("no")}
			}
			return nil
		}}, "access-denied", 3},
	} {
		t.Run(name, func(t *testing.T) {
			c.m.Store = b
			answer, err := b.handler(t, c.m).Handle(t.Context(), event)
			f := failureOf(t, err)
			if f.Class != c.class || len(f.Written) < c.written || len(answer.Results) != 0 {
				t.Errorf("class %q, written %v, want %q and %d: %v", f.Class, f.Written, c.class, c.written, err)
			}
			if !strings.Contains(err.Error(), "s3://photos/cat.jpg") {
				t.Errorf("the error does not name the object: %v", err)
			}
			b.absent(t, "photos-resized", ".s3resizer/cat.jpg.json")
			if n := vips.OpenImageRefs(); n != 0 {
				t.Errorf("%d libvips images are still open", n)
			}
		})
	}
	t.Run("one object's failure leaves the others alone", func(t *testing.T) {
		one := b.upload(t, "good.jpg", photo(t, 500, 400, 1))
		event := append(append(append([]byte{}, event[:len(event)-2]...), ','), one[len(`{"Records":[`):]...)
		m := &meddler{Store: b, beforePut: func(_ int, u s3io.Upload) error {
			if strings.HasSuffix(u.Key, "cat.jpg") {
				return transient
			}
			return nil
		}}
		answer, err := b.handler(t, m).Handle(t.Context(), event)
		if f := failureOf(t, err); f.Key != "cat.jpg" || len(answer.Results) != 1 || answer.Results[0].Status != report.Resized {
			t.Errorf("%v, %+v", err, answer)
		}
	})
}

func TestTheDeadlineEndsTheWorkInTime(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 3000, 2000, 1))
	for name, m := range map[string]*meddler{
		"while bytes are awaited": {Store: b, open: func(o *s3io.Object) {
			half := io.LimitReader(o.ReadCloser, o.Size/2)
			o.ReadCloser = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(half, &slow{o.ReadCloser}), o.ReadCloser}
		}},
		"while renditions are written": {Store: b, beforePut: func(n int, _ s3io.Upload) error {
			time.Sleep(600 * time.Millisecond)
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			// 400 ms for the work, and a margin that a busy machine does not use up.
			ctx, cancel := context.WithTimeout(t.Context(), 2400*time.Millisecond)
			defer cancel()
			_, err := b.handler(t, m, "RESIZE_DEADLINE_MARGIN=2s").Handle(ctx, event)
			if f := failureOf(t, err); f.Class != report.ClassDeadline {
				t.Errorf("class %q: %v", f.Class, err)
			}
			if ctx.Err() != nil {
				t.Error("the margin was not kept: Lambda would have stopped the function")
			}
			b.absent(t, "photos-resized", ".s3resizer/cat.jpg.json")
		})
	}
}

// slow is a connection that brings a byte every ten milliseconds.
type slow struct{ r io.Reader }

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return s.r.Read(p[:1])
}
