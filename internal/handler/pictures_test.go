package handler_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/resize/resizetest"
)

// Every picture of the corpus, uploaded and read back through S3: renditions under the right keys and media types, or a
// rejection that the record keeps, and nothing else.
func TestEveryPicture(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_SIZES=small=30,large=90")
	widths := map[string]int{"small": 30, "large": 90}
	for _, p := range resizetest.Pictures() {
		t.Run(p.Name, func(t *testing.T) {
			result := one(t, h, b.upload(t, p.Name, p.Data))
			_, record := b.get(t, "photos-resized", ".s3resizer/"+p.Name+".json")
			var recorded report.Result
			if err := json.Unmarshal(record, &recorded); err != nil || !reflect.DeepEqual(recorded, result) {
				t.Errorf("record %s (%v), result %+v", record, err, result)
			}
			if p.Rejected != nil {
				if result.Status != report.Rejected || string(result.Class) != p.Rejected.Class || !strings.Contains(result.Reason, p.Rejected.Says) {
					t.Errorf("%s, %s: %q; want class %s and %q", result.Status, result.Class, result.Reason, p.Rejected.Class, p.Rejected.Says)
				}
				b.absent(t, "photos-resized", "small-"+p.Name)
				return
			}
			if result.Status != report.Resized || len(result.Renditions) != len(widths) {
				t.Fatalf("%+v", result)
			}
			frames, unread := len(p.Shows.Frames), map[string]int{"animated.png": 2, "sequence.avif": 2}
			if frames = max(frames, unread[p.Name]); frames == 1 {
				frames = 0
			}
			if result.Source.Frames != frames {
				t.Errorf("the report says %d frames, want %d", result.Source.Frames, frames)
			}
			for _, r := range result.Renditions {
				if want := p.Rendition(r.Size); r.Key != want {
					t.Errorf("the %s rendition is %s, want %s", r.Size, r.Key, want)
				}
				info, data := b.get(t, "photos-resized", r.Key)
				if want := "image/" + p.Shows.Output; info.ContentType != want {
					t.Errorf("%s has content type %q, want %q", r.Key, info.ContentType, want)
				}
				if err := p.Check(widths[r.Size], p.Shows.Output, data); err != nil {
					t.Errorf("%s: %v", r.Size, err)
				}
			}
		})
	}
}
