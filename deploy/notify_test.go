package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ready = "../docs/ready/"

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
			if matches(pattern, data) {
				got = append(got, event)
			}
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s asks for %v, want %v", name, got, want[name])
		}
		// A rule for everybody's functions would tell of others' uploads.
		other := decoded(t, strings.ReplaceAll(marshalled(t, events[want[name][0]]), "s3resizer-Function-", "other-"))
		if name != "record" && matches(pattern, other) {
			t.Errorf("%s asks for what another function did", name)
		}
	}
}

// The groups of failures leave none out, and none is in two: what the README has a remedy for, and what Lambda says itself.
func TestEveryFailureIsOfOneGroup(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "| | **of a failure that may pass** | |\n")
	pass, rest, found := strings.Cut(table, "| | **of a failure that somebody has to mend** | |\n")
	mend, _, _ := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatal("the README's table of classes is not what it was")
	}
	group := map[string]string{"Sandbox.Timedout": "ended", "Runtime.ExitError": "ended", "": "never-run"}
	for name, rows := range map[string]string{"may-pass": pass, "to-mend": mend} {
		for row := range strings.Lines(rows) {
			class, _, _ := strings.Cut(strings.TrimPrefix(row, "| `"), "`")
			group[class] = name
		}
	}
	if len(group) < 14 {
		t.Fatalf("%v", group)
	}
	failure := marshalled(t, samples(t)["transient"])
	for class, want := range group {
		event := decoded(t, strings.ReplaceAll(failure, `"errorType":"transient"`, `"errorType":"`+class+`"`))
		if class == "" {
			delete(dig(event, "detail").(map[string]any), "responsePayload")
		}
		for _, name := range []string{"may-pass", "to-mend", "ended", "never-run"} {
			if matches(decodedFile(t, ready+"patterns/"+name+".json"), event) != (name == want) {
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

const secret = "0123456789abcdef0123456789abcdef"

// notified is the stack of notify.yaml beside one with that trigger.
func notified(t *testing.T, trigger string) *stack {
	t.Helper()
	s, err := read(t, "notify.yaml").evaluate(map[string]string{
		"FunctionArn":  "arn:aws:lambda:" + region + ":" + account + ":function:s3resizer-Function-4TN2V0QJW1",
		"RecordBucket": destination, "Trigger": trigger, "Endpoint": "https://example.com/picture-ready", "Token": secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheServiceIsToldWhatItsTriggerHasToTell(t *testing.T) {
	asynchronous := []string{"access-denied", "rejected", "resized", "superseded", "timed-out", "too-old", "transient"}
	for trigger, want := range map[string][]string{"direct": asynchronous, "eventbridge": asynchronous, "sqs": {"record-created"}} {
		s := notified(t, trigger)
		var got []string
		for name, event := range samples(t) {
			if matches(s.properties("Told")["EventPattern"], event) {
				got = append(got, name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("with %s the service is told %v, want %v", trigger, got, want)
		}
	}
}

func TestTheServiceIsCalledWithItsToken(t *testing.T) {
	s := notified(t, "direct")
	header := dig(s.properties("Connection"), "AuthParameters", "ApiKeyAuthParameters", "ApiKeyName").(string)
	if value := dig(s.properties("Connection"), "AuthParameters", "ApiKeyAuthParameters", "ApiKeyValue"); value != secret {
		t.Errorf("%s: %v", header, value)
	}
	for _, receiver := range []string{"receiver.go", "PictureReadyController.java"} {
		code, err := os.ReadFile(ready + receiver)
		if err != nil || !strings.Contains(string(code), `"`+header+`"`) {
			t.Errorf("%s does not look at the header %s: %v", receiver, header, err)
		}
	}
	service := s.properties("Service")
	if service["HttpMethod"] != "POST" || service["InvocationEndpoint"] != "https://example.com/picture-ready" || service["ConnectionArn"] != s.attribute("Connection.Arn") {
		t.Errorf("%v", service)
	}
}

// EventBridge may call the service, in this account's name alone, and nothing else; what it can't bring is kept.
func TestTellingTheServiceTakesNoOtherRight(t *testing.T) {
	s := notified(t, "sqs")
	role := s.properties("Caller")
	trust := statements(t, role["AssumeRolePolicyDocument"])
	if len(trust) != 1 || dig(trust[0].Principal, "Service") != "events.amazonaws.com" || !slices.Equal(trust[0].Condition["StringEquals"]["aws:SourceAccount"], list{account}) {
		t.Errorf("the role trusts %+v", trust)
	}
	policies := role["Policies"].([]any)
	rights := statements(t, dig(policies[0], "PolicyDocument"))
	if len(policies) != 1 || len(rights) != 1 || !slices.Equal(rights[0].Action, list{"events:InvokeApiDestination"}) || !slices.Equal(rights[0].Resource, list{s.attribute("Service.Arn")}) {
		t.Errorf("%+v", rights)
	}
	target := dig(s.properties("Told"), "Targets", 0)
	if dig(target, "Arn") != s.attribute("Service.Arn") || dig(target, "RoleArn") != s.attribute("Caller.Arn") || dig(target, "DeadLetterConfig", "Arn") != s.attribute("Untold.Arn") {
		t.Errorf("%v", target)
	}
	kept := statements(t, s.properties("UntoldPolicy")["PolicyDocument"])
	if len(kept) != 1 || dig(kept[0].Principal, "Service") != "events.amazonaws.com" || !slices.Equal(kept[0].Action, list{"sqs:SendMessage"}) ||
		!slices.Equal(kept[0].Condition["ArnEquals"]["aws:SourceArn"], list{s.attribute("Told.Arn")}) {
		t.Errorf("%+v", kept)
	}
}

func TestTheServiceIsCalledOverTLSAlone(t *testing.T) {
	given := map[string]string{"FunctionArn": "arn:aws:lambda:" + region + ":" + account + ":function:f", "RecordBucket": destination, "Token": secret}
	for endpoint, fine := range map[string]bool{"https://example.com": true, "https://example.com:8443/a/b": true, "http://example.com/": false, "https://example.com/?token=x": false} {
		given["Endpoint"] = endpoint
		if _, err := read(t, "notify.yaml").evaluate(given); (err == nil) != fine {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
