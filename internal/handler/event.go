package handler

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"s3resizer/internal/naming"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// object is one object that an event names.
type object struct {
	bucket, key string
	etag        string        // of the upload that raised the event; "" where the event has none
	trace       string        // what the event, its report and its log lines have in common; "" where the event has none
	removal     string        // the event's name, if it tells that the object, or a version of it, was removed
	skip        string        // why there is nothing to do, or ""
	err         error         // why this part of the event could not be read; the rest of it is done all the same
	raised      time.Time     // when the event was; zero where it does not say so
	allowed     time.Duration // from the invocation's beginning to where work stops; 0 for ever
	part        string        // the id of the SQS message or of the S3 Batch task that named it
}

// request is an event, read.
type request struct {
	objects []object
	respond func([]outcome) (any, error) // in the form that the event's source understands
}

// envelope has the fields by which the shapes of events are told apart.
type envelope struct {
	Records    []json.RawMessage `json:"Records"`                 // S3, SNS, SQS
	Event      string            `json:"Event"`                   // S3's test event
	RequestID  string            `json:"RequestId"`               //
	Type       string            `json:"Type"`                    // SNS in SQS
	Message    string            `json:"Message"`                 // its content
	DetailType string            `json:"detail-type"`             // EventBridge
	Detail     json.RawMessage   `json:"detail"`                  //
	ID         string            `json:"id"`                      //
	Time       time.Time         `json:"time"`                    //
	Schema     string            `json:"invocationSchemaVersion"` // S3 Batch Operations
	Bucket     string            `json:"bucket"`                  // a direct call
	Key        string            `json:"key"`                     //
	TraceID    string            `json:"traceId"`                 //
}

// maxTraceID is the most of an id that is carried, in bytes. S3's request ids have 16.
const maxTraceID = 128

// traceID is an id as an event has it; "" if it can't stand in a log, a header or a command as it is. Events come from
// outside: nothing of them gets into every line of the log that was not looked at.
//
// It is the id by which those who raised the event know it: S3's id of the request, which the uploader has in the answer
// to its PUT (x-amz-request-id) and CloudTrail in its log, or a caller's own. So it stays the same however often the event
// is delivered. An X-Ray trace is of one invocation, of which the log has the request id; it is not carried.
func traceID(id string) string {
	if len(id) > maxTraceID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return id
}

var errTraceID = fmt.Errorf(`"traceId": want at most %d printable characters of ASCII, no space`, maxTraceID)

// invocationID stands for the id that an event has not: Lambda's request id, which its retries share, or any.
func invocationID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok && invocation.AwsRequestID != "" {
		return invocation.AwsRequestID
	}
	return rand.Text()
}

var errShape = errors.New(`want an S3 event notification ({"Records":[{"eventSource":"aws:s3",…}]}), by itself or through SQS, SNS or EventBridge, ` +
	`a task of S3 Batch Operations, or {"bucket":"…","key":"…"}`)

// decode reads the objects out of an event of any shape.
func decode(event json.RawMessage) (request, error) {
	var e envelope
	if err := json.Unmarshal(event, &e); err != nil {
		return request{}, fmt.Errorf("the event is not a JSON object of a known shape: %w; %w", err, errShape)
	}
	switch {
	case e.Schema != "":
		return decodeBatch(event)
	case len(e.Records) > 0 && sourceOf(e.Records[0]) == "aws:sqs":
		return decodeQueue(e.Records), nil
	default:
		objects, err := decodeNotification(e)
		return request{objects, respondReport}, err
	}
}

// decodeNotification reads what a bucket tells of its objects, however it came.
func decodeNotification(e envelope) ([]object, error) {
	switch {
	case len(e.Records) > 0:
		var objects []object
		for i, record := range e.Records {
			named, err := decodeRecord(record)
			if err != nil {
				named = []object{{err: fmt.Errorf("record %d of %d: %w", i+1, len(e.Records), err)}}
			}
			objects = append(objects, named...)
		}
		return objects, nil
	case e.Event == "s3:TestEvent":
		return []object{{bucket: e.Bucket, trace: traceID(e.RequestID), skip: "a test event: the notification is wired"}}, nil
	case e.DetailType != "":
		o, err := decodeDetail(e)
		return []object{o}, err
	case e.Type == "Notification":
		return decodeMessage(e.Message)
	case e.Bucket != "" && e.Key != "" && traceID(e.TraceID) != e.TraceID:
		return nil, errTraceID
	case e.Bucket != "" && e.Key != "":
		return []object{{bucket: e.Bucket, key: e.Key, trace: e.TraceID}}, nil
	default:
		return nil, fmt.Errorf("the event is of no known shape: %w", errShape)
	}
}

// decodeMessage reads an event that is the text of a message.
func decodeMessage(text string) ([]object, error) {
	var e envelope
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return nil, fmt.Errorf("the message is not a JSON object of a known shape: %w; %w", err, errShape)
	}
	return decodeNotification(e)
}

// sourceOf is where a record says that it comes from. SNS spells the field with a capital; encoding/json does not mind.
func sourceOf(record json.RawMessage) string {
	var r struct {
		EventSource string `json:"eventSource"`
	}
	_ = json.Unmarshal(record, &r) // what can't be read is of no known source
	return r.EventSource
}

