package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"s3resizer/internal/queue/sqstest"
)

// The tests in this file drive the SDK's own client against a stand-in for SQS, and the real Runtime API.

// pollQueue starts a poller and returns what stops it, as a shutdown does, and waits for its end.
func pollQueue(t *testing.T, url string, batchSize int, f function) (logged *log, stop func()) {
	t.Helper()
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	logged, logger := newLog(t)
	poller, err := NewSQS(cfg, url, batchSize, f, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		poller.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := f.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	t.Cleanup(stop)
	return logged, stop
}

// batch is what the function sees.
type batch struct {
	Records []struct{ MessageID, Body, EventSourceARN string }
}

func parseBatch(t *testing.T, payload string) batch {
	t.Helper()
	var b batch
	if err := json.Unmarshal([]byte(payload), &b); err != nil {
		t.Errorf("%s: %v", payload, err)
	}
	return b
}

func TestWhatSucceededIsDeleted(t *testing.T) {
	for name, answer := range map[string]string{
		"empty": "", "null": "null", "an object": "{}", "no failures": `{"batchItemFailures":[]}`, "null failures": `{"batchItemFailures":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
			q.Send("1")
			pollQueue(t, q.URL, 1, f)
			f.runtime(func(string) (string, bool) { return answer, false })
			eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
			if m := q.Messages()[0]; m.Receives != 1 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestTheEventIsLambdas(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	payloads := make(chan string, 2)
	f.runtime(func(payload string) (string, bool) { payloads <- payload; return "", false })
	// As LocalStack sends them: S3's test event when the notification is set up, and a space as %20.
	bodies := []string{
		`{"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-03-01T12:00:00.000Z", "Bucket": "photos", "RequestId": "x", "HostId": "y"}`,
		`{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "photos"}, "object": {"key": "a%20b%2Bc<&>.jpg", "sequencer": "0055AED6DCD90281E5"}}}]}`,
	}
	for _, body := range bodies {
		q.Send(body)
	}
	pollQueue(t, q.URL, 1, f)
	for i, body := range bodies {
		payload := <-payloads
		var got map[string][]map[string]any
		if err := json.Unmarshal([]byte(payload), &got); err != nil || len(got) != 1 || len(got["Records"]) != 1 {
			t.Fatalf("%s: %v", payload, err)
		}
		record := got["Records"][0]
		attributes, ok := record["attributes"].(map[string]any)
		if names := slices.Sorted(maps.Keys(attributes)); !ok || !slices.Equal(names, []string{"ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"}) {
			t.Errorf("attributes %v", attributes)
		}
		delete(record, "attributes")
		delete(record, "md5OfBody") // the SDK checks it
		if want := map[string]any{
			"messageId": fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), "receiptHandle": fmt.Sprintf("handle-%d-1", i+1), "body": body,
			"messageAttributes": map[string]any{}, "eventSource": "aws:sqs", "eventSourceARN": sqstest.ARN, "awsRegion": "eu-west-1",
		}; !reflect.DeepEqual(record, want) {
			t.Errorf("got  %v\nwant %v", record, want)
		}
	}
}

// The example of Lambda's documentation, and an attribute of each type.
func TestMessageAttributesAreLambdas(t *testing.T) {
	event := batchEvent([]types.Message{{
		MessageId: aws.String("1"), ReceiptHandle: aws.String("h"), Body: aws.String("<Test & message>"), MD5OfBody: aws.String("m"), MD5OfMessageAttributes: aws.String("n"),
		Attributes: map[string]string{"ApproximateReceiveCount": "1"},
		MessageAttributes: map[string]types.MessageAttributeValue{
			"s": {DataType: aws.String("String"), StringValue: aws.String("v")}, "b": {DataType: aws.String("Binary"), BinaryValue: []byte{1}},
		},
	}}, source{arn: sqstest.ARN, region: "eu-west-1"})
	want := `{"Records":[{"messageId":"1","receiptHandle":"h","body":"<Test & message>","attributes":{"ApproximateReceiveCount":"1"},` +
		`"messageAttributes":{"b":{"binaryValue":"AQ==","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},"s":{"stringValue":"v","stringListValues":[],"binaryListValues":[],"dataType":"String"}},` +
		`"md5OfMessageAttributes":"n","md5OfBody":"m","eventSource":"aws:sqs","eventSourceARN":"` + sqstest.ARN + `","awsRegion":"eu-west-1"}]}`
	if string(event) != want {
		t.Errorf("got  %s\nwant %s", event, want)
	}
}

func TestAnErrorLeavesTheBatchForLater(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	q.Send("1")
	q.Send("2")
	var mu sync.Mutex
	var seen []int
	pollQueue(t, q.URL, 10, f)
	f.runtime(func(payload string) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, len(parseBatch(t, payload).Records))
		if len(seen) == 1 {
			return "Broken", true
		}
		return "", false
	})
	start := time.Now()
	eventually(t, "deleted", func() bool { m := q.Messages(); return m[0].Deleted && m[1].Deleted })
	if took := time.Since(start); took < 1500*time.Millisecond {
		t.Errorf("delivered again after %v, before its visibility timeout", took)
	}
	for _, m := range q.Messages() {
		if m.Receives != 2 {
			t.Errorf("%+v", m)
		}
	}
}

func TestAPartOfABatchFails(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	for i := range 5 {
		q.Send(fmt.Sprint(i))
	}
	bad := q.Messages()[3].ID
	logged, stop := pollQueue(t, q.URL, 5, f)
	f.runtime(func(payload string) (string, bool) {
		if got := parseBatch(t, payload); len(got.Records) != 5 || got.Records[3].Body != "3" {
			t.Errorf("%+v", got)
		}
		return `{"batchItemFailures":[{"itemIdentifier":"` + bad + `"}]}`, false
	})
	eventually(t, "deleted", func() bool { return q.Messages()[4].Deleted })
	stop()
	for i, m := range q.Messages() {
		if m.Deleted != (i != 3) || m.Hidden != (i == 3) {
			t.Errorf("%+v", m)
		}
	}
	if !strings.Contains(logged.String(), "failed=1 of=5") {
		t.Error("not logged")
	}
}

func TestAnAnswerThatSaysNothingOfTheBatchFailsAllOfIt(t *testing.T) {
	batch := []types.Message{{MessageId: aws.String("a")}, {MessageId: aws.String("b")}}
	for _, answer := range []string{
		`{"batchItemFailures":[{"itemIdentifier":""}]}`,
		`{"batchItemFailures":[{"itemIdentifier":null}]}`,
		`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}`,
		`{"batchItemFailures":[{"id":"a"}]}`,
		`{"batchItemFailures":"a"}`,
		`{"batchItemFailures":[`,
		`[]`, `"done"`, `done`,
	} {
		if failed, err := batchFailures([]byte(answer), batch); err == nil {
			t.Errorf("%s: %v failed", answer, failed)
		}
	}
	if failed, err := batchFailures([]byte(`{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}`), batch); err != nil || !reflect.DeepEqual(failed, map[string]bool{"b": true}) {
		t.Errorf("%v failed, %v", failed, err)
	}

	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	q.Send("1")
	logged, stop := pollQueue(t, q.URL, 1, f)
	f.runtime(func(string) (string, bool) { return `{"batchItemFailures":[{"itemIdentifier":""}]}`, false })
	eventually(t, "logged", func() bool { return strings.Contains(logged.String(), "counts as failed") })
	stop()
	if m := q.Messages()[0]; m.Deleted || !m.Hidden {
		t.Errorf("%+v", m)
	}
}

func TestVisibilityLastsAsLongAsTheInvocation(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	q.Send("1")
	pollQueue(t, q.URL, 1, f)
	for range 2 { // the other one would be given the message if it became visible
		f.runtime(func(string) (string, bool) { time.Sleep(3500 * time.Millisecond); return "", false })
	}
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
	if m := q.Messages()[0]; m.Receives != 1 {
		t.Errorf("%+v", m)
	}
}

// steal lets pollers receive for an idle runtime, which is then given something else before a message comes.
func steal(t *testing.T, q *sqstest.Queue, f function) (release func()) {
	t.Helper()
	hold := make(chan struct{})
	f.runtime(func(payload string) (string, bool) {
		if payload == `"stolen"` {
			<-hold
		}
		return "", false
	})
	eventually(t, "polled", func() bool { return q.Calls("ReceiveMessage") == 1 })
	if _, err := f.Server.Start([]byte(`"stolen"`), time.Minute); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { close(hold) })
}

func TestVisibilityLastsAsLongAsTheWaitForARuntime(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	pollQueue(t, q.URL, 1, f)
	release := steal(t, q, f)
	defer release()
	q.Send("1")
	eventually(t, "received", func() bool { return q.Messages()[0].Receives == 1 })
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := q.Messages()[0]; !m.Hidden {
			t.Fatalf("%+v", m)
		}
	}
	release()
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
	if m := q.Messages()[0]; m.Receives != 1 {
		t.Errorf("%+v", m)
	}
}

