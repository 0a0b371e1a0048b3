package handler_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// asking counts how often tags are asked for.
type asking struct {
	handler.Store
	times  atomic.Int32
	denied bool
}

func (a *asking) Tags(ctx context.Context, bucket, key string) (string, error) {
	a.times.Add(1)
	if a.denied {
		return "", &s3io.Error{Class: s3io.Denied, Op: "tags", Bucket: bucket, Key: key, Err: context.Canceled}
	}
	return a.Store.Tags(ctx, bucket, key)
}

// tagged puts an upload that has everything, and takes its event.
func (b *bench) tagged(t *testing.T, change func(*s3io.Upload)) []byte {
	t.Helper()
	u := s3io.Upload{
		Bucket: "photos", Key: "cat.jpg", ContentType: "image/jpeg", Data: photo(t, 200, 100, 1), Disposition: `attachment; filename="cat.jpg"`, Tags: "project=isle",
		Metadata: map[string]string{"by": "=?UTF-8?Q?Bj=C3=B8rn?=", "s3resizer-size": "theirs"},
	}
	if change != nil {
		change(&u)
	}
	if _, err := b.Put(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return <-b.events
}

func TestWhatTravelsAlong(t *testing.T) {
	b := newBench(t)
	event := b.tagged(t, nil)
	for asked, want := range map[string]struct{ by, disposition, tags string }{
		"":                    {},
		"metadata":            {by: "=?UTF-8?Q?Bj=C3=B8rn?="},
		"tags":                {tags: "project=isle"},
		"content-disposition": {disposition: `attachment; filename="cat.jpg"`},
		"metadata,tags, content-disposition,copyright": {"=?UTF-8?Q?Bj=C3=B8rn?=", `attachment; filename="cat.jpg"`, "project=isle"},
	} {
		asking := &asking{Store: b}
		if r := one(t, b.handler(t, asking, "RESIZE_COPY="+asked), event); r.Status != report.Resized {
			t.Fatalf("%s: %+v", asked, r)
		}
		for _, size := range []string{"small", "medium", "large"} {
			info, err := b.Head(t.Context(), "photos-resized", size+"-cat.jpg")
			tags, err2 := b.Tags(t.Context(), "photos-resized", size+"-cat.jpg")
			if err != nil || err2 != nil || info.Metadata["by"] != want.by || info.Disposition != want.disposition || tags != want.tags || info.Metadata["s3resizer-size"] != size {
				t.Errorf("%q: %s has %+v and the tags %q; %v, %v", asked, size, info, tags, err, err2)
			}
			if _, marked := info.Metadata["s3resizer-copied"]; marked != (asked != "") {
				t.Errorf("%q: %s says %v of itself", asked, size, info.Metadata)
			}
		}
		if record, _ := b.get(t, "photos-resized", ".s3resizer/cat.jpg.json"); record.Metadata["by"] != "" || record.Disposition != "" || record.Tags > 0 {
			t.Errorf("%q: the record has %+v", asked, record)
		}
		if times := asking.times.Load(); times > 0 && want.tags == "" {
			t.Errorf("%q: tags are asked for %d times", asked, times)
		}
	}
}

// S3 counts tags only for those that may read them.
func TestTagsAreAskedForWhereThereAreSome(t *testing.T) {
	b := newBench(t)
	store := &asking{Store: b}
	h := b.handler(t, store, "RESIZE_COPY=tags")
	bare := func() []byte { return b.tagged(t, func(u *s3io.Upload) { u.Tags = "" }) }
	for i, want := range []int32{1, 0, 2, 0} { // once to see that it may; never; before and after
		event := bare()
		if i == 2 {
			event = b.tagged(t, nil)
		}
		store.times.Store(0)
		one(t, h, event)
		if times := store.times.Load(); times != want {
			t.Errorf("upload %d: tags are asked for %d times, want %d", i, times, want)
		}
	}

	store.denied = true
	_, err := b.handler(t, store, "RESIZE_COPY=tags").Handle(t.Context(), bare())
	if f := failureOf(t, err); f.Class != report.Class(s3io.Denied) || f.Temporary() {
		t.Errorf("%+v", f)
	}
	if _, err := b.handler(t, store, "RESIZE_COPY=metadata").Handle(t.Context(), bare()); err != nil {
		t.Errorf("where tags are not asked for: %v", err)
	}
}

func TestMetadataThatLeaveNoRoom(t *testing.T) {
	b := newBench(t)
	big := func(bytes int) []byte {
		return b.tagged(t, func(u *s3io.Upload) {
			u.Tags, u.Disposition, u.Metadata = "", "", map[string]string{"m": strings.Repeat("x", bytes-1)}
		})
	}
	h := b.handler(t, b, "RESIZE_COPY=metadata")
	if r := one(t, h, big(1500)); r.Status != report.Resized {
		t.Errorf("%+v", r)
	}
	event := big(1850)
	r := one(t, h, event)
	if r.Status != report.Rejected || r.Class != report.ClassMetadata || !strings.Contains(r.Reason, "1850 bytes") || r.Previous == nil {
		t.Errorf("%+v", r)
	}
	if r := one(t, b.handler(t, b), event); r.Status != report.Resized {
		t.Errorf("where they are not asked for: %+v", r)
	}
	// The longest name of a size counts, and not the last one by the alphabet.
	long := strings.Repeat("a", 300)
	r = one(t, b.handler(t, b, "RESIZE_COPY=metadata", "RESIZE_SIZES=z=10,"+long+"=20"), big(1600))
	if r.Status != report.Rejected || r.Class != report.ClassMetadata {
		t.Errorf("beside a long name: %+v", r)
	}
}

// An upload of the same bytes with other things beside them, while the first one is being written.
func TestTheSameBytesWithSomethingElseBeside(t *testing.T) {
	const all = "RESIZE_COPY=metadata,tags,content-disposition"
	for what, change := range map[string]func(*s3io.Upload){
		"metadata":            func(u *s3io.Upload) { u.Metadata = map[string]string{"by": "another"} },
		"tags":                func(u *s3io.Upload) { u.Tags = "project=other" },
		"no tags":             func(u *s3io.Upload) { u.Tags = "" },
		"content-disposition": func(u *s3io.Upload) { u.Disposition = "inline" },
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t)
			m := &meddler{Store: b}
			for conditions, store := range map[string]handler.Store{"with conditions": m, "without": unconditional{m}} {
				event := b.tagged(t, nil)
				m.beforePut = b.before("medium-", func() { one(t, b.handler(t, b, all), b.tagged(t, change)) }).beforePut
				one(t, b.handler(t, store, all), event)
				b.wantOne(t)
				source, _ := b.Head(t.Context(), "photos", "cat.jpg")
				tags, _ := b.Tags(t.Context(), "photos", "cat.jpg")
				for _, size := range []string{"small", "medium", "large"} {
					info, err := b.Head(t.Context(), "photos-resized", size+"-cat.jpg")
					if got, _ := b.Tags(t.Context(), "photos-resized", size+"-cat.jpg"); err != nil || got != tags || info.Metadata["by"] != source.Metadata["by"] || info.Disposition != source.Disposition {
						t.Errorf("%s: %s has %+v and the tags %q, the upload %+v and %q", conditions, size, info, got, source, tags)
					}
				}
			}
		})
	}
}
