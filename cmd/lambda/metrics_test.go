package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/report"
)

// inLambda is what tells the function that it is there.
const inLambda = "AWS_LAMBDA_FUNCTION_NAME=resizer"

// metric is one value as CloudWatch keeps it: the name, the unit and the dimensions.
type metric struct {
	Name, Unit, Dimensions string
}

// published returns what CloudWatch makes of a line in embedded metric format, after it has held the line against the
// format's rules, which CloudWatch answers breaches of with nothing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func published(t *testing.T, line string) map[metric]float64 {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(line), &root); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var document struct {
		AWS struct {
			Timestamp         int64 // milliseconds since 1970
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal([]byte(line), &document); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	// What Go reads is what is written, in its spelling and without anything more.
	var again map[string]any
	if data, _ := json.Marshal(document); json.Unmarshal(data, &again) != nil || !reflect.DeepEqual(again["_aws"], root["_aws"]) {
		t.Errorf("_aws is %v, read as %v", root["_aws"], again["_aws"])
	}
	if age := time.Since(time.UnixMilli(document.AWS.Timestamp)); age < -time.Second || age > time.Minute {
		t.Errorf("the timestamp is %v old: %s", age, line)
	}
	used := map[string]bool{"_aws": true}
	values := map[metric]float64{}
	for _, directive := range document.AWS.CloudWatchMetrics {
		if directive.Namespace != "s3resizer" || len(directive.Dimensions) == 0 || len(directive.Metrics) == 0 || len(directive.Metrics) > 100 {
			t.Errorf("namespace %q, %d sets of dimensions, %d metrics: %s", directive.Namespace, len(directive.Dimensions), len(directive.Metrics), line)
		}
		for _, set := range directive.Dimensions {
			if len(set) > 30 {
				t.Errorf("%d dimensions: %s", len(set), line)
			}
			var dimensions []string
			for _, name := range set {
				is, _ := root[name].(string)
				if !printable.MatchString(name) || len(name) > 250 || !printable.MatchString(is) || len(is) > 1024 {
					t.Errorf("the dimension %q is %v: %s", name, root[name], line)
				}
				used[name] = true
				dimensions = append(dimensions, name+"="+is)
			}
			for _, m := range directive.Metrics {
				is, number := root[m.Name].(float64)
				if !number || len(m.Name) == 0 || len(m.Name) > 255 || !slices.Contains(units, m.Unit) {
					t.Errorf("the metric %q in %q is %v: %s", m.Name, m.Unit, root[m.Name], line)
				}
				used[m.Name] = true
				at := metric{m.Name, m.Unit, strings.Join(dimensions, " ")}
				if _, twice := values[at]; twice {
					t.Errorf("%v is there twice: %s", at, line)
				}
				values[at] = is
			}
		}
	}
	for name := range root {
		if !used[name] && name != "traceId" { // which is for those who search the log
			t.Errorf("%q is neither a metric nor a dimension: %s", name, line)
		}
	}
	return values
}

var printable = regexp.MustCompile(`^[!-9;-~][ -~]*$`) // ASCII, and no colon at the start

// units are CloudWatch's. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
var units = strings.Fields(`Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits
	Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second
	Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second Count/Second None`)