func TestShutdownHandsBackWhatWasNotStarted(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	_, stop := pollQueue(t, q.URL, 1, f)
	release := steal(t, q, f)
	defer release()
	q.Send("1")
	eventually(t, "received", func() bool { return q.Messages()[0].Receives == 1 })
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	eventually(t, "handed back", func() bool { return !q.Messages()[0].Hidden })
	release()
	<-stopped
	if m := q.Messages()[0]; m.Deleted || m.Receives != 1 {
		t.Errorf("%+v", m)
	}
}

func TestShutdownWaitsForWhatRuns(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	q.Send("1")
	_, stop := pollQueue(t, q.URL, 1, f)
	started, finish := make(chan struct{}), make(chan struct{})
	f.runtime(func(string) (string, bool) { close(started); <-finish; return "", false })
	<-started
	time.AfterFunc(200*time.Millisecond, func() { close(finish) })
	stop()
	if m := q.Messages()[0]; !m.Deleted {
		t.Errorf("%+v", m)
	}
}

func TestNoMoreIsReceivedThanCanStart(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	for i := range 10 {
		q.Send(fmt.Sprint(i))
	}
	pollQueue(t, q.URL, 1, f)
	finish := make(chan struct{})
	for range 3 {
		f.runtime(func(string) (string, bool) { <-finish; return "", false })
	}
	eventually(t, "three run", func() bool { return f.Running() == 3 })
	time.Sleep(300 * time.Millisecond) // in which more could be received
	received := 0
	for _, m := range q.Messages() {
		received += m.Receives
	}
	if received != 3 || q.Largest() > 3 {
		t.Errorf("%d messages were received for 3 runtimes, %d were asked for at once", received, q.Largest())
	}
	close(finish)
	eventually(t, "all deleted", func() bool {
		return !slices.ContainsFunc(q.Messages(), func(m sqstest.Message) bool { return !m.Deleted })
	})
}

