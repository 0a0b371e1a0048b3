package gallery

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

func resized(key string, total float64) report.Report {
	return report.Report{Results: []report.Result{{
		Status: report.Resized, Source: report.Source{Key: key, Bytes: 1000}, Renditions: []report.Rendition{{Size: "small", Bytes: 100}},
		Timings: &report.Timings{Total: total},
	}}}
}

func TestTheDeckIsBounded(t *testing.T) {
	d := newDeck()
	slow := d.watch() // never looks
	for i := range 3 * maxCards {
		key := fmt.Sprint(i % (2 * maxCards)) // some are uploaded again
		d.begin(key, int64(i), false).end(resized(key, 1), nil)
	}
	if len(d.cards) != maxCards {
		t.Errorf("%d cards", len(d.cards))
	}
	if len(slow.cards) > 2*maxCards {
		t.Errorf("for a page that is slow, %d keys wait", len(slow.cards))
	}
	cards, sent := map[string]bool{}, 0
	for n := d.take(slow, 50); ; n = d.take(slow, 50) {
		if len(n.Cards) > 50 {
			t.Fatalf("%d cards at once", len(n.Cards))
		}
		for _, c := range n.Cards {
			cards[c.Key] = true
		}
		if sent++; len(n.Cards) == 0 {
			break
		}
	}
	if len(cards) != maxCards || sent != maxCards/50+1 {
		t.Errorf("%d cards were sent, in %d pieces", len(cards), sent)
	}
	d.leave(slow)
	if len(d.watchers) != 0 {
		t.Error("who left is still told")
	}
}

// The settings in news were those of the deck, while a change of them was being written there.
func TestNewsDoNotChangeWhileTheyAreSent(t *testing.T) {
	d := newDeck()
	n := d.take(d.watch(), 1)
	d.announce(about{Bucket: "another"})
	if n.About.Bucket != "" {
		t.Errorf("%+v", n.About)
	}
}

func TestWhatAnOlderUploadsWorkTellsIsLeftOut(t *testing.T) {
	d := newDeck()
	older := d.begin("a", 1, false)
	newer := d.begin("a", 2, false)
	newer.end(resized("a", 2), nil)
	older.step(handler.Step{Stage: handler.Upload})
	older.end(resized("a", 1), nil)
	if c := d.cards["a"]; len(d.cards) != 1 || c.Result.Timings.Total != 2 || len(c.Steps) != 0 {
		t.Errorf("the card is %+v", c)
	}
}

// An overwritten picture stayed where it was if the new one happened to have as many bytes.
func TestAnOverwrittenPictureGoesOnTop(t *testing.T) {
	d := newDeck()
	for _, key := range []string{"a", "b"} {
		d.begin(key, 1, false).end(resized(key, 1), nil)
	}
	d.begin("a", 1, true).end(resized("a", 1), nil)
	if d.cards["a"].Seq > d.cards["b"].Seq {
		t.Error("what is done again under other settings went on top")
	}
	d.begin("a", 1, false).end(resized("a", 1), nil)
	if d.cards["a"].Seq < d.cards["b"].Seq {
		t.Error("an overwritten picture is not on top")
	}
}

// An object may be removed while its record is being read: its card would have stayed, with pictures that are gone.
func TestNoCardIsRestoredOfWhatIsGone(t *testing.T) {
	restored := func(key string) report.Result {
		return report.Result{Status: report.Resized, Source: report.Source{Key: key}}
	}
	d := newDeck()
	d.resuming(true)
	d.discard("before", d.card("before"))
	d.restore(restored("before"), time.Now())
	seen := d.card("after")
	d.restore(restored("after"), time.Now())
	d.discard("after", seen)
	d.restore(restored("there"), time.Now())
	seen = d.card("newer")
	d.begin("newer", 1, false)
	d.discard("newer", seen)
	d.resuming(false)
	if keys := slices.Sorted(maps.Keys(d.cards)); !slices.Equal(keys, []string{"newer", "there"}) {
		t.Errorf("the cards are %q", keys)
	}
}

