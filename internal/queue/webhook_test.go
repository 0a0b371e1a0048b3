package queue

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// What versitygw 1.8.0 posted for a PUT of an object named "여행/a b+c%d&<1>.jpg", but for the addresses and ids.
const versitygwPut = `{"Records":[{"eventVersion":"2.2","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-23T05:30:12+02:00",` +
	`"eventName":"s3:ObjectCreated:Put","userIdentity":{"PrincipalId":"test"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},` +
	`"responseElements":{"x-amz-request-id":"","x-amz-id-2":""},"s3":{"s3SchemaVersion":"1.0","configurationId":"webhook-global",` +
	`"bucket":{"name":"photos","ownerIdentity":{"PrincipalId":"test"},"arn":"arn:aws:s3:::/photos/여행/a b+c%d\u0026\u003c1\u003e.jpg"},` +
	`"object":{"key":"여행/a b+c%d\u0026\u003c1\u003e.jpg","size":6,"eTag":"\"b1946ac92492d2347c6235b4d2611184\"","versionId":null,"sequencer":"2"}},` +
	`"glacierEventData":{"restoreEventData":{"lifecycleRestorationExpiryTime":"","lifecycleRestoreStorageClass":""}}}]}`

func TestWebhookOfVersitygwBecomesAWSsEvent(t *testing.T) {
	got, err := WebhookEvents([]byte(versitygwPut), "")
	if err != nil || len(got) != 1 {
		t.Fatalf("%s, %v", got, err)
	}
	want := `{"Records":[{"eventVersion":"2.2","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-23T03:30:12.000Z",` +
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"test"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},` +
		`"responseElements":{"x-amz-id-2":"","x-amz-request-id":""},"s3":{"s3SchemaVersion":"1.0","configurationId":"webhook-global",` +
		`"bucket":{"name":"photos","ownerIdentity":{"principalId":"test"},"arn":"arn:aws:s3:::photos"},` +
		`"object":{"key":"%EC%97%AC%ED%96%89/a+b%2Bc%25d%26%3C1%3E.jpg","size":6,"eTag":"b1946ac92492d2347c6235b4d2611184","sequencer":"2"}}}]}`
	var event events.S3Event
	if err := json.Unmarshal(got[0], &event); err != nil {
		t.Fatal(err)
	}
	// versitygw names no request, and a function's report should have something in common with its event.
	id := event.Records[0].ResponseElements["x-amz-request-id"]
	if want := strings.Replace(want, `"x-amz-request-id":""`, `"x-amz-request-id":"`+id+`"`, 1); id == "" || string(got[0]) != want {
		t.Errorf("got  %s\nwant %s", got[0], want)
	}
	if err != nil || event.Records[0].S3.Object.URLDecodedKey != "여행/a b+c%d&<1>.jpg" {
		t.Errorf("aws-lambda-go understands %+v, %v", event, err)
	}
}

func TestWebhookForms(t *testing.T) {
	record := func(source, name, object string) string {
		return `{"eventSource":"` + source + `","eventName":"` + name + `","s3":{"bucket":{"name":"photos"},"object":` + object + `}}`
	}
	for name, test := range map[string]struct {
		records []string
		want    []string // in each event
	}{
		"AWS's own form stays": {
			[]string{record("aws:s3", "ObjectCreated:Put", `{"key":"a+b%2Bc%25.jpg","size":1,"eTag":"0","versionId":"v"}`)},
			[]string{`"eventName":"ObjectCreated:Put","`, `"key":"a+b%2Bc%25.jpg","size":1,"eTag":"0","versionId":"v"`},
		},
		"a space as %20 becomes a plus": {[]string{record("aws:s3", "ObjectCreated:Put", `{"key":"a%20b.jpg"}`)}, []string{`"key":"a+b.jpg"`}},
		"MinIO": {
			[]string{record("minio:s3", "s3:ObjectCreated:CompleteMultipartUpload", `{"key":"photos%2Fa+b%2Bc.jpg","size":1}`)},
			[]string{`"eventSource":"aws:s3"`, `"eventName":"ObjectCreated:CompleteMultipartUpload"`, `"key":"photos/a+b%2Bc.jpg"`},
		},
		"a key that is not encoded though it should be": {[]string{record("aws:s3", "ObjectCreated:Put", `{"key":"100%.jpg"}`)}, []string{`"key":"100%25.jpg"`}},
		"versitygw's multipart upload":                  {[]string{record("aws:s3", "s3:ObjectCreated:CompleteMultipartUpload", `{"key":"a","size":0,"eTag":"\"0-2\""}`)}, []string{`"key":"a","size":0,"eTag":"0-2"`}},
		"versitygw's removal of several": {
			[]string{record("aws:s3", "s3:ObjectRemoved:DeleteObjects", `{"key":"a%20b","size":0,"eTag":null,"versionId":null,"sequencer":"1"}`)},
			[]string{`"eventName":"ObjectRemoved:Delete"`, `"object":{"key":"a%2520b","sequencer":"1"}`},
		},
		"an event per record": {
			[]string{record("aws:s3", "s3:ObjectCreated:Put", `{"key":"1"}`), record("aws:s3", "s3:ObjectCreated:Put", `{"key":"2"}`)}, []string{`{"Records":[{"eventVersion"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := WebhookEvents([]byte(`{"EventName":"ignored","Records":[`+strings.Join(test.records, ",")+`]}`), "")
			if err != nil || len(got) != len(test.records) {
				t.Fatalf("%s, %v", got, err)
			}
			for _, event := range got {
				for _, want := range test.want {
					if !strings.Contains(string(event), want) {
						t.Errorf("no %s in %s", want, event)
					}
				}
			}
		})
	}
	for _, body := range []string{`{"Service":"S3","Event":"s3:TestEvent","Time":"2026-11-23T03:30:12Z","Bucket":"Test-Bucket"}`, `{"Records":[]}`} {
		if got, err := WebhookEvents([]byte(body), ""); len(got) != 0 || err != nil {
			t.Errorf("%s: %s, %v", body, got, err)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"Records":[{}]}`, `{"Records":"x"}`, `{"bucket":"a","key":"b"}`, `{"Records":[` + record("aws:s3", "s3:", `{"key":"a"}`) + `]}`, `{"Records":[` + record("aws:s3", "ObjectCreated:Put", `{"key":""}`) + `]}`} {
		if got, err := WebhookEvents([]byte(body), ""); err == nil {
			t.Errorf("%s: %s", body, got)
		}
	}
}

