//go:build ruler

package deploy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"s3resizer/internal/report"
)

// rules is AWS's own matcher, which ruler/src/main/java/Matches.java keeps running: a pattern and an event in, a line of
// JSON each, and an answer out. It ends with this process, when nothing more can come.
var rules = sync.OnceValues(func() (*matcher, error) {
	command := exec.Command("java", "-cp", "ruler/target/classes:ruler/target/dependency/*", "Matches")
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &matcher{in, bufio.NewScanner(out)}, command.Start()
})

type matcher struct {
	in  io.Writer
	out *bufio.Scanner
}

// matches reports whether an event is what a pattern asks for.
func matches(t *testing.T, pattern, event any) bool {
	t.Helper()
	m, err := rules()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(m.in, "%s\n%s\n", marshalled(t, pattern), marshalled(t, event)); err != nil || !m.out.Scan() {
		t.Fatalf("%s is no pattern, or there is no matcher: make ready-test starts one", marshalled(t, pattern))
	}
	return m.out.Text() == "true"
}

// samples are the events of docs/ready.md, by name.
func samples(t *testing.T) map[string]any {
	t.Helper()
	files, err := filepath.Glob(ready + "testdata/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	events := map[string]any{}
	for _, file := range files {
		if event := decodedFile(t, file); dig(event, "detail-type") != nil {
			events[strings.TrimSuffix(filepath.Base(file), ".json")] = event
		}
	}
	return events
}

func decodedFile(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, string(data))
}

// Each event of the page is what its own pattern asks for, and none of the others.
func TestThePagesPatternsMatchTheirEventsAlone(t *testing.T) {
	want := map[string][]string{
		"resized":   {"resized"},
		"rejected":  {"rejected"},
		"may-pass":  {"transient"},
		"to-mend":   {"access-denied"},
		"ended":     {"timed-out"},
		"never-run": {"too-old"},
		"record":    {"record-created"},
	}
	files, err := filepath.Glob(ready + "patterns/*.json")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%v, %v", files, err)
	}
	events := samples(t)
	for _, file := range files {
		pattern, name := decodedFile(t, file), strings.TrimSuffix(filepath.Base(file), ".json")
		var got []string
		for event, data := range events {
			if matches(t, pattern, data) {
				got = append(got, event)
			}
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s asks for %v, want %v", name, got, want[name])
		}
		// A rule for everybody's functions would tell of others' uploads.
		other := decoded(t, strings.ReplaceAll(marshalled(t, events[want[name][0]]), "s3resizer-Function-", "other-"))
		if name != "record" && matches(t, pattern, other) {
			t.Errorf("%s asks for what another function did", name)
		}
	}
}

// The groups of failures leave none out, and none is in two: the classes that are the function's, and what Lambda says itself.
func TestPatternsTakeEveryFailureOnce(t *testing.T) {
	group := map[string]string{"Sandbox.Timedout": "ended", "Runtime.ExitError": "ended", "": "never-run"}
	groups := map[report.Matter]string{report.Passing: "may-pass", report.Operators: "to-mend"}
	for _, m := range report.Classes {
		if name, ofTheFunction := groups[m.Matter]; ofTheFunction {
			group[string(m.Class)] = name
		}
	}
	failure := marshalled(t, samples(t)["transient"])
	for class, want := range group {
		event := decoded(t, strings.ReplaceAll(failure, `"errorType":"transient"`, `"errorType":"`+class+`"`))
		if class == "" {
			delete(dig(event, "detail").(map[string]any), "responsePayload")
		}
		for _, name := range []string{"may-pass", "to-mend", "ended", "never-run"} {
			if matches(t, decodedFile(t, ready+"patterns/"+name+".json"), event) != (name == want) {
				t.Errorf("whether %q is of the group %s: want it in %s", class, name, want)
			}
		}
	}
}

