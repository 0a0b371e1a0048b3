package queue

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"s3resizer/internal/naming"
)

// WebhookEvents understands what an S3 gateway posts, one notification of any number of objects,
// and returns one event per object, each as AWS S3 would have sent it to a function, of those in
// bucket or, if that is empty, of all. A test event gives none.
//
// AWS's own form is left as it is in substance. versitygw (https://github.com/versity/versitygw,
// s3event) differs in the event's name, which it begins with "s3:", the ETag, which it quotes, the
// key, which it does not encode, the bucket's ARN, to which it adds the key, the time, which has a
// zone, and the request's id, which it leaves empty: one is made up, so that what becomes of the
// event can be followed. Its 1.8.0 takes the name and the key from memory that its next request may overwrite
// before they are sent; the ARN is a copy, so both are read from there. MinIO, whose source is "minio:s3", encodes the key, but its slashes too.
func WebhookEvents(body []byte, bucket string) ([][]byte, error) {
	var post struct {
		Records []json.RawMessage
		Event   string
	}
	if err := json.Unmarshal(body, &post); err != nil {
		return nil, err
	}
	if post.Records == nil && post.Event != "s3:TestEvent" {
		return nil, errors.New(`want an S3 event notification, {"Records":[{"eventName":…,"s3":{…}}]}`)
	}
	var events [][]byte
	for i, raw := range post.Records {
		var r s3Record
		err := json.Unmarshal(raw, &r)
		if err == nil {
			err = r.normalize()
		}
		if err != nil {
			return nil, fmt.Errorf("record %d of %d: %w", i+1, len(post.Records), err)
		}
		if bucket != "" && r.S3.Bucket.Name != bucket {
			continue
		}
		event, err := encode(map[string]any{"Records": []s3Record{r}})
		if err != nil {
			return nil, fmt.Errorf("record %d of %d: %w", i+1, len(post.Records), err)
		}
		events = append(events, event)
	}
	return events, nil
}

// s3Record is the notification of one object:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type s3Record struct {
	EventVersion      string         `json:"eventVersion"`
	EventSource       string         `json:"eventSource"`
	AWSRegion         string         `json:"awsRegion"`
	EventTime         string         `json:"eventTime"`
	EventName         string         `json:"eventName"`
	UserIdentity      s3Identity     `json:"userIdentity"`
	RequestParameters map[string]any `json:"requestParameters"`
	ResponseElements  map[string]any `json:"responseElements"`
	S3                struct {
		SchemaVersion   string `json:"s3SchemaVersion"`
		ConfigurationID string `json:"configurationId"`
		Bucket          struct {
			Name          string     `json:"name"`
			OwnerIdentity s3Identity `json:"ownerIdentity"`
			ARN           string     `json:"arn"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			Size      *int64 `json:"size,omitempty"`
			ETag      string `json:"eTag,omitempty"`
			VersionID string `json:"versionId,omitempty"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"s3"`
}

type s3Identity struct {
	PrincipalID string `json:"principalId"`
}

func (r *s3Record) normalize() error {
	bucket, object := &r.S3.Bucket, &r.S3.Object
	if path, ok := strings.CutPrefix(bucket.ARN, "arn:aws:s3:::/"); ok {
		name, key, _ := strings.Cut(path, "/")
		bucket.Name, object.Key = cmp.Or(name, bucket.Name), cmp.Or(key, object.Key)
	}
	name, foreign := strings.CutPrefix(r.EventName, "s3:")
	if bucket.Name == "" || object.Key == "" || name == "" {
		return errors.New("want eventName, s3.bucket.name and s3.object.key")
	}
	if !foreign || r.EventSource == "minio:s3" {
		if key, err := naming.FromForm(object.Key); err == nil {
			object.Key = key
		} // else it was not encoded
	}
	if name == "ObjectRemoved:DeleteObjects" { // versitygw's own, of a request that removes several
		name = "ObjectRemoved:Delete"
	}
	if strings.HasPrefix(name, "ObjectRemoved:") {
		object.Size = nil
	}
	at, err := time.Parse(time.RFC3339, r.EventTime)
	if err != nil {
		at = time.Now() // functions expect one
	}
	r.EventTime = at.UTC().Format("2006-01-02T15:04:05.000Z")
	r.EventSource, r.EventName = "aws:s3", name
	if id, _ := r.ResponseElements["x-amz-request-id"].(string); id == "" {
		if r.ResponseElements == nil {
			r.ResponseElements = map[string]any{}
		}
		r.ResponseElements["x-amz-request-id"] = rand.Text()
	}
	bucket.ARN = "arn:aws:s3:::" + bucket.Name
	object.ETag = strings.Trim(object.ETag, `"`)
	object.Key = naming.Form(object.Key)
	return nil
}
