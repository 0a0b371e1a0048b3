package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

const deletes = "RESIZE_ORIGINAL=delete"

// recordOfCat is the record of cat.jpg.
func (b *bench) recordOfCat(t *testing.T) (record report.Result) {
	t.Helper()
	_, data := b.get(t, "photos-resized", ".s3resizer/cat.jpg.json")
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatal(err)
	}
	return record
}

// deleting is a store in which something happens before the source is deleted; its error is what Delete returns.
type deleting struct {
	*bench
	before func() error
}

func (d deleting) Delete(ctx context.Context, bucket, key, etag string) error {
	if bucket == "photos" {
		if err := d.before(); err != nil {
			return err
		}
	}
	return d.bench.Delete(ctx, bucket, key, etag)
}

// Whatever comes after the original was deleted by us finds it done: neither a failure, nor a reason to remove the renditions.
func TestTheOriginalIsDeletedOnceItIsResized(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
	r := one(t, b.handler(t, b, deletes), event)
	if r.Status != report.Resized || !r.Source.Deleted {
		t.Errorf("%+v", r)
	}
	b.absent(t, "photos", "cat.jpg")
	b.wantOne(t)
	if record := b.recordOfCat(t); !record.Source.Deleted {
		t.Errorf("the record says nothing of it: %+v", record)
	}
	for name, event := range map[string]string{
		"delivered again":       string(event),
		"our own deletion":      removed("ObjectRemoved:Delete", "cat.jpg"),
		"our own delete marker": removed("ObjectRemoved:DeleteMarkerCreated", "cat.jpg"),
		"EventBridge":           detail("Object Deleted", "cat.jpg"),
	} {
		for _, settings := range [][]string{{deletes}, {deletes, "RESIZE_DELETE=on"}, {"RESIZE_DELETE=on"}} {
			if r := one(t, b.handler(t, b, settings...), []byte(event)); r.Status != report.Skipped || r.Reason == "" {
				t.Errorf("%s, %v: %+v", name, settings, r)
			}
			b.wantOne(t)
		}
	}
	answer, err := b.handler(t, b, deletes).Respond(t.Context(), []byte(`{"invocationSchemaVersion":"2.0","invocationId":"Y","tasks":[{"taskId":"t","s3Key":"cat.jpg","s3Bucket":"photos"}]}`))
	if err != nil || answer.(events.S3BatchJobResponse).Results[0].ResultCode != "Succeeded" {
		t.Errorf("S3 Batch: %+v, %v", answer, err)
	}
	// The next upload is one like any other, and if somebody else deletes that, its renditions go.
	event = b.upload(t, "cat.jpg", photo(t, 60, 40, 2))
	one(t, b.handler(t, b, "RESIZE_DELETE=on"), event)
	b.drop(t, "cat.jpg")
	if r := one(t, b.handler(t, b, deletes, "RESIZE_DELETE=on"), []byte(removed("ObjectRemoved:Delete", "cat.jpg"))); r.Status != report.Deleted {
		t.Errorf("%+v", r)
	}
}

func TestAnOriginalOfWhichNotAllIsMadeStays(t *testing.T) {
	b := newBench(t)
	whole := photo(t, 600, 400, 1)
	for name, c := range map[string]struct {
		data    []byte
		environ string
		want    report.Status
	}{
		"no picture":             {[]byte("no picture"), "RESIZE_RECORD=on", report.Rejected},
		"too large":              {whole, "RESIZE_MAX_PIXELS=1000", report.Rejected},
		"cut short":              {whole[:len(whole)*3/4], "RESIZE_RECORD=on", report.Rejected},
		"cut short and rendered": {whole[:len(whole)*3/4], "RESIZE_ON_TRUNCATED=accept", report.Resized},
		"too many bytes":         {whole, "RESIZE_MAX_BYTES=100", report.Rejected},
	} {
		t.Run(name, func(t *testing.T) {
			event := b.upload(t, "cat.jpg", c.data)
			if r := one(t, b.handler(t, b, deletes, c.environ), event); r.Status != c.want || r.Source.Deleted {
				t.Errorf("%+v", r)
			}
			b.get(t, "photos", "cat.jpg")
			if record := b.recordOfCat(t); record.Source.Deleted {
				t.Errorf("the record says that it is deleted: %+v", record)
			}
		})
	}
}

