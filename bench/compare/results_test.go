package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"s3resizer/bench/corpus"
)

// sample are results of two baseline JPEGs, one better than its target and one worse, and a PNG without handler.
func sample() *Results {
	costs := func(ours float64) map[string]Cost { // the reference's are 100
		return map[string]Cost{
			oursName:   {CPU: ours, Wall: ours, Record: ours + 6, Peak: ours, First: ours - 1},
			inTurnName: {CPU: 100, Wall: 100, Peak: 100}, atOnceName: {CPU: 100, Wall: 50, Peak: 100},
		}
	}
	output := func(bytes int, psnr float64) map[string]Output {
		return map[string]Output{"small": {bytes, psnr, 0.9}, "medium": {bytes, psnr, 0.9}, "large": {bytes, psnr, 0.9}}
	}
	return &Results{
		About: About{N: 10, Command: "make compare"},
		Rows: []*Row{
			{Picture: "jpeg-9mp", Class: corpus.Baseline, Format: "jpeg", Compute: costs(20), Loopback: costs(50), TwoCores: costs(20), OneCore: costs(20), Floor: 16,
				Output: map[string]map[string]Output{oursName: output(100, 36), inTurnName: output(100, 35)}, Pairs: map[string]float64{oursName: 40, inTurnName: 10, atOnceName: 10}},
			{Picture: "jpeg-12mp", Class: corpus.Baseline, Format: "jpeg", Compute: costs(80), TwoCores: costs(80), OneCore: costs(80), Floor: 64,
				Output: map[string]map[string]Output{oursName: output(103, 34.9), inTurnName: output(100, 35)}, Pairs: map[string]float64{oursName: 40, inTurnName: 10, atOnceName: 10}},
			{Picture: "png-9mp-photo", Class: corpus.PNGPhoto, Format: "png", Compute: costs(40),
				Output: map[string]map[string]Output{oursName: output(90, 43), inTurnName: output(100, 50)}},
		},
		Starts: []Start{{oursName, 10, 100}, {inTurnName, 200, 400}},
	}
}

func TestRatiosAreGeometricMeansOfWhatWasMeasured(t *testing.T) {
	r := sample()
	if got := r.ratio(cost(compute, cpu), inTurnName, corpus.Baseline); math.Abs(got-0.4) > 1e-9 {
		t.Errorf("CPU, baseline: %v, want 0.4", got)
	}
	if got := r.ratio(cost(compute, wall), atOnceName, corpus.Baseline); math.Abs(got-0.8) > 1e-9 {
		t.Errorf("wall to Promise.all: %v, want 0.8", got)
	}
	if got := r.ratio(cost(loopback, wall), inTurnName, photos...); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("a row that was not measured counts: %v, want 0.5", got)
	}
	if got := r.ratio(cost(compute, wall), inTurnName, corpus.WebP); !math.IsNaN(got) {
		t.Errorf("a class without rows has the ratio %v", got)
	}
}

func TestTargetsAreJudged(t *testing.T) {
	got := map[string]target{}
	for _, target := range sample().targets() {
		got[target.what] = target
	}
	for what, want := range map[string]struct {
		met   bool
		value string
		note  string
	}{
		"CPU, baseline JPEG 9–24 MP":                                    {false, "0.40", ""},
		"wall, compute only, baseline JPEG":                             {false, "0.40", ""},
		"wall, PNG photo":                                               {true, "0.40", ""},
		"peak RSS, 9 MP baseline JPEG":                                  {true, "50 MB", "the function"},
		"CPU against the floor, baseline JPEG":                          {false, "1.25", ""},
		"process start to first /next":                                  {true, "0.05", "10.0 ms against 200 ms"},
		"pictures a second, two at a time, one process, baseline JPEG":  {true, "4.00 ×", ""},
		"the record after the last rendition, two cores":                {false, "0.07", ""},
		"bytes out, the worst set of JPEGs or PNGs":                     {false, "1.03", "jpeg-12mp"},
		"PSNR over the reference's, small and medium, the worst JPEG":   {false, "-0.10 dB", "jpeg-12mp"},
		"PSNR over the reference's, large, the worst JPEG":              {true, "-0.10 dB", "jpeg-12mp"},
		"PSNR, no load shrink, nothing lost in encoding: the worst PNG": {true, "43 dB", "png-9mp-photo"},
	} {
		if g := got[what]; g.unknown || g.met != want.met || g.value != want.value || !strings.Contains(g.note, want.note) {
			t.Errorf("%s: %+v, want met %v, value %s, note %q", what, g, want.met, want.value, want.note)
		}
	}
	if g := got["CPU, progressive JPEG"]; !g.unknown || g.met || g.value != "–" {
		t.Errorf("what was not measured: %+v", g)
	}
}

func TestResultsAreSavedForPeopleAndPrograms(t *testing.T) {
	folder := t.TempDir()
	if err := sample().save(folder); err != nil {
		t.Fatal(err)
	}
	var again Results
	data, err := os.ReadFile(folder + "/compare.json")
	if err == nil {
		err = json.Unmarshal(data, &again)
	}
	if err != nil || len(again.Rows) != 3 || again.Rows[1].Compute[oursName].CPU != 80 {
		t.Errorf("%v: %s", err, data)
	}
	text, err := os.ReadFile(folder + "/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| jpeg-9mp | 20 | 100 | 0.20 | 50 | 0.40 |", "| **baseline JPEG, mean of 2** | 40 | 100 | **0.40** |", "not measured", "**not met**", "| met |"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("compare.md lacks %q:\n%s", want, text)
		}
	}
	if bytes.Contains(text, []byte("NaN")) {
		t.Errorf("compare.md says NaN:\n%s", text)
	}
}

func TestTheChartIsXMLAndSaysThePercentages(t *testing.T) {
	chart := sample().chart()
	for decoder := xml.NewDecoder(bytes.NewReader(chart)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, chart)
		}
	}
	for _, want := range []string{"CPU, JPEG photo of 9–24 MP", ">40 %<", ">5 %<", "prefers-color-scheme: dark"} {
		if !bytes.Contains(chart, []byte(want)) {
			t.Errorf("the chart lacks %q", want)
		}
	}
}
