package main

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go/middleware"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/internal/metrics"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

func TestThePagesTablesAreOfTheLatestRun(t *testing.T) {
	tables, err := fromFiles("../results/compare.json", "prices.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := replace(string(text), tables)
	if err != nil {
		t.Fatal(err)
	}
	if updated != string(text) {
		t.Errorf("%s is not what make cost writes: run it", page)
	}
}

// one is a picture whose numbers are easily reckoned with.
func one() Row {
	out := map[string]map[string]struct{ Bytes int64 }{ours: {"small": {1e5}}, reference: {"small": {2e5}}}
	return Row{Picture: "p", Class: mixed, Bytes: 9 << 20, Output: out,
		OneCore:  map[string]Took{ours: {CPU: 100, Wall: 150, Record: 180}, reference: {CPU: 300, Wall: 400}},
		TwoCores: map[string]Took{ours: {CPU: 120, Wall: 110, Record: 130}, reference: {CPU: 300, Wall: 390}}}
}

func TestTimeFollowsTheShareOfAProcessor(t *testing.T) {
	for _, c := range []struct {
		side   string
		memory int
		want   float64
	}{
		{ours, 1769, 200},         // the record, and a look of 20 ms
		{ours, 3538, 150},         // two cores
		{ours, 10240, 150},        // more than two are of no use
		{ours, 1769 / 2, 300.11},  // 100 ms of waiting, 100 of work at half the speed
		{ours, 2653, 175.01},      // half-way
		{reference, 1769, 400},    // no record
		{reference, 884, 700.339}, // 100 ms of waiting, 300 of work
	} {
		if got := one().billed(c.side, c.memory); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%s at %d MB: %.3f ms, want %.3f", c.side, c.memory, got, c.want)
		}
	}
}

func TestDollars(t *testing.T) {
	var p Prices
	if err := load("prices.json", &p, true); err != nil {
		t.Fatal(err)
	}
	// A million times 0.2 s of 1 GB at $0.0000166667, and $0.20 for the requests.
	row := one()
	row.OneCore[ours] = Took{Wall: 179, Record: 179.5} // and the look; milliseconds are billed whole
	if got, want := p.computing(row, ours, 1024, "x86_64"), 200*0.0166667+0.20; math.Abs(got-want) > 1e-9 {
		t.Errorf("$%f, want $%f", got, want)
	}
	if got, want := p.storing(asked{4, 3}), 20+1.2; math.Abs(got-want) > 1e-9 {
		t.Errorf("$%f, want $%f", got, want)
	}
}

func TestWhatWasNotMeasuredIsNotReckonedWith(t *testing.T) {
	for name, spoil := range map[string]func(*Run){
		"no baseline":  func(r *Run) { r.Rows[0].Class = "PNG photo" },
		"no reference": func(r *Run) { delete(r.Rows[0].OneCore, reference) },
		"one core":     func(r *Run) { r.Rows[0].TwoCores = nil },
		"no record":    func(r *Run) { r.Rows[0].OneCore[ours] = Took{CPU: 1, Wall: 1} },
	} {
		run := Run{Rows: []Row{one()}}
		spoil(&run)
		if _, err := render(run, Prices{}); err == nil || !strings.Contains(err.Error(), "make compare") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := replace("no place", ""); err == nil {
		t.Error("the tables were put nowhere")
	}
}

// What a picture takes of S3, the function is asked itself.
func TestRequestsAndLogAreTheFunctionsOwn(t *testing.T) {
	if err := resize.Startup(1); err != nil {
		t.Fatal(err)
	}
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}})
	uploader := s3io.New(cfg, s3io.Options{})
	var mu sync.Mutex
	var got asked
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("count", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			mu.Lock()
			defer mu.Unlock()
			if middleware.GetOperationName(ctx) == "PutObject" {
				got.writes++
			} else {
				got.reads++
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	})
	settings, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h := handler.New(s3io.New(cfg, s3io.Options{}), settings, slog.New(slog.NewJSONHandler(&log, nil)))
	h.Observe = metrics.New(&log, "s3resizer-Function-4TN2V0QJW1").Outcome
	for name, side := range map[string]int{"a small picture": 1000, "one of two ranges": 2600} {
		t.Run(name, func(t *testing.T) {
			data := noise(t, side)
			if _, err := uploader.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "a.jpg", ContentType: "image/jpeg", Data: data}); err != nil {
				t.Fatal(err)
			}
			got = asked{}
			log.Reset()
			answer, err := h.Handle(t.Context(), <-events)
			if err != nil || answer.Results[0].Status != report.Resized {
				t.Fatalf("%+v, %v", answer, err)
			}
			if want := requests(ours, Row{Bytes: int64(len(data))}); got != want {
				t.Errorf("%d bytes took %+v, want %+v", len(data), got, want)
			}
			// Lambda's fields and the trace are in no line here; a quarter more or less is a quarter of a dollar.
			if got := float64(log.Len()) + platformLog; math.Abs(got/logged[ours]-1) > 0.25 {
				t.Errorf("%.0f bytes are logged, not about %.0f", got, logged[ours])
			}
		})
	}
}

// noise is a JPEG that is large for its pixels.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(random.Uint32())
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 99}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
