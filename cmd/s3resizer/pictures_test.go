package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/resize/resizetest"
)

// Every picture of the corpus in one call of the command: good ones are resized whatever stands beside them, bad ones
// are named with the reason.
func TestResizeEveryPicture(t *testing.T) {
	dir := t.TempDir()
	widths := map[string]int{"small": 30, "large": 90}
	args := []string{"resize", "--json", "--out", "o"}
	var made []string
	for _, p := range resizetest.Pictures() {
		write(t, dir, p.Name, p.Data)
		args = append(args, p.Name)
		if p.Shows != nil {
			made = append(made, p.Rendition("small"), p.Rendition("large"))
		}
	}
	e := s3resizer(t, dir, []string{"RESIZE_SIZES=small=30,large=90"}, args...)
	e.want(t, 1)
	wantFiles(t, filepath.Join(dir, "o"), made...)
	results := jsonLines(t, e.stdout)
	if len(results) != len(resizetest.Pictures()) {
		t.Fatalf("%d results for %d files", len(results), len(resizetest.Pictures()))
	}
	complaints := strings.Split(e.stderr, "\n")
	for i, p := range resizetest.Pictures() {
		t.Run(p.Name, func(t *testing.T) {
			r := results[i]
			if p.Rejected != nil {
				if r.Status != report.Rejected || string(r.Class) != p.Rejected.Class || !strings.Contains(r.Reason, p.Rejected.Says) {
					t.Errorf("%s, %s: %q; want class %s and %q", r.Status, r.Class, r.Reason, p.Rejected.Class, p.Rejected.Says)
				}
				if want := p.Name + ": rejected, " + string(r.Class) + ": " + r.Reason; !slices.Contains(complaints, want) {
					t.Errorf("stderr does not say %q", want)
				}
				return
			}
			source := p.Shows.Frames[0].Rect
			if r.Status != report.Resized || string(r.Source.Format) != p.Shows.Format || r.Source.Width != source.Dx() || r.Source.Height != source.Dy() {
				t.Fatalf("%+v", r)
			}
			for _, rendition := range r.Renditions {
				data, err := os.ReadFile(filepath.Join(dir, "o", p.Rendition(rendition.Size)))
				if err != nil {
					t.Error(err)
				} else if err := p.Check(widths[rendition.Size], p.Shows.Output, data); err != nil {
					t.Errorf("%s: %v", rendition.Size, err)
				}
			}
		})
	}
}
