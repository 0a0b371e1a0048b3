package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// With source and destination in one bucket, each output's own event comes to nothing; and with originals deleted, so does
// everything that tells of one again.
func TestOneBucketWithoutOriginals(t *testing.T) {
	s := newStage(t, "RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=resized/{size}/{key}", "RESIZE_ORIGINAL=delete", "RESIZE_DELETE=on")
	event := s.upload(t, "photos", "여행/a b+c.jpg", photo(t, 500, 400))
	answer := s.invoke(t, event)
	if r := answer.Results[0]; r.Status != report.Resized || !r.Source.Deleted || r.Renditions[0].Key != "resized/small/여행/a b+c.jpg" {
		t.Fatalf("%+v", r)
	}
	if _, err := s.Head(t.Context(), "photos", "여행/a b+c.jpg"); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("the original is there: %v", err)
	}
	for range 4 {
		if r := s.invoke(t, <-s.events).Results[0]; r.Status != report.Skipped {
			t.Errorf("an output's event: %+v", r)
		}
	}
	for name, again := range map[string][]byte{"delivered again": event, "told of the deletion": removal(event)} {
		if r := s.invoke(t, again).Results[0]; r.Status != report.Skipped {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if len(s.events) > 0 {
		t.Errorf("one more object was written: %s", <-s.events)
	}
	for _, key := range []string{"resized/small/여행/a b+c.jpg", "resized/medium/여행/a b+c.jpg", "resized/large/여행/a b+c.jpg", ".s3resizer/여행/a b+c.jpg.json"} {
		if _, err := s.Head(t.Context(), "photos", key); err != nil {
			t.Error(err)
		}
	}
	kept := s.upload(t, "photos", "notes.jpg", []byte("no picture"))
	if r := s.invoke(t, kept).Results[0]; r.Status != report.Rejected {
		t.Errorf("%+v", r)
	}
	if _, err := s.Head(t.Context(), "photos", "notes.jpg"); err != nil {
		t.Errorf("a rejected original: %v", err)
	}
}

// removal makes the event of a removal of that of an upload.
func removal(event json.RawMessage) json.RawMessage {
	return bytes.ReplaceAll(event, []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete"))
}

func TestWhatWasMadeOfAnUploadGoesWithIt(t *testing.T) {
	s := newStage(t, "RESIZE_DELETE=on")
	event := s.upload(t, "photos", "여행/a b+c.jpg", photo(t, 500, 400))
	s.invoke(t, event)
	if err := s.Delete(t.Context(), "photos", "여행/a b+c.jpg", ""); err != nil {
		t.Fatal(err)
	}
	answer := s.invoke(t, removal(event))
	if r := answer.Results[0]; r.Status != report.Deleted || len(r.Removed) != 4 {
		t.Errorf("%+v", r)
	}
	for _, key := range []string{"small-여행/a b+c.jpg", "medium-여행/a b+c.jpg", "large-여행/a b+c.jpg", ".s3resizer/여행/a b+c.jpg.json"} {
		if _, err := s.Head(t.Context(), "photos-resized", key); s3io.ClassOf(err) != s3io.NotFound {
			t.Errorf("%s is there: %v", key, err)
		}
	}
}
