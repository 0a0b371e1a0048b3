package handler_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"sync"
	"testing"

	"s3resizer/internal/report"
)

func TestTheLogLevelDecidesWhatIsTold(t *testing.T) {
	b := newBench(t)
	events := []json.RawMessage{
		b.upload(t, "good.jpg", photo(t, 500, 400, 1)), b.upload(t, "bad.jpg", []byte("not a picture, by its bytes")),
		[]byte(`{"bucket":"photos","key":"gone.jpg"}`), []byte(`{"bucket":"photos-resized","key":"lost.jpg"}`), []byte(`{"hello":"world"}`),
	}
	for name, want := range map[string]map[string]int{
		"debug": {"put": 5, "resized": 1, "gone": 1, "rejected": 1, "failed": 2}, // three renditions and two records are put
		"info":  {"resized": 1, "gone": 1, "rejected": 1, "failed": 2},
		"warn":  {"rejected": 1, "failed": 2},
		"error": {"failed": 2},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := settings(t, "RESIZE_LOG_LEVEL="+name, "RESIZE_DEST_BUCKET=photos-resized")
			h := newHandler(t, b, s, slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: s.LogLevel})))
			for _, event := range events {
				_, _ = h.Respond(t.Context(), event) // what it answers is for other tests
			}
			got := map[string]int{}
			for decoder := json.NewDecoder(&out); decoder.More(); {
				var line struct{ Msg string }
				if err := decoder.Decode(&line); err != nil {
					t.Fatal(err)
				}
				got[line.Msg]++
			}
			if !maps.Equal(got, want) {
				t.Errorf("lines %v, want %v", got, want)
			}
		})
	}
}

func TestTheObserverIsToldOfEveryObjectOnce(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	var mu sync.Mutex
	told := map[string]int{}
	h.Observe = func(r report.Result, f *report.Failure) {
		mu.Lock()
		defer mu.Unlock()
		if f != nil {
			told[string(f.Class)]++
		} else {
			told[string(r.Status)]++
		}
	}
	var event struct{ Records []json.RawMessage }
	if err := json.Unmarshal(b.upload(t, "good.jpg", photo(t, 500, 400, 1)), &event); err != nil {
		t.Fatal(err)
	}
	several, err := json.Marshal(map[string]any{"Records": append(event.Records, event.Records[0], json.RawMessage(`"no record"`))})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = h.Handle(t.Context(), several)
	_, _ = h.Respond(t.Context(), []byte(`nonsense`))
	if want := map[string]int{"resized": 2, "unknown-event": 2}; !maps.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}
