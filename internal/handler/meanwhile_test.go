package handler_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/internal/report/reporttest"
	"s3resizer/resize/resizetest"
	"s3resizer/s3io"
)

// before is a store in which something happens once, before an object whose key begins like that is written.
func (b *bench) before(prefix string, what func()) *meddler {
	var happened atomic.Bool
	return &meddler{Store: b, beforePut: func(_ int, u s3io.Upload) error {
		if strings.HasPrefix(u.Key, prefix) && happened.CompareAndSwap(false, true) {
			what()
		}
		return nil
	}}
}

// wantOne checks that every rendition of cat.jpg, and its record, are of one upload under one kind of settings, and returns
// the record's label.
func (b *bench) wantOne(t *testing.T) report.Label {
	t.Helper()
	info, data := b.get(t, "photos-resized", ".s3resizer/cat.jpg.json")
	if err := reporttest.Check(data); err != nil {
		t.Error(err)
	}
	of, _ := report.LabelOf(info)
	cache := ""
	for _, size := range []string{"small", "medium", "large"} {
		info, _ := b.get(t, "photos-resized", size+"-cat.jpg")
		if label, _ := report.LabelOf(info); label.ETag != of.ETag || label.Settings != of.Settings {
			t.Errorf("%s is of %.4s under %s, and the record of %.4s under %s", size, label.ETag, label.Settings, of.ETag, of.Settings)
		}
		if cache == "" {
			cache = info.CacheControl
		}
		if info.CacheControl != cache {
			t.Errorf("%s has Cache-Control %q, another one %q", size, info.CacheControl, cache)
		}
	}
	return of
}

// Two deliveries under different settings, a deployment's old function and its new one: whoever writes the record last has
// written all of the set.
func TestTwoSettingsAtOnce(t *testing.T) {
	for _, prefix := range []string{"small-", "medium-", "large-", ".s3resizer/"} {
		b := newBench(t)
		event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
		newer := b.handler(t, b, "RESIZE_QUALITY=70")
		older := b.handler(t, b.before(prefix, func() { one(t, newer, event) }))
		if r := one(t, older, event); r.Status != report.Resized {
			t.Errorf("%+v", r)
		}
		b.wantOne(t)
	}
}

// The same delivery twice at once costs the second one four looks and a record, and not its work again.
func TestTheSameTwiceAtOnce(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	m := b.before(".s3resizer/", func() { one(t, b.handler(t, b), event) })
	if r := one(t, b.handler(t, m), event); r.Status != report.Resized || len(r.Renditions) != 3 {
		t.Errorf("%+v", r)
	}
	if len(m.puts) != 5 {
		t.Errorf("it wrote %v", m.puts)
	}
	b.wantOne(t)
}

// A set that is written while smaller limits reject its picture ends below its own record, not below that of the rejection.
func TestSmallerLimitsAtOnce(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	m := b.before("small-", func() {
		if r := one(t, b.handler(t, b, "RESIZE_MAX_PIXELS=1000"), event); r.Status != report.Rejected {
			t.Errorf("%+v", r)
		}
	})
	if r := one(t, b.handler(t, m), event); r.Status != report.Resized {
		t.Errorf("%+v", r)
	}
	b.wantOne(t)
	if _, data := b.get(t, "photos-resized", ".s3resizer/cat.jpg.json"); !strings.Contains(string(data), `"status":"resized"`) {
		t.Errorf("the record says %s", data)
	}
}

// Who has read an older upload, and finds the newer one's record in place and the source gone, leaves that record alone.
func TestAnOlderUploadsRecordDoesNotReplaceANewerOnes(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	m := b.before(".s3resizer/", func() {
		one(t, b.handler(t, b), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 2)))
		if err := b.Delete(t.Context(), "photos", "cat.jpg", ""); err != nil {
			t.Fatal(err)
		}
	})
	if r := one(t, b.handler(t, m), event); r.Status != report.Gone {
		t.Errorf("%+v", r)
	}
	if of := b.wantOne(t); strings.Contains(string(event), of.ETag) {
		t.Error("the record is of the older upload")
	}
}

// A rendition that is copied over its own source, with its metadata, is an upload like any other.
func TestARenditionCopiedOverItsSource(t *testing.T) {
	b := newBench(t)
	one(t, b.handler(t, b), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1)))
	info, data := b.get(t, "photos-resized", "large-cat.jpg")
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 2))
	m := b.before("medium-", func() {
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "cat.jpg", ContentType: "image/jpeg", Data: data, Metadata: info.Metadata}); err != nil {
			t.Fatal(err)
		}
	})
	if r := one(t, b.handler(t, m), event); r.Status != report.Resized || r.Source.ETag != info.ETag {
		t.Errorf("%+v", r)
	}
	if of := b.wantOne(t); of.ETag != info.ETag {
		t.Errorf("the set is of %s, not of the copy", of.ETag)
	}
}

