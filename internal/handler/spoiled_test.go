package handler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize/resizetest"
	"s3resizer/s3io"
)

// What resize makes of each is tested there; here, that the object is fetched once more where that is needed, and what
// is reported and recorded.
func TestSpoiledPictures(t *testing.T) {
	all, err := resizetest.Spoil("../../resize/testdata/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	for _, setting := range []string{"reject", "accept"} {
		h := b.handler(t, b, "RESIZE_ON_TRUNCATED="+setting)
		for i, s := range all {
			t.Run(setting+"/"+s.Name, func(t *testing.T) {
				key := fmt.Sprintf("%s-%d.jpg", setting, i)
				r := one(t, h, b.upload(t, key, s.Data))
				accepted := s.Outcome == resizetest.Whole || s.Outcome == resizetest.Cut && setting == "accept"
				if accepted != (r.Status == report.Resized && len(r.Renditions) == 3) {
					t.Errorf("%+v", r)
				}
				if !accepted && (r.Status != report.Rejected || r.Class != "corrupt" || !strings.Contains(r.Reason, " at row ") || len(r.Renditions) > 0) {
					t.Errorf("%+v", r)
				}
				if mended := s.Outcome == resizetest.Cut && setting == "reject"; strings.Contains(r.Reason, "; RESIZE_ON_TRUNCATED=accept renders what is there") != mended {
					t.Errorf("the setting that would do is told of %v, want %v: %s", !mended, mended, r.Reason)
				}
				truncated := accepted && s.Outcome == resizetest.Cut
				_, record := b.get(t, "photos-resized", ".s3resizer/"+key+".json")
				if r.Source.Truncated != truncated || strings.Contains(string(record), `"truncated":true`) != truncated {
					t.Errorf("truncated in the report: %v, record %s", r.Source.Truncated, record)
				}
			})
		}
	}
}

// reopened is a store whose sources can be meddled with when they are opened for the second time.
type reopened struct {
	handler.Store
	opens  int
	second func() (*s3io.Object, error)
}

func (s *reopened) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	if bucket == "photos" {
		if s.opens++; s.opens == 2 {
			return s.second()
		}
	}
	return s.Store.Open(ctx, bucket, key)
}

func TestTheSecondLookAtASpoiledPicture(t *testing.T) {
	b := newBench(t)
	cut := photo(t, 1200, 900, 1)
	cut = cut[:len(cut)*7/10]
	open := func() (*s3io.Object, error) { return b.Open(t.Context(), "photos", "cut.jpg") }

	t.Run("takes one more request, and a good picture none", func(t *testing.T) {
		for name, c := range map[string]struct {
			data  []byte
			opens int
		}{"cut.jpg": {cut, 2}, "good.jpg": {photo(t, 1200, 900, 1), 1}} {
			store := &reopened{Store: b}
			store.second = func() (*s3io.Object, error) { return b.Open(t.Context(), "photos", name) }
			one(t, b.handler(t, store), b.upload(t, name, c.data))
			if store.opens != c.opens {
				t.Errorf("%s was opened %d times, want %d", name, store.opens, c.opens)
			}
		}
	})
	t.Run("finds a newer upload: that one is resized", func(t *testing.T) {
		event := b.upload(t, "cut.jpg", cut)
		store := &reopened{Store: b, second: func() (*s3io.Object, error) {
			b.upload(t, "cut.jpg", photo(t, 1200, 900, 2))
			return open()
		}}
		if r := one(t, b.handler(t, store), event); r.Status != report.Resized || r.Source.Truncated {
			t.Errorf("%+v", r)
		}
	})
	t.Run("finds nothing: gone", func(t *testing.T) {
		event := b.upload(t, "cut.jpg", cut)
		store := &reopened{Store: b, second: func() (*s3io.Object, error) {
			b.drop(t, "cut.jpg")
			return open()
		}}
		if r := one(t, b.handler(t, store), event); r.Status != report.Gone {
			t.Errorf("%+v", r)
		}
	})
	t.Run("breaks: a failure, not a rejection", func(t *testing.T) {
		event := b.upload(t, "cut.jpg", cut)
		for _, second := range []func() (*s3io.Object, error){
			func() (*s3io.Object, error) {
				return nil, &s3io.Error{Class: s3io.Transient, Op: "open", Err: errors.New("503")}
			},
			func() (*s3io.Object, error) {
				o, err := open()
				if err == nil {
					o.ReadCloser = broken(o, &s3io.Error{Class: s3io.Transient, Op: "read", Err: errors.New("reset")})
				}
				return o, err
			},
		} {
			_, err := b.handler(t, &reopened{Store: b, second: second}).Handle(t.Context(), event)
			if f := failureOf(t, err); f.Class != report.Class(s3io.Transient) {
				t.Errorf("%v", err)
			}
		}
	})
}
