package ready_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"s3resizer/docs/ready"
	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// What the function really returns, in Lambda's envelope, is taken: of a picture, and of what is none.
func TestTheFunctionsOwnReportIsTaken(t *testing.T) {
	if err := resize.Startup(1); err != nil {
		t.Fatal(err)
	}
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}})
	store := s3io.New(cfg, s3io.Options{})
	settings, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	function := handler.New(store, settings, slog.New(slog.DiscardHandler))
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 800, 600)), nil); err != nil {
		t.Fatal(err)
	}
	k := newKept()
	for key, data := range map[string][]byte{"a b+c.jpg": picture.Bytes(), "notes.jpg": []byte("no picture")} {
		if _, err := store.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data}); err != nil {
			t.Fatal(err)
		}
		report, err := function.Handle(t.Context(), <-events)
		if err != nil {
			t.Fatal(err)
		}
		var event map[string]any
		if err := json.Unmarshal([]byte(sample(t, "resized")), &event); err != nil {
			t.Fatal(err)
		}
		event["detail"].(map[string]any)["responsePayload"] = report
		body, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, token, string(body)); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, text)
		}
	}
	if p := k.pictures["photos/a b+c.jpg"]; p.Status != "resized" || len(p.Renditions) != 3 || p.Renditions[0].Key != "small-a b+c.jpg" || p.Renditions[0].ETag == "" || p.Source.Color != "#000000" {
		t.Errorf("%+v", p)
	}
	if p := k.pictures["photos/notes.jpg"]; p.Status != "rejected" || p.Class != "unsupported" || !strings.Contains(p.Reason, " ") {
		t.Errorf("%+v", p)
	}
}
