package deploy_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	ready  = "../docs/ready/"
	secret = "0123456789abcdef0123456789abcdef"
)

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

func TestTheServiceIsCalledWithItsToken(t *testing.T) {
	s := notified(t, "direct")
	header := dig(s.properties("Connection"), "AuthParameters", "ApiKeyAuthParameters", "ApiKeyName").(string)
	if value := dig(s.properties("Connection"), "AuthParameters", "ApiKeyAuthParameters", "ApiKeyValue"); value != secret {
		t.Errorf("%s: %v", header, value)
	}
	for _, receiver := range []string{"receiver.go", "spring/src/main/java/ready/PictureReadyController.java"} {
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
