// Package metrics tells CloudWatch what became of each picture, in its embedded metric format: a JSON line in the log,
// out of which CloudWatch makes metrics by itself. Nothing is called, nothing waits.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
//
// Every combination of a metric and its dimensions' values is one metric on the bill, so dimensions have few values:
// the function's name, and, of the count alone, the status and the class.
package metrics

import (
	"encoding/json"
	"io"
	"time"

	"s3resizer/internal/report"
)

// Namespace is what CloudWatch lists the metrics under.
const Namespace = "s3resizer"

// Failed is the status of an object that came to an error. All others are a [report.Status].
const Failed = "failed"

// Log writes metrics, a line at a time.
type Log struct {
	to       io.Writer
	function string
}

// New makes a log for the function of that name. Each line is one call of w's Write, which has to be safe for concurrent
// use, as that of a file is.
func New(w io.Writer, function string) *Log { return &Log{w, function} }

// Started tells that a process is ready for its first event: a cold start.
func (l *Log) Started() {
	values := []value{{"ColdStarts", "Count", 1}}
	if age, known := processAge(); known {
		values = append(values, value{"InitTime", "Milliseconds", milliseconds(age)})
	}
	l.write(nil, group{[][]string{{"FunctionName"}}, values})
}

// Outcome tells what came of one object: a result, or else a failure. What was resized is measured, too.
func (l *Log) Outcome(r report.Result, f *report.Failure) {
	status, class, trace := string(r.Status), r.Class, r.TraceID
	if f != nil {
		status, class, trace = Failed, f.Class, f.TraceID
	}
	// The trace id is no dimension: it is there for those who search the log.
	names, counted := map[string]string{"Status": status, "traceId": trace}, [][]string{{"FunctionName", "Status"}}
	if class != "" {
		names["Class"] = string(class)
		counted = append(counted, []string{"FunctionName", "Status", "Class"})
	}
	groups := []group{{counted, []value{{"Pictures", "Count", 1}}}}
	if f == nil && r.Timings != nil {
		groups = append(groups, group{[][]string{{"FunctionName"}}, measures(r)})
	}
	l.write(names, groups...)
}

// measures are of a picture that was resized.
func measures(r report.Result) []value {
	written := 0
	for _, rendition := range r.Renditions {
		written += rendition.Bytes
	}
	return []value{
		{"BytesIn", "Bytes", float64(r.Source.Bytes)},
		{"BytesOut", "Bytes", float64(written)},
		{"Megapixels", "None", float64(r.Source.Width) * float64(r.Source.Height) / 1e6},
		{"DownloadTime", "Milliseconds", r.Timings.Download},
		{"DecodeTime", "Milliseconds", r.Timings.Decode},
		{"EncodeTime", "Milliseconds", r.Timings.Encode},
		{"UploadTime", "Milliseconds", r.Timings.Upload},
		{"TotalTime", "Milliseconds", r.Timings.Total},
	}
}

// value is a metric's value. The unit is one of CloudWatch's.
type value struct {
	name, unit string
	is         float64
}

// group is values with the sets of dimensions under which each of them is kept.
type group struct {
	dimensions [][]string
	values     []value
}

// write writes a line: the groups, whose values stand at its root, beside the names, among which are the dimensions'
// values.
func (l *Log) write(names map[string]string, groups ...group) {
	type metric struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	root := map[string]any{"FunctionName": l.function}
	for name, is := range names {
		root[name] = is
	}
	var directives []directive
	for _, g := range groups {
		d := directive{Namespace: Namespace, Dimensions: g.dimensions}
		for _, v := range g.values {
			d.Metrics = append(d.Metrics, metric{v.name, v.unit})
			root[v.name] = v.is
		}
		directives = append(directives, d)
	}
	root["_aws"] = map[string]any{"Timestamp": time.Now().UnixMilli(), "CloudWatchMetrics": directives}
	line, err := json.Marshal(root)
	if err != nil {
		panic(err) // a value that is no number: none of ours can be
	}
	_, _ = l.to.Write(append(line, '\n')) // a log that can't be written can't be complained about either
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
