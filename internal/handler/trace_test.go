package handler_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"s3resizer/internal/handler"
)

func TestATraceIsToldOfEachStep(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_FORMATS=source,webp")
	var mu sync.Mutex
	var steps []handler.Step
	ctx := handler.WithTrace(t.Context(), func(s handler.Step) {
		if s.Stage == handler.Upload {
			b.get(t, s.Rendition.Bucket, s.Rendition.Key) // in place by now
		}
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, s)
	})
	report, err := h.Handle(ctx, b.upload(t, "a.jpg", photo(t, 1600, 1200, 1)))
	if err != nil {
		t.Fatal(err)
	}
	result := report.Results[0]

	var got []string
	spans := map[handler.Stage]float64{}
	for _, stage := range []handler.Stage{handler.Download, handler.Decode, handler.Encode, handler.Upload} {
		var of []handler.Step
		for _, s := range steps {
			if s.Stage == stage {
				of = append(of, s)
				got = append(got, fmt.Sprint(stage, " ", s.Rendition.Key))
			}
			if s.Span.End.Before(s.Span.Start) {
				t.Errorf("%s ends before it begins", stage)
			}
		}
		first := slices.MinFunc(of, func(a, b handler.Step) int { return a.Span.Start.Compare(b.Span.Start) })
		last := slices.MaxFunc(of, func(a, b handler.Step) int { return a.Span.End.Compare(b.Span.End) })
		spans[stage] = last.Span.End.Sub(first.Span.Start).Seconds() * 1000
	}
	want := []string{"download ", "decode "}
	for _, stage := range []handler.Stage{handler.Encode, handler.Upload} {
		for _, r := range result.Renditions {
			want = append(want, fmt.Sprint(stage, " ", r.Key))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("steps %q, want %q", got, want)
	}
	for stage, timing := range map[handler.Stage]float64{handler.Download: result.Timings.Download, handler.Decode: result.Timings.Decode, handler.Upload: result.Timings.Upload} {
		if span := spans[stage]; span < timing-0.1 || span > timing+0.1 {
			t.Errorf("the steps of %s last %.2f ms, the report says %.2f", stage, span, timing)
		}
	}
}