func TestNothingIsReceivedWithoutARuntime(t *testing.T) {
	q, f := sqstest.Start(t, 30*time.Second), newFunction(t)
	q.Send("1")
	logged, _ := pollQueue(t, q.URL, 1, f)
	eventually(t, "polling", func() bool { return strings.Contains(logged.String(), "polling") })
	time.Sleep(200 * time.Millisecond)
	if n := q.Calls("ReceiveMessage"); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestAQueueThatIsNotThereYet(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	q.Drop()
	logged, _ := pollQueue(t, q.URL, 1, f)
	f.runtime(func(string) (string, bool) { return "", false })
	eventually(t, "logged", func() bool { return strings.Contains(logged.String(), "the queue does not exist (yet)") })
	q.Create()
	q.Send("1")
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
	q.Drop() // as when LocalStack is started anew
	eventually(t, "logged again", func() bool { return strings.Count(logged.String(), "(yet)") >= 2 })
	q.Create()
	q.Send("2")
	eventually(t, "deleted", func() bool { return q.Messages()[1].Deleted })
}

func TestSQSFails(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	q.Fail("GetQueueAttributes", 4) // more than the SDK tries
	logged, _ := pollQueue(t, q.URL, 1, f)
	eventually(t, "logged", func() bool { return strings.Contains(logged.String(), "SQS fails") })
	eventually(t, "polling", func() bool { return strings.Contains(logged.String(), "polling") })
	q.Fail("ReceiveMessage", 4)
	q.Fail("DeleteMessageBatch", 2)
	q.Send("1")
	f.runtime(func(string) (string, bool) { return "", false })
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
}

func TestADeletionThatIsRefusedIsLogged(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	q.Refuse("DeleteMessageBatch", q.Send("1"))
	q.Send("2")
	logged, _ := pollQueue(t, q.URL, 2, f)
	f.runtime(func(string) (string, bool) { return "", false })
	eventually(t, "deleted", func() bool { return q.Messages()[1].Deleted })
	eventually(t, "logged", func() bool { return strings.Contains(logged.String(), "could not be deleted") })
	eventually(t, "delivered again", func() bool { return q.Messages()[0].Receives > 1 })
}

func TestTheEndpointOfTheEnvironmentGoesBeforeTheQueuesURL(t *testing.T) {
	q, f := sqstest.Start(t, 2*time.Second), newFunction(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the queue's URL was dialled") }))
	defer elsewhere.Close()
	t.Setenv("AWS_ENDPOINT_URL_SQS", q.Endpoint)
	q.Send("1")
	pollQueue(t, elsewhere.URL+"/000000000000/uploads", 1, f) // as LocalStack's name localhost.localstack.cloud
	f.runtime(func(string) (string, bool) { return "", false })
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
}
