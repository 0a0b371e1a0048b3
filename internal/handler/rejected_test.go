package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// The renditions of an older upload stay when a newer one is rejected; its record says so, and whose they are.
func TestARejectedUploadSaysWhoseRenditionsAreThere(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	const key, recordKey = "cat.jpg", ".s3resizer/cat.jpg.json"
	broken := func(t *testing.T, text string) json.RawMessage {
		t.Helper()
		return b.upload(t, key, []byte("no picture at all: "+text))
	}
	record := func(t *testing.T) (r report.Result) {
		t.Helper()
		_, data := b.get(t, "photos-resized", recordKey)
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	// of is the set that a rejection, and its record, are to name; nil for none.
	check := func(t *testing.T, r report.Result, of *report.Result) {
		t.Helper()
		var want *report.Set
		if of != nil {
			want = &report.Set{Source: of.Source, Renditions: of.Renditions}
		}
		if r.Status != report.Rejected || len(r.Renditions) != 0 || !reflect.DeepEqual(r.Previous, want) {
			t.Errorf("%s, previous %+v, want %+v", r.Status, r.Previous, want)
		}
		if recorded := record(t); !reflect.DeepEqual(recorded, r) {
			t.Errorf("recorded as %+v, reported as %+v", recorded, r)
		}
	}
	// A run of another upload that dies after a rendition leaves this.
	overwriteSmall := func(t *testing.T) {
		t.Helper()
		info, data := b.get(t, "photos-resized", "small-cat.jpg")
		info.Metadata["s3resizer-source-etag"] = "of-another-upload"
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: info.Bucket, Key: info.Key, ContentType: info.ContentType, Metadata: info.Metadata, Data: data}); err != nil {
			t.Fatal(err)
		}
	}

	check(t, one(t, h, broken(t, "the first upload")), nil)

	good := one(t, h, b.upload(t, key, photo(t, 800, 600, 1)))
	event := broken(t, "the next one")
	check(t, one(t, h, event), &good)
	check(t, one(t, h, event), &good) // the event comes twice
	check(t, one(t, h, broken(t, "another")), &good)

	t.Run("not a set that a run which died has begun to replace", func(t *testing.T) {
		overwriteSmall(t)
		check(t, one(t, h, event), nil)
	})
	t.Run("not a set that is overwritten before the record is there", func(t *testing.T) {
		good := one(t, h, b.upload(t, key, photo(t, 800, 600, 2)))
		event := broken(t, "overtaken")
		times := 0
		m := &meddler{Store: b, beforePut: func(_ int, u s3io.Upload) error {
			if times++; times == 1 {
				var written report.Result
				if err := json.Unmarshal(u.Data, &written); err != nil || !reflect.DeepEqual(written.Previous.Renditions, good.Renditions) {
					t.Errorf("at first: %s", u.Data)
				}
				overwriteSmall(t)
			}
			return nil
		}}
		check(t, one(t, b.handler(t, m), event), nil)
		if times != 2 {
			t.Errorf("%d records were written, want 2", times)
		}
	})
	t.Run("a record that can't be read is a failure, and stays", func(t *testing.T) {
		good := one(t, h, b.upload(t, key, photo(t, 800, 600, 3)))
		event := broken(t, "out of reach")
		_, err := b.handler(t, &blind{b}).Handle(t.Context(), event)
		if f := failureOf(t, err); f.Class != "transient" || !strings.Contains(err.Error(), recordKey) {
			t.Errorf("%v", err)
		}
		if r := record(t); !reflect.DeepEqual(r, good) {
			t.Errorf("%+v", r)
		}
		check(t, one(t, h, event), &good)
	})
	t.Run("a record that is none is replaced", func(t *testing.T) {
		one(t, h, b.upload(t, key, photo(t, 800, 600, 4)))
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: recordKey, ContentType: "text/plain", Data: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
		check(t, one(t, h, broken(t, "beside a text")), nil)
	})
	t.Run("the next picture's record names its own alone", func(t *testing.T) {
		if r := one(t, h, b.upload(t, key, photo(t, 800, 600, 5))); r.Previous != nil || record(t).Previous != nil {
			t.Errorf("%+v", r)
		}
	})
}

// blind can't read records.
type blind struct{ *bench }

func (b *blind) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	if strings.HasPrefix(key, ".s3resizer/") {
		return nil, &s3io.Error{Class: s3io.Transient, Op: "open", Bucket: bucket, Key: key, Err: errors.New("slow down")}
	}
	return b.bench.Open(ctx, bucket, key)
}
