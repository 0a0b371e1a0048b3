package handler

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// object is one object that an event names.
type object struct {
	bucket, key string
	etag        string // of the upload that raised the event; "" where the event has none
	skip        string // why there is nothing to do, or ""
	err         error  // why this part of the event could not be read; the rest of it is done all the same
	part        string // the id of the SQS message or of the S3 Batch task that named it
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
	Type       string            `json:"Type"`                    // SNS in SQS
	Message    string            `json:"Message"`                 // its content
	DetailType string            `json:"detail-type"`             // EventBridge
	Detail     json.RawMessage   `json:"detail"`                  //
	Schema     string            `json:"invocationSchemaVersion"` // S3 Batch Operations
	Bucket     string            `json:"bucket"`                  // a direct call
	Key        string            `json:"key"`
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
		return []object{{bucket: e.Bucket, skip: "a test event: the notification is wired"}}, nil
	case e.DetailType != "":
		o, err := decodeDetail(e)
		return []object{o}, err
	case e.Type == "Notification":
		return decodeMessage(e.Message)
	case e.Bucket != "" && e.Key != "":
		return []object{{bucket: e.Bucket, key: e.Key}}, nil
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
		return decodeMessage(r.SNS.Message)
	}
	var r events.S3EventRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%w; %w", err, errShape)
	}
	o := object{bucket: r.S3.Bucket.Name, key: r.S3.Object.URLDecodedKey, etag: strings.Trim(r.S3.Object.ETag, `"`)}
	if r.EventSource != "aws:s3" && r.EventSource != "" || r.EventName == "" || o.bucket == "" || o.key == "" {
		return nil, fmt.Errorf("source %q, name %q, bucket %q, key %q: %w", r.EventSource, r.EventName, o.bucket, o.key, errShape)
	}
	// Gateways that imitate S3 put "s3:" before the name.
	if name := strings.TrimPrefix(r.EventName, "s3:"); !strings.HasPrefix(name, "ObjectCreated:") {
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
	}
	if err := json.Unmarshal(e.Detail, &detail); err != nil {
		return object{}, fmt.Errorf("%w; %w", err, errShape)
	}
	o := object{bucket: detail.Bucket.Name, key: detail.Object.Key, etag: detail.Object.ETag}
	if o.bucket == "" || o.key == "" {
		return object{}, fmt.Errorf("detail-type %q, bucket %q, key %q: %w", e.DetailType, o.bucket, o.key, errShape)
	}
	if e.DetailType != "Object Created" {
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
		for _, o := range named {
			o.part = message.MessageId
			objects = append(objects, o)
		}
	}
	return request{objects, respondQueue}
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
		o := object{bucket: task.S3Bucket, part: task.TaskID}
		if o.bucket == "" {
			o.bucket = task.BucketARN[strings.LastIndex(task.BucketARN, ":")+1:]
		}
		o.key, o.err = url.QueryUnescape(task.S3Key)
		if o.err == nil && (o.bucket == "" || o.key == "") {
			o.err = fmt.Errorf("task %s: bucket %q, key %q: %w", task.TaskID, o.bucket, o.key, errShape)
		}
		objects = append(objects, o)
	}
	return request{objects, func(outcomes []outcome) (any, error) {
		return respondBatch(batch.InvocationSchemaVersion, batch.InvocationID, outcomes), nil
	}}, nil
}