func marshalled(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPatternsTellTheServiceWhatItsTriggerHasToTell(t *testing.T) {
	asynchronous := []string{"access-denied", "rejected", "resized", "superseded", "timed-out", "too-old", "transient"}
	for trigger, want := range map[string][]string{"direct": asynchronous, "eventbridge": asynchronous, "sqs": {"record-created"}} {
		s := notified(t, trigger)
		var got []string
		for name, event := range samples(t) {
			pattern := s.properties("Told")["EventPattern"]
			if matches(t, pattern, event) {
				got = append(got, name)
			}
			// What another account's, function's or bucket's event says is not for this service.
			for _, mine := range []string{`"account":"` + account, ":function:s3resizer-Function-4TN2V0QJW1", `"bucket":{"name":"` + destination} {
				text := marshalled(t, event)
				if other := strings.ReplaceAll(text, mine, mine+"0"); other != text && matches(t, pattern, decoded(t, other)) {
					t.Errorf("with %s the service is told %s of another than %s", trigger, name, mine)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("with %s the service is told %v, want %v", trigger, got, want)
		}
	}
}

// Every pattern of the template's, with any parameters, is shown what it asks for and what it does not.
func TestPatternsOfTheTemplateMatchTheirEventsAlone(t *testing.T) {
	event := func(source, kind, account string, detail map[string]any) map[string]any {
		return map[string]any{"source": source, "account": account, "detail-type": kind, "detail": detail}
	}
	object := func(kind, bucket, key string) map[string]any {
		return event("aws.s3", "Object "+kind, account, map[string]any{"bucket": map[string]any{"name": bucket}, "object": map[string]any{"key": key, "etag": "e"}})
	}
	ended := func(how, function string) map[string]any {
		return event("lambda", "Lambda Function Invocation Result - "+how, account, map[string]any{"requestContext": map[string]any{"functionArn": function}})
	}
	elsewhere := func(event map[string]any) map[string]any {
		event["account"] = "999999999999"
		return event
	}
	function := "arn:aws:lambda:" + region + ":" + account + ":function:" + stackName + "-Function"
	uploads, queued := map[string]string{"Trigger": "eventbridge"}, map[string]string{"Trigger": "sqs", "ResultsTo": "sns"}
	prefixed := map[string]string{"Trigger": "eventbridge", "SourcePrefix": "holiday/"}
	deleting := map[string]string{"Trigger": "eventbridge", "DeleteRenditions": "yes"}
	both := map[string]string{"Trigger": "eventbridge", "SourcePrefix": "holiday/", "DeleteRenditions": "yes"}
	shown, tmpl := map[string]map[bool]bool{}, readTemplate(t)
	for name, c := range map[string]struct {
		given map[string]string
		rule  string
		event map[string]any
		want  bool
	}{
		"an upload":                           {uploads, "UploadRule", object("Created", source, "cat.jpg"), true},
		"an upload of another account's":      {uploads, "UploadRule", elsewhere(object("Created", source, "cat.jpg")), false},
		"an upload with the prefix":           {prefixed, "UploadRule", object("Created", source, "holiday/cat.jpg"), true},
		"an upload without it":                {prefixed, "UploadRule", object("Created", source, "b/holiday/cat.jpg"), false},
		"a rendition is no upload":            {uploads, "UploadRule", object("Created", destination, "small-cat.jpg"), false},
		"a deletion":                          {deleting, "UploadRule", object("Deleted", source, "cat.jpg"), true},
		"an upload, where deletions count":    {deleting, "UploadRule", object("Created", source, "cat.jpg"), true},
		"a restored object is neither":        {deleting, "UploadRule", object("Restore Completed", source, "cat.jpg"), false},
		"a deletion with the prefix":          {both, "UploadRule", object("Deleted", source, "holiday/cat.jpg"), true},
		"a deletion without it":               {both, "UploadRule", object("Deleted", source, "cat.jpg"), false},
		"a deletion, not asked for":           {uploads, "UploadRule", object("Deleted", source, "cat.jpg"), false},
		"a record":                            {queued, "RecordRule", object("Created", destination, ".s3resizer/cat.jpg.json"), true},
		"a record that is taken away":         {queued, "RecordRule", object("Deleted", destination, ".s3resizer/cat.jpg.json"), false},
		"a rendition is no record":            {queued, "RecordRule", object("Created", destination, "small-.s3resizer/cat.jpg"), false},
		"a failure of the function":           {nil, "FailureRule", ended("Failure", function+":$LATEST"), true},
		"a failure, told without a qualifier": {nil, "FailureRule", ended("Failure", function), true},
		"a failure of another one":            {nil, "FailureRule", ended("Failure", function+"2:$LATEST"), false},
		"a success is no failure":             {nil, "FailureRule", ended("Success", function+":$LATEST"), false},
		"an upload is no failure":             {nil, "FailureRule", object("Created", source, "cat.jpg"), false},
		"a failure, with results in a queue":  {map[string]string{"ResultsTo": "sqs"}, "FailureRule", ended("Failure", function+":$LATEST"), true},
	} {
		pattern := mustEvaluate(t, tmpl, c.given).properties(c.rule)["EventPattern"]
		got := matches(t, pattern, c.event)
		if got != c.want {
			t.Errorf("%s: %v of %v is not %v", name, pattern, c.event, c.want)
		}
		text := marshalled(t, pattern)
		if shown[text] == nil {
			shown[text] = map[bool]bool{}
		}
		shown[text][got] = true
	}
	everyCombination(t, func(t *testing.T, _ map[string]string, s *stack) {
		for _, rule := range s.ofType("AWS::Events::Rule") {
			if pattern := marshalled(t, s.properties(rule)["EventPattern"]); len(shown[pattern]) != 2 {
				t.Errorf("%s was not shown what it takes and what it does not: %s", rule, pattern)
			}
		}
	})
}