// Its name and key point into a buffer that the next request overwrites before they are sent; seen with twenty uploads
// in a row: "photos/twenty/" for a bucket, and the end of another key.
func TestWebhookOfVersitygwWithAnOverwrittenName(t *testing.T) {
	got, err := WebhookEvents([]byte(`{"Records":[{"eventSource":"aws:s3","eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"photos/twenty/","arn":"arn:aws:s3:::/photos-resized/medium-twenty/06.jpg"},"object":{"key":"06.jpgdium-tw"}}}]}`), "photos-resized")
	if err != nil || len(got) != 1 {
		t.Fatalf("%s, %v", got, err)
	}
	for _, want := range []string{`"name":"photos-resized"`, `"key":"medium-twenty/06.jpg"`, `"arn":"arn:aws:s3:::photos-resized"`} {
		if !strings.Contains(string(got[0]), want) {
			t.Errorf("no %s in %s", want, got[0])
		}
	}
}

// aws-lambda-go does not parse an event without a time.
func TestWebhookWithoutATimeIsAnEventAllTheSame(t *testing.T) {
	for _, at := range []string{``, `"eventTime":"",`, `"eventTime":"yesterday",`} {
		got, err := WebhookEvents([]byte(`{"Records":[{`+at+`"eventName":"s3:ObjectCreated:Put","requestParameters":{"n":1},"s3":{"bucket":{"name":"photos"},"object":{"key":"a.jpg"}}}]}`), "")
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %s, %v", at, got, err)
		}
		var event events.S3Event
		if err := json.Unmarshal(got[0], &event); err != nil || time.Since(event.Records[0].EventTime) > time.Minute {
			t.Errorf("%s: %s, %v", at, got[0], err)
		}
	}
}

func TestWebhookOfOneBucket(t *testing.T) {
	for bucket, want := range map[string]int{"photos": 1, "photos-resized": 0, "": 1} {
		if got, err := WebhookEvents([]byte(versitygwPut), bucket); err != nil || len(got) != want {
			t.Errorf("%q: %d events, want %d: %v", bucket, len(got), want, err)
		}
	}
}

func FuzzWebhookEvents(f *testing.F) {
	f.Add([]byte(versitygwPut))
	f.Add([]byte(`{"Event":"s3:TestEvent"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := WebhookEvents(body, "")
		if err != nil || bytes.Contains(body, []byte("s3:s3:")) {
			return
		}
		for _, event := range got {
			again, err := WebhookEvents(event, "")
			if err != nil || len(again) != 1 || string(again[0]) != string(event) {
				t.Errorf("AWS's form does not stay as it is: %s becomes %s, %v", event, again, err)
			}
		}
	})
}
