package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

// endlessly are settings under which the noisy picture takes seconds, in one call of an encoder that can't be stopped.
var endlessly = []string{"RESIZE_SIZES=large=740", "RESIZE_FORMATS=avif", "RESIZE_EFFORT=avif=5", "RESIZE_DEADLINE_MARGIN=2s"}

// hurried handles an event in 2.5 s, of which the work has 0.5.
func hurried(t *testing.T, h *handler.Handler, event json.RawMessage) (report.Report, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	answer, err := h.Handle(ctx, event)
	if ctx.Err() != nil {
		t.Error("the margin was not kept: Lambda would have stopped the function")
	}
	return answer, err
}

func (b *bench) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); resize.LeftBehind() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what was left behind does not end")
		}
	}
}

func TestWhatIsTooSlowTwiceIsRejected(t *testing.T) {
	const note, record = ".s3resizer-slow/cat.jpg", ".s3resizer/cat.jpg.json"
	b := newBench(t)
	defer b.settle(t)
	var log bytes.Buffer
	h := newHandler(t, b, settings(t, endlessly...), slog.New(slog.NewJSONHandler(&log, nil)))
	event := b.upload(t, "cat.jpg", noisy(t))
	source, _ := b.get(t, "photos", "cat.jpg")

	failed := func(h *handler.Handler, event json.RawMessage) {
		t.Helper()
		_, err := hurried(t, h, event)
		if f := failureOf(t, err); f.Class != report.ClassDeadline || !errors.Is(err, resize.ErrLeftBehind) || !strings.Contains(err.Error(), "did not stop and was left behind") {
			t.Errorf("%v", err)
		}
	}
	failed(h, event)
	info, _ := b.get(t, "photos-resized", note)
	if label, _ := report.LabelOf(info); !label.Names("photos", "cat.jpg") || label.ETag != source.ETag || label.Settings != settings(t, endlessly...).Fingerprint() {
		t.Errorf("the note is of %+v", label)
	}
	b.absent(t, "photos-resized", record)
	if line := log.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, `"class":"deadline"`) || !strings.Contains(line, `"leftBehind":1`) {
		t.Errorf("the log says %s", line)
	}

	failed(newHandler(t, b, settings(t, append(endlessly, "RESIZE_QUALITY=51")...), slog.New(slog.DiscardHandler)), event) // under other settings, that is the first time
	failed(h, event)
	answer, err := hurried(t, h, event)
	if err != nil || len(answer.Results) != 1 || answer.Results[0].Status != report.Rejected || answer.Results[0].Class != report.ClassTooSlow || !strings.Contains(answer.Results[0].Reason, "all of the 500ms") {
		t.Errorf("%+v, %v", answer, err)
	}
	once, data := b.get(t, "photos-resized", record)
	aged := strings.Replace(s3Event("cat.jpg"), `"eventName"`, `"eventTime":"2026-01-01T00:00:00Z","eventName"`, 1)
	for _, again := range []string{aged, `{"bucket":"photos","key":"cat.jpg"}`} {
		if r := one(t, h, []byte(again)); r.Class != report.ClassTooSlow {
			t.Errorf("delivered again: %+v", r)
		}
	}
	if now, _ := b.get(t, "photos-resized", record); now.ETag != once.ETag {
		t.Error("the record was written once more")
	}
	var recorded report.Result
	if json.Unmarshal(data, &recorded) != nil || recorded.Class != report.ClassTooSlow || recorded.Source.ETag != source.ETag {
		t.Errorf("the record is %+v", recorded)
	}

	failed(h, b.upload(t, "cat.jpg", append(noisy(t), 0))) // another upload
	b.drop(t, "cat.jpg")
	if r := one(t, b.handler(t, b, "RESIZE_DELETE=on"), []byte(s3Event("cat.jpg"))); r.Status != report.Deleted {
		t.Errorf("%+v", r)
	}
	b.absent(t, "photos-resized", note)
}

func TestWithoutRecordsNoSlownessIsNoted(t *testing.T) {
	b := newBench(t)
	defer b.settle(t)
	event := b.upload(t, "cat.jpg", noisy(t))
	_, err := hurried(t, b.handler(t, b, append(endlessly, "RESIZE_RECORD=off")...), event)
	if f := failureOf(t, err); f.Class != report.ClassDeadline {
		t.Errorf("%v", err)
	}
	b.absent(t, "photos-resized", ".s3resizer-slow/cat.jpg")
}

// A note may be old: what was resized meanwhile is not rejected.
func TestWhatWasResizedIsNotTooSlow(t *testing.T) {
	b := newBench(t)
	defer b.settle(t)
	event := b.upload(t, "cat.jpg", noisy(t))
	h := b.handler(t, b, endlessly...)
	_, _ = hurried(t, h, event)
	b.get(t, "photos-resized", ".s3resizer-slow/cat.jpg")
	if r := one(t, h, event); r.Status != report.Resized {
		t.Fatalf("%+v", r)
	}
	_, err := hurried(t, h, event)
	if f := failureOf(t, err); f.Class != report.ClassDeadline {
		t.Errorf("%v", err)
	}
	b.get(t, "photos-resized", "large-cat.jpg.avif")
}