// A set that was made where the limits are wider is not called rejected where they are not.
func TestSmallerLimitsRejectNothingThatIsDone(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	one(t, b.handler(t, b), event)
	if r := one(t, b.handler(t, b, "RESIZE_MAX_PIXELS=1000"), event); r.Status != report.Superseded {
		t.Errorf("%+v", r)
	}
	b.wantOne(t)
	other := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 2))
	if r := one(t, b.handler(t, b, "RESIZE_MAX_PIXELS=1000"), other); r.Status != report.Rejected || r.Previous == nil {
		t.Errorf("another upload: %+v", r)
	}
}

// An upload of the same bytes with another Cache-Control, while the first one is being written.
func TestTheSameBytesWithAnotherCacheControl(t *testing.T) {
	b := newBench(t)
	data := photo(t, 2000, 1500, 1)
	event := b.upload(t, "cat.jpg", data)
	m := &meddler{Store: b}
	again := func() {
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "cat.jpg", ContentType: "image/jpeg", CacheControl: "no-store", Data: data}); err != nil {
			t.Fatal(err)
		}
		one(t, b.handler(t, b), <-b.events)
	}
	for what, store := range map[string]handler.Store{"with conditions": m, "without": unconditional{m}} {
		m.beforePut = b.before("medium-", again).beforePut
		one(t, b.handler(t, store), event)
		b.wantOne(t)
		if info, _ := b.get(t, "photos-resized", "small-cat.jpg"); info.CacheControl != "no-store" {
			t.Errorf("%s: Cache-Control %q", what, info.CacheControl)
		}
		event = b.upload(t, "cat.jpg", data)
	}
}

// A rendition that comes between a removal's look at its place and the removal itself is spared.
func TestARenditionIsSparedByARemoval(t *testing.T) {
	b := newBench(t)
	one(t, b.handler(t, b), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1)))
	if err := b.Delete(t.Context(), "photos", "cat.jpg", ""); err != nil {
		t.Fatal(err)
	}
	s := &sparing{Store: b, before: func() { one(t, b.handler(t, b), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 2))) }}
	s.after = func(key string) {
		if _, err := b.Head(t.Context(), "photos-resized", key); err != nil {
			t.Errorf("%s is gone: %v", key, err)
		}
	}
	one(t, b.handler(t, s, "RESIZE_DELETE=on"), []byte(removed("ObjectRemoved:Delete", "cat.jpg")))
	b.wantOne(t)
}

// sparing is a store in which something happens before the first removal and after each.
type sparing struct {
	handler.Store
	before func()
	after  func(key string)
}

func (s *sparing) Delete(ctx context.Context, bucket, key, etag string) error {
	if s.before != nil {
		s.before()
		s.before = nil
	}
	err := s.Store.Delete(ctx, bucket, key, etag)
	s.after(key)
	return err
}

// unconditional is an S3 that takes no notice of what an object is to replace.
type unconditional struct{ handler.Store }

func (u unconditional) Put(ctx context.Context, upload s3io.Upload) (string, error) {
	upload.Replaces = ""
	return u.Store.Put(ctx, upload)
}

// What stands in the place of the record is known before the first rendition is written: who finishes after that is noticed.
func TestNothingIsDoneBeforeTheRecordIsKnown(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1))
	late := &lateRecord{Store: b, t: t}
	h := b.handler(t, late)
	older := bytes.Replace(event, []byte(`"eTag":"`), []byte(`"eTag":"0`), 1)
	for _, c := range []struct {
		event []byte
		want  report.Status
	}{{event, report.Resized}, {older, report.Superseded}, {b.upload(t, "text.jpg", []byte("no picture")), report.Rejected}} {
		late.told.Store(false)
		if r := one(t, h, c.event); r.Status != c.want {
			t.Errorf("%+v", r)
		}
	}
}

// lateRecord takes its time to tell of a record, and wants nobody to begin before.
type lateRecord struct {
	handler.Store
	t    *testing.T
	told atomic.Bool
}

func (s *lateRecord) check(what, bucket, key string) {
	if bucket == "photos-resized" && !s.told.Load() {
		s.t.Errorf("%s %s before it is known what record stands", what, key)
	}
}

func (s *lateRecord) Head(ctx context.Context, bucket, key string) (s3io.Info, error) {
	if strings.HasPrefix(key, ".s3resizer/") {
		time.Sleep(300 * time.Millisecond)
		s.told.Store(true)
	}
	s.check("look at", bucket, key)
	return s.Store.Head(ctx, bucket, key)
}

func (s *lateRecord) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	s.check("read", bucket, key)
	return s.Store.Open(ctx, bucket, key)
}

func (s *lateRecord) Put(ctx context.Context, u s3io.Upload) (string, error) {
	s.check("write", u.Bucket, u.Key)
	return s.Store.Put(ctx, u)
}

