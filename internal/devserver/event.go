package devserver

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"s3resizer/internal/naming"

	"github.com/aws/aws-lambda-go/events"
)

// configurationID stands where AWS names the bucket's notification rule.
const configurationID = "s3resizer-devserver"

// event is the notification of one object, as AWS writes it:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func (n *notifier) event(answer http.Header, r *http.Request, c change) events.S3Event {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	owner := events.S3UserIdentity{PrincipalID: n.owner}
	if n.owner == "" {
		owner.PrincipalID = "DEVSERVER"
	}
	return events.S3Event{Records: []events.S3EventRecord{{
		EventVersion:      "2.1",
		EventSource:       "aws:s3",
		AWSRegion:         n.region,
		EventTime:         c.at.UTC().Truncate(time.Millisecond),
		EventName:         eventName(r, c),
		PrincipalID:       events.S3UserIdentity{PrincipalID: "AWS:" + owner.PrincipalID},
		RequestParameters: events.S3RequestParameters{SourceIPAddress: ip},
		ResponseElements: map[string]string{
			"x-amz-request-id": answer.Get("x-amz-request-id"),
			"x-amz-id-2":       answer.Get("x-amz-id-2"),
		},
		S3: events.S3Entity{
			SchemaVersion:   "1.0",
			ConfigurationID: configurationID,
			Bucket: events.S3Bucket{
				Name:          c.bucket,
				OwnerIdentity: owner,
				Arn:           "arn:aws:s3:::" + c.bucket,
			},
			Object: events.S3Object{
				Key:           naming.Form(c.key),
				Size:          c.size,
				URLDecodedKey: c.key,
				VersionID:     c.versionID,
				ETag:          c.etag,
				Sequencer:     fmt.Sprintf("%016X", c.sequencer),
			},
		},
	}}}
}

func eventName(r *http.Request, c change) string {
	switch {
	case c.marked:
		return removed + "DeleteMarkerCreated"
	case c.removed:
		return removed + "Delete"
	case r.Method == http.MethodPost && r.URL.Query().Get("uploadId") != "":
		return "ObjectCreated:CompleteMultipartUpload"
	case r.Method == http.MethodPost:
		return "ObjectCreated:Post"
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "ObjectCreated:Copy"
	}
	return "ObjectCreated:Put"
}

// removed begins the names of the events of removals.
const removed = "ObjectRemoved:"

// EventJSON returns the bytes that AWS would send for e. They differ from
// json.Marshal's in what aws-lambda-go adds for its readers: there is no
// urlDecodedKey, no empty versionId, and a size of 0 is there, but neither size
// nor eTag of an object that was removed.
func EventJSON(e events.S3Event) ([]byte, error) {
	records := make([]wireRecord, len(e.Records))
	for i, r := range e.Records {
		records[i] = wireRecord{
			EventVersion:      r.EventVersion,
			EventSource:       r.EventSource,
			AWSRegion:         r.AWSRegion,
			EventTime:         r.EventTime.UTC().Format("2006-01-02T15:04:05.000Z"),
			EventName:         r.EventName,
			UserIdentity:      r.PrincipalID,
			RequestParameters: r.RequestParameters,
			ResponseElements:  r.ResponseElements,
			S3: wireEntity{
				SchemaVersion:   r.S3.SchemaVersion,
				ConfigurationID: r.S3.ConfigurationID,
				Bucket:          r.S3.Bucket,
				Object: wireObject{
					Key:       r.S3.Object.Key,
					ETag:      r.S3.Object.ETag,
					VersionID: r.S3.Object.VersionID,
					Sequencer: r.S3.Object.Sequencer,
				},
			},
		}
		if !strings.HasPrefix(r.EventName, removed) {
			records[i].S3.Object.Size = &r.S3.Object.Size
		}
	}
	return json.Marshal(map[string][]wireRecord{"Records": records})
}

type wireRecord struct {
	EventVersion      string                     `json:"eventVersion"`
	EventSource       string                     `json:"eventSource"`
	AWSRegion         string                     `json:"awsRegion"`
	EventTime         string                     `json:"eventTime"`
	EventName         string                     `json:"eventName"`
	UserIdentity      events.S3UserIdentity      `json:"userIdentity"`
	RequestParameters events.S3RequestParameters `json:"requestParameters"`
	ResponseElements  map[string]string          `json:"responseElements"`
	S3                wireEntity                 `json:"s3"`
}

type wireEntity struct {
	SchemaVersion   string          `json:"s3SchemaVersion"`
	ConfigurationID string          `json:"configurationId"`
	Bucket          events.S3Bucket `json:"bucket"`
	Object          wireObject      `json:"object"`
}

type wireObject struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}