// await waits until the process has printed a line with each of the words, and returns what it has printed.
func (l *lines) await(t *testing.T, words ...string) []string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text := l.text()
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			return strings.Split(text, "\n")
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not print all of %q; it printed:\n%s", words, text)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := newStage(t, inLambda, "RESIZE_LOG_LEVEL=error") // which is for the log alone
	picture := photo(t, 1600, 1200)
	answer := s.invoke(t, s.upload(t, "photos", "a.jpg", picture))
	s.invoke(t, s.upload(t, "photos", "b.jpg", []byte("not a picture, by its bytes")))
	s.invoke(t, s.upload(t, "photos", "folder/", nil))
	s.invoke(t, []byte(`{"bucket":"photos","key":"missing.jpg"}`))
	s.refuse(t, s.upload(t, "orphan", "c.jpg", picture), 30*time.Second, "no-such-bucket")
	s.refuse(t, s.upload(t, "photos", "late.jpg", picture), 400*time.Millisecond, "deadline")
	s.refuse(t, []byte(`{"hello":"world"}`), 30*time.Second, "unknown-event")
	message, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "1", "eventSource": "aws:sqs", "body": "nonsense"}}})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := s.api.Invoke(t.Context(), message, 30*time.Second); err != nil || !bytes.Contains(answer, []byte(`"itemIdentifier":"1"`)) {
		t.Fatalf("%s, %v", answer, err)
	}
	// The last line is of a picture, so that all others are there when it is.
	s.invoke(t, s.upload(t, "photos", "last.gif", []byte("GIF89a, and no more")))
	printed := s.log.await(t, `"Class":"corrupt"`)

	sums := map[metric]float64{}
	objects := 0
	for i, line := range printed {
		if !strings.Contains(line, `"_aws"`) {
			if strings.Contains(line, `"level":"INFO"`) || strings.Contains(line, `"level":"WARN"`) {
				t.Errorf("a line that the level does not allow: %s", line)
			}
			continue
		}
		values := published(t, line)
		if _, start := values[metric{"ColdStarts", "Count", "FunctionName=resizer"}]; start != (i == 0) {
			t.Errorf("line %d, of a cold start: %v", i+1, start)
		} else if !start {
			objects++
		}
		for m, is := range values {
			sums[m] += is
		}
	}
	if objects != 9 {
		t.Errorf("%d lines of objects, want 9", objects)
	}
	const all = "FunctionName=resizer"
	for m, want := range map[metric]float64{
		{"ColdStarts", "Count", all}:                                       1,
		{"Pictures", "Count", all + " Status=resized"}:                     1,
		{"Pictures", "Count", all + " Status=skipped"}:                     1,
		{"Pictures", "Count", all + " Status=gone"}:                        1,
		{"Pictures", "Count", all + " Status=rejected"}:                    2,
		{"Pictures", "Count", all + " Status=rejected Class=unsupported"}:  1,
		{"Pictures", "Count", all + " Status=rejected Class=corrupt"}:      1,
		{"Pictures", "Count", all + " Status=failed"}:                      4,
		{"Pictures", "Count", all + " Status=failed Class=no-such-bucket"}: 1,
		{"Pictures", "Count", all + " Status=failed Class=deadline"}:       1,
		{"Pictures", "Count", all + " Status=failed Class=unknown-event"}:  2,
		{"BytesIn", "Bytes", all}:                                          float64(len(picture)),
		{"BytesOut", "Bytes", all}:                                         float64(written(answer)),
		{"Megapixels", "None", all}:                                        1.92,
		{"DownloadTime", "Milliseconds", all}:                              answer.Results[0].Timings.Download,
		{"DecodeTime", "Milliseconds", all}:                                answer.Results[0].Timings.Decode,
		{"EncodeTime", "Milliseconds", all}:                                answer.Results[0].Timings.Encode,
		{"UploadTime", "Milliseconds", all}:                                answer.Results[0].Timings.Upload,
		{"TotalTime", "Milliseconds", all}:                                 answer.Results[0].Timings.Total,
	} {
		if got, there := sums[m]; got != want || !there {
			t.Errorf("%v is %v (there: %v), want %v", m, got, there, want)
		}
		delete(sums, m)
	}
	start := metric{"InitTime", "Milliseconds", all}
	if age, there := sums[start]; age < 0 || age > 20e3 || there != (runtime.GOOS == "linux") { // others have no /proc
		t.Errorf("the start took %v ms (there: %v)", age, there)
	}
	delete(sums, start)
	if len(sums) > 0 {
		t.Errorf("nobody expects %v", sums)
	}
}

func written(answer report.Report) (bytes int) {
	for _, r := range answer.Results[0].Renditions {
		bytes += r.Bytes
	}
	return bytes
}

func TestMetricsAreWrittenInLambdaUnlessSwitchedOff(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		lines   int // that of the start, and that of the picture
	}{
		"in Lambda":                 {[]string{inLambda}, 2},
		"in Lambda, switched off":   {[]string{inLambda, "RESIZE_METRICS=off"}, 0},
		"elsewhere":                 {nil, 0},
		"elsewhere, though allowed": {[]string{"RESIZE_METRICS=on"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, c.environ...)
			s.invoke(t, s.upload(t, "photos", "cat.jpg", photo(t, 500, 400)))
			s.invoke(t, []byte(`{"bucket":"photos","key":"missing.jpg"}`)) // whose line comes after the picture's
			got := 0
			for _, line := range s.log.await(t, `"message":"gone"`) {
				if strings.Contains(line, `"_aws"`) && !strings.Contains(line, `"Status":"gone"`) {
					got++
				}
			}
			if got != c.lines {
				t.Errorf("%d lines of metrics, want %d:\n%s", got, c.lines, s.log.text())
			}
		})
	}
}

func TestThePageHasEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, inLambda)
	s.invoke(t, s.upload(t, "photos", "cat.jpg", photo(t, 500, 400)))
	for _, line := range s.log.await(t, `"Pictures"`) {
		if !strings.Contains(line, `"_aws"`) {
			continue
		}
		for m := range published(t, line) {
			if row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| .*`%s`.*\\| %s \\|", m.Name, m.Unit)); !row.Match(page) {
				t.Errorf("docs/operating.md has no row for %s in %s", m.Name, m.Unit)
			}
		}
	}
}
