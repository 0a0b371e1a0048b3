package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/wire"
	"s3resizer/internal/wire/wiretest"
)

// user is somebody at the command, and what they are told.
type user struct {
	t           *testing.T
	aws         *wiretest.AWS
	target      wire.Target
	dryRun      bool
	owner       string
	patience    time.Duration
	out, warned bytes.Buffer
}

func at(t *testing.T, a *wiretest.AWS, target wire.Target) *user {
	return &user{t: t, aws: a, target: target, patience: 10 * time.Second}
}

func (u *user) open() (*wire.Wiring, error) {
	u.out.Reset()
	u.warned.Reset()
	return wire.Open(u.t.Context(), u.aws.Config(), wire.Options{
		Bucket: "photos", Target: u.target, Owner: u.owner, DryRun: u.dryRun, Patience: u.patience, Out: &u.out, Warnings: &u.warned,
	})
}

func (u *user) add(prefix string, suffixes ...string) error { return u.addFor(prefix, suffixes, false) }

func (u *user) addFor(prefix string, suffixes []string, deletions bool) error {
	w, err := u.open()
	if err != nil {
		return err
	}
	return w.Add(u.t.Context(), filter(u.t, prefix, suffixes, deletions))
}

func (u *user) remove(prefix string, suffixes ...string) error {
	w, err := u.open()
	if err != nil {
		return err
	}
	return w.Remove(u.t.Context(), filter(u.t, prefix, suffixes, false), false)
}

// filter is one for prefixes with commas between them.
func filter(t *testing.T, prefix string, suffixes []string, deletions bool) wire.Filter {
	t.Helper()
	prefixes := slices.DeleteFunc(strings.Split(prefix, ","), func(prefix string) bool { return prefix == "" })
	f, err := wire.NewFilter(prefixes, suffixes, deletions)
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks that an error names all the words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	wantWords(t, err.Error(), words...)
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not said:\n%s", word, text)
		}
	}
}

func functionAt(t *testing.T, arn string) wire.Target {
	t.Helper()
	target, err := wire.Function(arn)
	must(t, err)
	return target
}

func queueAt(t *testing.T, arn string) wire.Target {
	t.Helper()
	target, err := wire.Queue(arn)
	must(t, err)
	return target
}

// others is what somebody else has in a bucket: a topic, a queue and a function, with filters and ids.
func others(a *wiretest.AWS) {
	theirs := a.Function("thumbnails")
	a.SetPolicy(theirs, statementOf(theirs, "lambda:InvokeFunction"))
	backlog := a.Queue("backlog", "")
	a.SetPolicy(backlog, statementOf(backlog, "sqs:SendMessage"))
	audit := a.Topic("audit")
	a.Edit("photos", func(c *wiretest.Configuration) {
		c.Topics = []wiretest.Entry{{ID: "audit", Topic: audit, Events: []string{"s3:ObjectRemoved:*", "s3:ObjectRestore:Completed"}}}
		c.Queues = []wiretest.Entry{{Queue: backlog, Events: []string{"s3:ObjectCreated:Put"}, Rules: []wiretest.Rule{{Name: "prefix", Value: "logs/"}}}}
		c.Functions = []wiretest.Entry{{ID: "movies, to be moved", Function: theirs, Events: []string{"s3:ObjectCreated:*"},
			Rules: []wiretest.Rule{{Name: "suffix", Value: ".mov"}, {Name: "prefix", Value: "my+films/%C3%A9t%C3%A9"}}}}
	})
}

// statementOf is a policy that lets any bucket of the account call.
func statementOf(arn, action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"theirs","Statement":[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":%q,"Resource":%q,`+
		`"Condition":{"StringEquals":{"aws:SourceAccount":%q}}}]}`, action, arn, wiretest.Account)
}

// same compares JSON documents.
func same(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if got != "" {
		must(t, json.Unmarshal([]byte(got), &a))
	}
	if want != "" {
		must(t, json.Unmarshal([]byte(want), &b))
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// added returns the lines that are new, if all the old ones are still there.
func added(t *testing.T, before, after []string) []string {
	t.Helper()
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("lost: %s", line)
		}
	}
	return slices.DeleteFunc(slices.Clone(after), func(line string) bool { return slices.Contains(before, line) })
}

// put adds an entry with S3's own API, as somebody else would, who is not checked for anything but by S3.
func put(t *testing.T, a *wiretest.AWS, e wiretest.Entry) error {
	t.Helper()
	client := s3.NewFromConfig(a.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	bucket := "photos"
	now, err := client.GetBucketNotificationConfiguration(t.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: &bucket})
	must(t, err)
	var id *string
	if e.ID != "" {
		id = &e.ID
	}
	var wanted []types.Event
	for _, event := range e.Events {
		wanted = append(wanted, types.Event(event))
	}
	keys := &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{}}
	for _, rule := range e.Rules {
		keys.Key.FilterRules = append(keys.Key.FilterRules, types.FilterRule{Name: types.FilterRuleName(rule.Name), Value: &rule.Value})
	}
	next := types.NotificationConfiguration{EventBridgeConfiguration: now.EventBridgeConfiguration, LambdaFunctionConfigurations: now.LambdaFunctionConfigurations,
		QueueConfigurations: now.QueueConfigurations, TopicConfigurations: now.TopicConfigurations}
	switch {
	case e.Topic != "":
		next.TopicConfigurations = append(next.TopicConfigurations, types.TopicConfiguration{Id: id, TopicArn: &e.Topic, Events: wanted, Filter: keys})
	case e.Queue != "":
		next.QueueConfigurations = append(next.QueueConfigurations, types.QueueConfiguration{Id: id, QueueArn: &e.Queue, Events: wanted, Filter: keys})
	default:
		next.LambdaFunctionConfigurations = append(next.LambdaFunctionConfigurations, types.LambdaFunctionConfiguration{Id: id, LambdaFunctionArn: &e.Function, Events: wanted, Filter: keys})
	}
	_, err = client.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: &bucket, NotificationConfiguration: &next})
	return err
}
