package metrics

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// resized is a picture of 12 megapixels.
var resized = report.Result{
	TraceID:    "trace",
	Status:     report.Resized,
	Source:     report.Source{Bucket: "photos", Key: "cat.jpg", Bytes: 3991974, Width: 4032, Height: 3024},
	Renditions: []report.Rendition{{Bytes: 13521}, {Bytes: 45898}, {Bytes: 201546}},
	Timings:    &report.Timings{Download: 101.2, Decode: 110.2, Encode: 28, Upload: 8.9, Total: 143.7},
}

// root reads a line, less what its own test looks at: cmd/lambda's, which holds lines against the format's rules.
func root(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(line, &out); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	delete(out, "_aws")
	return out
}

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		result  report.Result
		failure *report.Failure
		want    map[string]any
	}{
		"a picture that was resized": {resized, nil, map[string]any{
			"Status": "resized", "Pictures": 1., "BytesIn": 3991974., "BytesOut": 260965., "Megapixels": 12.192768,
			"DownloadTime": 101.2, "DecodeTime": 110.2, "EncodeTime": 28., "UploadTime": 8.9, "TotalTime": 143.7,
		}},
		"one that was rejected": {
			report.Result{TraceID: "trace", Status: report.Rejected, Class: "corrupt", Source: resized.Source}, nil,
			map[string]any{"Status": "rejected", "Class": "corrupt", "Pictures": 1.},
		},
		"one that is gone": {report.Result{TraceID: "trace", Status: report.Gone}, nil, map[string]any{"Status": "gone", "Pictures": 1.}},
		"one that failed": {
			report.Result{}, &report.Failure{Class: report.Class(s3io.Denied), TraceID: "trace"},
			map[string]any{"Status": "failed", "Class": "access-denied", "Pictures": 1.},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			New(&out, "resizer").Outcome(c.result, c.failure)
			c.want["FunctionName"], c.want["traceId"] = "resizer", "trace"
			if got := root(t, out.Bytes()); !maps.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestAColdStartIsCountedFromTheExecutionOfTheProcess(t *testing.T) {
	before, known := processAge()
	began := time.Now()
	if before < 0 || before > time.Hour {
		t.Fatalf("the process is %v old", before)
	}
	time.Sleep(300 * time.Millisecond)
	var out bytes.Buffer
	New(&out, "resizer").Started()
	got := root(t, out.Bytes())
	passed := milliseconds(time.Since(began))
	if after, told := got["InitTime"].(float64); told != known {
		t.Errorf("an age that is known (%v) is told (%v)", known, told)
	} else if grown := after - milliseconds(before); told && (grown < 300-20 || grown > passed+20) {
		t.Errorf("in %v ms its age grew by %v", passed, grown)
	}
	delete(got, "InitTime")
	if want := map[string]any{"ColdStarts": 1., "FunctionName": "resizer"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if runtime.GOOS == "linux" && !known {
		t.Error("/proc does not tell the process's age")
	}
}

// Pictures are worked on in parallel; a pipe takes no more than 4 KB at once from several writers without mixing them.
func TestLinesStayWhole(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log := New(writer, strings.Repeat("f", 5000))
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 50 {
				log.Outcome(resized, nil)
			}
		})
	}
	go func() {
		writers.Wait()
		_ = writer.Close()
	}()
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	if len(lines) != 400 {
		t.Errorf("%d lines, want 400", len(lines))
	}
	for _, line := range lines {
		root(t, line)
	}
}

func BenchmarkStarted(b *testing.B) {
	log := New(io.Discard, "resizer")
	for b.Loop() {
		log.Started()
	}
}

func BenchmarkOutcome(b *testing.B) {
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	log := New(file, "resizer")
	b.ReportAllocs()
	for b.Loop() {
		log.Outcome(resized, nil)
	}
}