func TestTotals(t *testing.T) {
	d := newDeck()
	for i := range 20 {
		key := fmt.Sprint(i)
		d.begin(key, 1000, false).end(resized(key, float64(i+1)), nil)
	}
	d.begin("bad", 5, false).end(report.Report{Results: []report.Result{{Status: report.Rejected}}}, nil)
	d.begin("failed", 5, false).end(report.Report{}, &report.Failure{Class: "denied", Err: os.ErrPermission})
	running := d.begin("running", 5, false)
	time.Sleep(10 * time.Millisecond)
	d.mu.Lock()
	got := d.totals()
	d.mu.Unlock()
	if got.PerSecond <= 0 || got.PerSecond > 22/0.010 || got.Memory < 1<<20 {
		t.Errorf("%.1f a second, %d bytes of memory", got.PerSecond, got.Memory)
	}
	got.PerSecond, got.Memory = 0, 0
	if want := (totals{Pictures: 20, Others: 2, InWork: 1, BytesIn: 20000, BytesOut: 2000, Median: 10, P95: 19}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	running.end(resized("running", 1), nil)
	busy := d.busy
	time.Sleep(20 * time.Millisecond)
	if d.mu.Lock(); d.busy != busy || d.inWork != 0 {
		t.Error("it is busy with nothing")
	}
	d.mu.Unlock()
}

// steps are of a picture that was decoded from 10 to 60 ms, and computed until 100.
var steps = []step{
	{handler.Download, "", "", 0, 55}, {handler.Decode, "", "", 10, 60},
	{handler.Encode, "large", "jpeg", 60, 100}, {handler.Encode, "medium", "jpeg", 60, 80}, {handler.Encode, "small", "jpeg", 65, 75},
	{handler.Upload, "large", "jpeg", 100, 107}, {handler.Upload, "medium", "jpeg", 80, 85}, {handler.Upload, "small", "jpeg", 75, 78},
}

func TestTheReferenceDoesOneSizeAfterTheOther(t *testing.T) {
	rendition := func(size string, width int) report.Rendition {
		return report.Rendition{Size: size, Width: width, Format: resize.JPEG}
	}
	result := report.Result{Status: report.Resized, Source: report.Source{Format: resize.JPEG, Width: 4000},
		Renditions: []report.Rendition{rendition("small", 368), rendition("medium", 720), rendition("large", 1440)}}
	got := reference(result, steps)
	if len(got) != 7 || got[0].Start != 0 {
		t.Fatalf("%+v", got)
	}
	for i := 1; i < len(got); i++ {
		if got[i].Start != got[i-1].End {
			t.Errorf("step %d begins at %.1f, the one before ends at %.1f", i, got[i].Start, got[i-1].End)
		}
	}
	if want := 10 + 90*referenceRatio[resize.JPEG] + 7 + 5 + 3; math.Abs(got[6].End-want) > 0.001 {
		t.Errorf("it takes %.1f ms, want %.1f", got[6].End, want)
	}
	for name, change := range map[string]func(*report.Result){
		"a format that it does not take": func(r *report.Result) { r.Source.Format = resize.WebP },
		"a rejected upload":              func(r *report.Result) { r.Status = report.Rejected },
		"another width":                  func(r *report.Result) { r.Renditions[2].Width = 1600 },
		"a narrow picture":               func(r *report.Result) { r.Source.Width, r.Renditions[2].Width = 1000, 1000 },
		"a format more":                  func(r *report.Result) { r.Renditions = append(r.Renditions, rendition("small", 368)) },
		"another format":                 func(r *report.Result) { r.Renditions[1].Format = resize.WebP },
	} {
		other := result
		other.Renditions = append([]report.Rendition(nil), result.Renditions...)
		change(&other)
		if reference(other, steps) != nil {
			t.Errorf("there is a reference for %s", name)
		}
	}
}

func TestTheReferencesRatiosAreTheMeasuredOnes(t *testing.T) {
	data, err := os.ReadFile("../../bench/results/compare.json")
	if err != nil {
		t.Fatal(err)
	}
	var measured struct {
		Rows []struct {
			Class, Format string
			Compute       map[string]struct{ Wall float64 }
		}
	}
	if err := json.Unmarshal(data, &measured); err != nil {
		t.Fatal(err)
	}
	logs, n := map[resize.Format]float64{}, map[resize.Format]float64{}
	for _, row := range measured.Rows {
		switch row.Class {
		case "baseline JPEG", "PNG photo", "PNG with alpha":
			f := resize.Format(row.Format)
			logs[f] += math.Log(row.Compute["reference"].Wall / row.Compute["ours"].Wall)
			n[f]++
		}
	}
	for format, ratio := range referenceRatio {
		if mean := math.Exp(logs[format] / n[format]); n[format] == 0 || ratio/mean > 1.1 || ratio/mean < 0.9 {
			t.Errorf("%s: the gallery says %.1f, make compare measured %.2f: change referenceRatio and the page's note", format, ratio, mean)
		}
	}
	var all float64
	for _, s := range referenceShares {
		all += s.share
	}
	if math.Abs(all-1) > 1e-9 {
		t.Errorf("the shares are %.2f in all", all)
	}
}