// A set whose original was deleted by us can't be made anew: it does not go with a rejected upload of that name.
func TestARejectedUploadThatGoesTakesNothingAlong(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, deletes, "RESIZE_DELETE=on")
	one(t, h, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
	if r := one(t, h, b.upload(t, "cat.jpg", []byte("no picture"))); r.Status != report.Rejected || r.Previous == nil {
		t.Fatalf("%+v", r)
	}
	b.drop(t, "cat.jpg")
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", "cat.jpg"))); r.Status != report.Skipped {
		t.Errorf("%+v", r)
	}
	for _, size := range []string{"small", "medium", "large"} {
		b.get(t, "photos-resized", size+"-cat.jpg")
	}
}

// An upload that comes between the record and the deletion is not deleted unseen, be it of other bytes or told of late.
func TestANewerOriginalIsNotDeletedForTheOneBefore(t *testing.T) {
	b := newBench(t)
	var once sync.Once
	store := deleting{b, func() error {
		once.Do(func() { b.upload(t, "cat.jpg", photo(t, 60, 40, 2)) })
		return nil
	}}
	first := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
	older, _ := b.get(t, "photos", "cat.jpg")
	r := one(t, b.handler(t, store, deletes), first)
	if r.Status != report.Resized || r.Source.ETag == older.ETag {
		t.Errorf("%+v", r)
	}
	if label := b.wantOne(t); label.ETag == older.ETag {
		t.Error("the set is of the older one")
	}
	b.absent(t, "photos", "cat.jpg")
}

// A run that dies, or is denied, between the record and the deletion leaves the source, and the event that comes again ends it.
func TestADeletionThatFailsIsDoneAgain(t *testing.T) {
	b := newBench(t)
	for _, class := range []s3io.Class{s3io.Transient, s3io.Denied} {
		event := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
		_, err := b.handler(t, deleting{b, func() error {
			return &s3io.Error{Class: class, Op: "delete", Bucket: "photos", Key: "cat.jpg", Err: errors.New("no")}
		}}, deletes).Handle(t.Context(), event)
		if f := failureOf(t, err); f.Class != report.Class(class) || !strings.Contains(f.Error(), "delete s3://photos/cat.jpg") {
			t.Errorf("%v", f)
		}
		b.get(t, "photos", "cat.jpg")
		if r := one(t, b.handler(t, b, deletes), event); r.Status != report.Resized {
			t.Errorf("%+v", r)
		}
		b.absent(t, "photos", "cat.jpg")
		b.wantOne(t)
	}
}

// A run that is slow, and writes after a newer upload is done and gone, could not make it anew: it writes nothing over it.
func TestASlowRunWritesNothingOverANewerUploadThatIsGone(t *testing.T) {
	for _, prefix := range []string{"small-", "medium-", "large-", ".s3resizer/"} {
		t.Run(prefix, func(t *testing.T) {
			b := newBench(t)
			quick := b.handler(t, b, deletes)
			var newer string
			store := b.before(prefix, func() {
				event := b.upload(t, "cat.jpg", photo(t, 60, 40, 2))
				info, _ := b.get(t, "photos", "cat.jpg")
				newer = info.ETag
				one(t, quick, event)
			})
			r := one(t, b.handler(t, store, deletes), b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
			if r.Status != report.Skipped {
				t.Errorf("%+v", r)
			}
			if label := b.wantOne(t); label.ETag != newer {
				t.Errorf("the set is of %s, not of the newer upload %s", label.ETag, newer)
			}
			b.absent(t, "photos", "cat.jpg")
		})
	}
}

// Two deliveries of one event at once, or an answer that is lost, are no reason to go again: what stands there is the same.
func TestWhatIsMadeBesideIsTaken(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "cat.jpg", photo(t, 60, 40, 1))
	lost := &meddler{Store: b, beforePut: func(_ int, u s3io.Upload) error {
		if strings.HasPrefix(u.Key, "medium-") {
			u.Replaces = ""
			_, err := b.Put(context.Background(), u)
			return err
		}
		return nil
	}}
	if r := one(t, b.handler(t, lost, deletes), event); r.Status != report.Resized || len(lost.puts) != 4 {
		t.Errorf("%+v, after %v", r, lost.puts)
	}
	b.wantOne(t)
	b.absent(t, "photos", "cat.jpg")
}