// a.tif becomes a.tif.jpg, and so does a.tif.jpg: whoever comes second is told, as long as the first one is there.
func TestTwoSourcesOfTheSameNames(t *testing.T) {
	pictures := resizetest.Pictures()
	tiff := pictures[slices.IndexFunc(pictures, func(p resizetest.Picture) bool {
		return p.Shows != nil && p.Shows.Format == "tiff" && p.Shows.Output == "jpeg"
	})].Data
	jpeg := photo(t, 60, 40, 1)
	for _, order := range [][2]string{{"a.tif", "a.tif.jpg"}, {"a.tif.jpg", "a.tif"}} {
		b := newBench(t)
		h := b.handler(t, b)
		files := map[string][]byte{"a.tif": tiff, "a.tif.jpg": jpeg}
		if r := one(t, h, b.upload(t, order[0], files[order[0]])); r.Status != report.Resized {
			t.Fatalf("%+v", r)
		}
		event := b.upload(t, order[1], files[order[1]])
		r := one(t, h, event)
		if r.Status != report.Rejected || r.Class != report.ClassKeyTaken || !strings.Contains(r.Reason, "s3://photos/"+order[0]+",") {
			t.Errorf("%v: %+v", order, r)
		}
		info, _ := b.get(t, "photos-resized", "small-a.tif.jpg")
		if label, _ := report.LabelOf(info); !label.Names("photos", order[0]) {
			t.Errorf("%v: it is of %s", order, label.Source)
		}
		if err := b.Delete(t.Context(), "photos", order[0], ""); err != nil {
			t.Fatal(err)
		}
		if r := one(t, h, event); r.Status != report.Resized {
			t.Errorf("%v, when the first is gone: %+v", order, r)
		}
	}
}

// With records or without, nothing is written where they are.
func TestNoTemplateLeadsAmongTheRecords(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
	for _, record := range []string{"on", "off"} {
		if r := one(t, b.handler(t, b, "RESIZE_KEY_TEMPLATE=.s3resizer/{size}/{key}", "RESIZE_RECORD="+record), event); r.Class != report.ClassReservedKey {
			t.Errorf("records %s: %+v", record, r)
		}
	}
}

// A picture that may be damaged is fetched once more to be examined. If another one is there at that moment, the two are not
// taken for one, even if the first is back when all is looked at in the end.
func TestASuspectThatIsReplacedIsReadAnew(t *testing.T) {
	b := newBench(t)
	good, damaged := photo(t, 2000, 1500, 2), photo(t, 2000, 1500, 1)
	copy(damaged[len(damaged)/2:], make([]byte, 2000))
	event := b.upload(t, "cat.jpg", damaged)
	next := [][]byte{good, damaged}
	m := &meddler{Store: b, open: func(o *s3io.Object) {
		if o.Bucket == "photos" && len(next) > 0 {
			data := next[0]
			next = next[1:]
			o.ReadCloser = &atEnd{o.ReadCloser, func() { b.upload(t, "cat.jpg", data) }}
		}
	}}
	if r := one(t, b.handler(t, m), event); r.Status != report.Resized || strings.Contains(string(event), r.Source.ETag) {
		t.Errorf("what was made of the one is told of the other: %+v", r)
	}
}

// atEnd does something once, when all was read.
type atEnd struct {
	io.ReadCloser
	do func()
}

func (r *atEnd) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && r.do != nil {
		r.do()
		r.do = nil
	}
	return n, err
}

// An older set of which a rendition has other bytes than its record tells is not named as still in place.
func TestPreviousWithOtherBytes(t *testing.T) {
	b := newBench(t)
	one(t, b.handler(t, b), b.upload(t, "cat.jpg", photo(t, 2000, 1500, 1)))
	info, data := b.get(t, "photos-resized", "medium-cat.jpg")
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: info.Bucket, Key: info.Key, ContentType: info.ContentType, Data: data[:len(data)-1], Metadata: info.Metadata}); err != nil {
		t.Fatal(err)
	}
	if r := one(t, b.handler(t, b), b.upload(t, "cat.jpg", []byte("no picture"))); r.Status != report.Rejected || r.Previous != nil {
		t.Errorf("%+v", r)
	}
}

// What somebody has to mend is told as that, even if it comes when the time is up.
func TestWhatIsDeniedIsNotCalledLate(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	m := &meddler{Store: b, beforePut: func(int, s3io.Upload) error {
		<-ctx.Done()
		return &s3io.Error{Class: s3io.Denied, Op: "put", Bucket: "photos-resized", Key: "small-cat.jpg", Err: errors.New("you may not")}
	}}
	_, err := b.handler(t, m, "RESIZE_DEADLINE_MARGIN=0s").Handle(ctx, event)
	if f := failureOf(t, err); f.Class != report.Class(s3io.Denied) {
		t.Errorf("%s: %v", f.Class, f)
	}
}
