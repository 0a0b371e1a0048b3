package handler

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// object is one object that an event names.
type object struct {
	bucket, key string
	etag        string // of the upload that raised the event; "" where the event has none
	skip        string // why there is nothing to do, or ""
}

// envelope has the fields by which the shapes of events are told apart.
type envelope struct {
	Records []json.RawMessage `json:"Records"`
	Event   string            `json:"Event"`
	Bucket  string            `json:"bucket"`
	Key     string            `json:"key"`
}

var errShape = errors.New(`want an S3 event notification ({"Records":[{"eventSource":"aws:s3",…}]}) or {"bucket":"…","key":"…"}`)

// decode reads the objects out of an event: an S3 notification, S3's test event, or a direct call.
func decode(event json.RawMessage) ([]object, error) {
	var e envelope
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("the event is not a JSON object of a known shape: %w; %w", err, errShape)
	}
	switch {
	case len(e.Records) > 0:
		objects := make([]object, len(e.Records))
		for i, record := range e.Records {
			var err error
			if objects[i], err = decodeRecord(record); err != nil {
				return nil, fmt.Errorf("record %d of %d: %w", i+1, len(e.Records), err)
			}
		}
		return objects, nil
	case e.Event == "s3:TestEvent":
		return []object{{bucket: e.Bucket, skip: "a test event: the notification is wired"}}, nil
	case e.Bucket != "" && e.Key != "":
		return []object{{bucket: e.Bucket, key: e.Key}}, nil
	default:
		return nil, fmt.Errorf("the event is of no known shape: %w", errShape)
	}
}

func decodeRecord(raw json.RawMessage) (object, error) {
	var r events.S3EventRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return object{}, fmt.Errorf("%w; %w", err, errShape)
	}
	o := object{bucket: r.S3.Bucket.Name, key: r.S3.Object.URLDecodedKey, etag: strings.Trim(r.S3.Object.ETag, `"`)}
	if r.EventSource != "aws:s3" && r.EventSource != "" || r.EventName == "" || o.bucket == "" || o.key == "" {
		return object{}, fmt.Errorf("source %q, name %q, bucket %q, key %q: %w", r.EventSource, r.EventName, o.bucket, o.key, errShape)
	}
	// Gateways that imitate S3 put "s3:" before the name.
	if name := strings.TrimPrefix(r.EventName, "s3:"); !strings.HasPrefix(name, "ObjectCreated:") {
		o.skip = fmt.Sprintf("%s: only ObjectCreated events bring pictures", r.EventName)
	}
	return o, nil
}