// decodeRecord reads a record of S3, or the records in one of SNS.
func decodeRecord(raw json.RawMessage) ([]object, error) {
	if sourceOf(raw) == "aws:sns" {
		var r events.SNSEventRecord
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("%w; %w", err, errShape)
		}
		named, err := decodeMessage(r.SNS.Message)
		return byDefault(named, r.SNS.MessageID), err
	}
	var r events.S3EventRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%w; %w", err, errShape)
	}
	o := object{bucket: r.S3.Bucket.Name, key: r.S3.Object.URLDecodedKey, etag: strings.Trim(r.S3.Object.ETag, `"`), raised: r.EventTime, trace: traceID(r.ResponseElements["x-amz-request-id"])}
	if r.EventSource != "aws:s3" && r.EventSource != "" || r.EventName == "" || o.bucket == "" || o.key == "" {
		return nil, fmt.Errorf("source %q, name %q, bucket %q, key %q: %w", r.EventSource, r.EventName, o.bucket, o.key, errShape)
	}
	// Gateways that imitate S3 put "s3:" before the name.
	switch kind, _, _ := strings.Cut(strings.TrimPrefix(r.EventName, "s3:"), ":"); kind {
	case "ObjectCreated":
	case "ObjectRemoved", "LifecycleExpiration":
		o.removal = r.EventName
	default:
		o.skip = fmt.Sprintf("%s: only ObjectCreated events bring pictures", r.EventName)
	}
	return []object{o}, nil
}

// decodeDetail reads S3's event on EventBridge, whose keys are not encoded.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
func decodeDetail(e envelope) (object, error) {
	var detail struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key  string `json:"key"`
			ETag string `json:"etag"`
		} `json:"object"`
		RequestID string `json:"request-id"`
	}
	if err := json.Unmarshal(e.Detail, &detail); err != nil {
		return object{}, fmt.Errorf("%w; %w", err, errShape)
	}
	o := object{bucket: detail.Bucket.Name, key: detail.Object.Key, etag: detail.Object.ETag, raised: e.Time, trace: cmp.Or(traceID(detail.RequestID), traceID(e.ID))}
	if o.bucket == "" || o.key == "" {
		return object{}, fmt.Errorf("detail-type %q, bucket %q, key %q: %w", e.DetailType, o.bucket, o.key, errShape)
	}
	switch e.DetailType {
	case "Object Created":
	case "Object Deleted":
		o.removal = e.DetailType
	default:
		o.skip = fmt.Sprintf("%s: only Object Created events bring pictures", e.DetailType)
	}
	return o, nil
}

// decodeQueue reads the messages of an SQS event source. One that can't be read fails alone.
func decodeQueue(records []json.RawMessage) request {
	var objects []object
	for _, raw := range records {
		var message events.SQSMessage
		err := json.Unmarshal(raw, &message)
		var named []object
		if err == nil {
			named, err = decodeMessage(message.Body)
		}
		if err != nil {
			named = []object{{err: fmt.Errorf("SQS message %s: %w", message.MessageId, err)}}
		}
		for _, o := range byDefault(named, message.MessageId) {
			o.part = message.MessageId
			objects = append(objects, o)
		}
	}
	return request{objects, respondQueue}
}

// byDefault gives an id to the objects that have none: that of the message that named them.
func byDefault(objects []object, id string) []object {
	for i := range objects {
		objects[i].trace = cmp.Or(objects[i].trace, traceID(id))
	}
	return objects
}

// decodeBatch reads the task of S3 Batch Operations, whose keys are form-encoded. Schema 1.0 names the bucket by its
// ARN, 2.0 by its name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
func decodeBatch(event json.RawMessage) (request, error) {
	var batch struct {
		events.S3BatchJobEventV2
		Tasks []struct {
			events.S3BatchJobTaskV2
			BucketARN string `json:"s3BucketArn"`
		} `json:"tasks"`
	}
	if err := json.Unmarshal(event, &batch); err != nil {
		return request{}, fmt.Errorf("%w; %w", err, errShape)
	}
	if len(batch.Tasks) == 0 {
		return request{}, fmt.Errorf("no tasks: %w", errShape)
	}
	var objects []object
	for _, task := range batch.Tasks {
		o := object{bucket: task.S3Bucket, part: task.TaskID, trace: traceID(batch.InvocationID + "/" + task.TaskID)}
		if o.bucket == "" {
			o.bucket = task.BucketARN[strings.LastIndex(task.BucketARN, ":")+1:]
		}
		o.key, o.err = naming.FromForm(task.S3Key)
		if o.err == nil && (o.bucket == "" || o.key == "") {
			o.err = fmt.Errorf("task %s: bucket %q, key %q: %w", task.TaskID, o.bucket, o.key, errShape)
		}
		objects = append(objects, o)
	}
	return request{objects, func(outcomes []outcome) (any, error) {
		return respondBatch(batch.InvocationSchemaVersion, batch.InvocationID, outcomes), nil
	}}, nil
}
