package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// s3Record is a record for a key as it stands in the event.
func s3Record(key string) string {
	return fmt.Sprintf(`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"photos"},"object":{"key":%q,"size":1,"sequencer":"0A"}}}`, key)
}

func s3Event(keys ...string) string {
	records := make([]string, len(keys))
	for i, key := range keys {
		records[i] = s3Record(key)
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// snsRecord is what SNS hands to a function, snsMessage what it puts into a queue.
func snsRecord(message string) string {
	return fmt.Sprintf(`{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"arn:aws:sns:us-east-1:123456789012:t:1","Sns":{"Type":"Notification","MessageId":"95df01b4","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Subject":"Amazon S3 Notification","Message":%s,"Timestamp":"2019-01-02T12:45:07.000Z","MessageAttributes":{}}}`, quote(message))
}

func snsMessage(message string) string {
	return fmt.Sprintf(`{"Type":"Notification","MessageId":"95df01b4","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Subject":"Amazon S3 Notification","Message":%s,"Timestamp":"2019-01-02T12:45:07.000Z","SignatureVersion":"1"}`, quote(message))
}

// detail is S3's event on EventBridge; its key is not encoded.
func detail(kind, key string) string {
	return fmt.Sprintf(`{"version":"0","id":"17793124","detail-type":%q,"source":"aws.s3","account":"123456789012","time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::photos"],"detail":{"version":"0","bucket":{"name":"photos"},"object":{"key":%q,"size":5,"etag":"","sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","reason":"PutObject"}}`, kind, key)
}

func sqsEvent(bodies ...string) string {
	records := make([]string, len(bodies))
	for i, body := range bodies {
		records[i] = fmt.Sprintf(`{"messageId":"m%d","receiptHandle":"h","body":%s,"attributes":{"ApproximateReceiveCount":"1"},"messageAttributes":{},"md5OfBody":"x","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:q","awsRegion":"us-east-1"}`, i+1, quote(body))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

func TestEventsOfEverySource(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	b.upload(t, "a b+c.jpg", photo(t, 400, 300, 1))
	const encoded, raw = "a+b%2Bc.jpg", "a b+c.jpg"
	for name, event := range map[string]string{
		"S3":                      s3Event(encoded),
		"S3 as LocalStack has it": s3Event("a%20b%2Bc.jpg"),
		"SNS":                     `{"Records":[` + snsRecord(s3Event(encoded)) + `]}`,
		"EventBridge":             detail("Object Created", raw),
		"EventBridge through SNS": `{"Records":[` + snsRecord(detail("Object Created", raw)) + `]}`,
		"a direct call":           `{"bucket":"photos","key":"a b+c.jpg"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if r := one(t, h, []byte(event)); r.Status != report.Resized || r.Source.Key != raw {
				t.Errorf("%+v", r)
			}
			answer, err := h.Respond(t.Context(), []byte(event))
			if answer, ok := answer.(report.Report); err != nil || !ok || len(answer.Results) != 1 {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	if r := one(t, h, []byte(detail("Object Deleted", raw))); r.Status != report.Skipped {
		t.Errorf("a deletion: %+v", r)
	}
}

func TestARecordThatCannotBeReadLeavesTheOthersAlone(t *testing.T) {
	b := newBench(t)
	b.upload(t, "one.jpg", photo(t, 400, 300, 1))
	b.upload(t, "two.jpg", photo(t, 400, 300, 2))
	answer, err := b.handler(t, b).Handle(t.Context(), []byte(s3Event("one.jpg", "%zz", "two.jpg")))
	if f := failureOf(t, err); f.Class != report.ClassUnknownEvent || !strings.Contains(f.Error(), "record 2 of 3") {
		t.Errorf("%v", err)
	}
	if len(answer.Results) != 2 || answer.Results[0].Status != report.Resized || answer.Results[1].Source.Key != "two.jpg" {
		t.Errorf("%+v", answer)
	}
}

// A queue gets a partial batch response: what failed comes again, and nothing else.
func TestSQS(t *testing.T) {
	b := newBench(t)
	b.upload(t, "one.jpg", photo(t, 400, 300, 1))
	b.upload(t, "bad.jpg", []byte("no picture at all"))
	b.upload(t, "lost.jpg", photo(t, 400, 300, 2))
	m := &meddler{Store: b, afterPut: func(_ int, u s3io.Upload) error {
		if u.Key == "medium-lost.jpg" {
			return &s3io.Error{Class: s3io.Transient, Op: "put", Bucket: u.Bucket, Key: u.Key, Err: errors.New("slow down")}
		}
		return nil
	}}
	event := sqsEvent(
		s3Event("one.jpg"), "poison", s3Event("bad.jpg"), s3Event("one.jpg", "lost.jpg", "%zz"), snsMessage(s3Event("one.jpg")),
		detail("Object Created", "one.jpg"), `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"photos"}`, `{}`, "missing.jpg",
	)
	answer, err := b.handler(t, m).Respond(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	// lost.jpg and the record that can't be read are in one message, which is named once
	if want := `{"batchItemFailures":[{"itemIdentifier":"m2"},{"itemIdentifier":"m4"},{"itemIdentifier":"m8"},{"itemIdentifier":"m9"}]}`; string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	answer, err = b.handler(t, b).Respond(t.Context(), []byte(sqsEvent(s3Event("one.jpg"))))
	if got, _ := json.Marshal(answer); err != nil || string(got) != `{"batchItemFailures":[]}` {
		t.Errorf("all well: %s, %v", got, err)
	}
}

func TestS3BatchOperations(t *testing.T) {
	b := newBench(t)
	b.upload(t, "a b+c.jpg", photo(t, 400, 300, 1))
	b.upload(t, "bad.jpg", []byte("no picture at all"))
	b.upload(t, "lost.jpg", photo(t, 400, 300, 2))
	b.upload(t, "denied.jpg", photo(t, 400, 300, 2))
	m := &meddler{Store: b, afterPut: func(_ int, u s3io.Upload) error {
		switch u.Key {
		case "medium-lost.jpg":
			return &s3io.Error{Class: s3io.Transient, Op: "put", Bucket: u.Bucket, Key: u.Key, Err: errors.New("slow down")}
		case "medium-denied.jpg":
			return &s3io.Error{Class: s3io.Denied, Op: "put", Bucket: u.Bucket, Key: u.Key, Err: errors.New("no")}
		}
		return nil
	}}
	for schema, bucket := range map[string]string{"1.0": `"s3BucketArn":"arn:aws:s3:::photos"`, "2.0": `"s3Bucket":"photos"`} {
		t.Run(schema, func(t *testing.T) {
			var tasks []string
			for i, key := range []string{"a+b%2Bc.jpg", "bad.jpg", "lost.jpg", "denied.jpg", "missing.jpg", "%zz"} {
				tasks = append(tasks, fmt.Sprintf(`{"taskId":"t%d","s3Key":%q,"s3VersionId":null,%s}`, i+1, key, bucket))
			}
			event := fmt.Sprintf(`{"invocationSchemaVersion":%q,"invocationId":"YXNkbGZqYWRmaiBhc2Rm","job":{"id":"f3cc4f60"},"tasks":[%s]}`, schema, strings.Join(tasks, ","))
			answer, err := b.handler(t, m).Respond(context.WithoutCancel(t.Context()), []byte(event))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := json.Marshal(answer)
			var got struct {
				InvocationSchemaVersion, InvocationID, TreatMissingKeysAs string
				Results                                                   []struct{ TaskID, ResultCode, ResultString string }
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if got.InvocationSchemaVersion != schema || got.InvocationID != "YXNkbGZqYWRmaiBhc2Rm" || got.TreatMissingKeysAs != "PermanentFailure" {
				t.Errorf("%s", raw)
			}
			var codes []string
			for _, r := range got.Results {
				codes = append(codes, r.TaskID+" "+r.ResultCode)
				if r.ResultString == "" {
					t.Errorf("%s: no word of explanation", r.TaskID)
				}
			}
			want := []string{"t1 Succeeded", "t2 PermanentFailure", "t3 TemporaryFailure", "t4 PermanentFailure", "t5 PermanentFailure", "t6 PermanentFailure"}
			if !reflect.DeepEqual(codes, want) {
				t.Errorf("%v, want %v\n%s", codes, want, raw)
			}
		})
	}
}

// An event says that something was uploaded. What is resized, and reported, is what the key has now.
func TestEventsOfEveryKindOfUpload(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, &meddler{Store: b, open: func(o *s3io.Object) { o.VersionID = "now" }}, "RESIZE_SIZES=small=40")
	b.upload(t, "a.jpg", photo(t, 60, 40, 1))
	now, err := b.Head(t.Context(), "photos", "a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload"} {
		event := strings.Replace(s3Event("a.jpg"), "ObjectCreated:Put", name, 1)
		event = strings.Replace(event, `"sequencer"`, `"eTag":"0123456789abcdef0123456789abcdef-12","versionId":"then","sequencer"`, 1)
		r := one(t, h, []byte(event))
		if r.Status != report.Resized && r.Status != report.Superseded || r.Source.VersionID != "now" || r.Source.ETag != now.ETag {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
