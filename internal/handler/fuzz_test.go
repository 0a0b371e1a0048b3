package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// oracle is a store that has no pictures, only something to say of every key: not there, not now, not for you, or a
// text. It notes what it was asked for.
type oracle struct {
	mu    sync.Mutex  // objects are worked on in parallel
	asked [][2]string // bucket and key
}

func (o *oracle) Open(_ context.Context, bucket, key string) (*s3io.Object, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, [2]string{bucket, key})
	classes := []s3io.Class{s3io.NotFound, s3io.Transient, s3io.Denied}
	n := int(crc32.ChecksumIEEE([]byte(key)) % 4)
	if n < len(classes) {
		return nil, &s3io.Error{Class: classes[n], Op: "open", Bucket: bucket, Key: key, Err: errors.New("says the oracle")}
	}
	text := "no picture at all"
	return &s3io.Object{Info: s3io.Info{Bucket: bucket, Key: key, ETag: "e", Size: int64(len(text))}, ReadCloser: io.NopCloser(strings.NewReader(text))}, nil
}

func (o *oracle) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	return s3io.Info{Bucket: bucket, Key: key, ETag: "e"}, nil
}

func (o *oracle) Put(context.Context, s3io.Upload) (string, error) { return "r", nil }

func (o *oracle) Tags(context.Context, string, string) (string, error) { panic("not asked for") }

func (o *oracle) Delete(context.Context, string, string, string) error { return nil }

func (o *oracle) handler(t testing.TB) *handler.Handler {
	t.Helper()
	settings, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newHandler(t, o, settings, slog.New(slog.DiscardHandler))
}

// Any event: the answer is of the form that its source understands and can be sent; every record, message or task is
// answered for; S3 is never asked for an object without a name.
func FuzzDecode(f *testing.F) {
	const encoded, raw = "a+b%2Bc.jpg", "a b+c.jpg"
	for _, event := range []string{
		`{}`, `null`, `[]`, `{"Records":[]}`, `{"bucket":"photos","key":"a b+c.jpg"}`,
		s3Event(encoded), s3Event("one.jpg", "%zz", "two.jpg", "d%2F"),
		strings.Replace(s3Event(encoded), "ObjectCreated:Put", "s3:ObjectRemoved:Delete", 1),
		`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"photos"}`,
		`{"Records":[` + snsRecord(s3Event(encoded)) + `]}`, `{"Records":[` + snsRecord(detail("Object Created", raw)) + `,` + s3Record(encoded) + `]}`,
		detail("Object Created", raw), detail("Object Deleted", raw),
		sqsEvent(s3Event("one.jpg", "two.jpg"), "poison", snsMessage(s3Event("one.jpg")), detail("Object Created", "one.jpg"), `{}`),
		`{"invocationSchemaVersion":"1.0","invocationId":"Y","job":{"id":"f"},"tasks":[{"taskId":"t1","s3Key":"a+b%2Bc.jpg","s3VersionId":null,"s3BucketArn":"arn:aws:s3:::photos"}]}`,
		`{"invocationSchemaVersion":"2.0","invocationId":"Y","job":{"id":"f","userArguments":{"k":"v"}},"tasks":[{"taskId":"t1","s3Key":"%zz","s3VersionId":"1","s3Bucket":"photos"},{"taskId":"t2","s3Key":"b","s3Bucket":"photos"}]}`,
	} {
		f.Add([]byte(event))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		store := &oracle{}
		answer, err := store.handler(t).Respond(t.Context(), event)
		for _, o := range store.asked {
			if o[0] == "" || o[1] == "" {
				t.Errorf("asked for s3://%s/%s", o[0], o[1])
			}
		}
		failures := failuresOf(t, err)
		if _, err := json.Marshal(answer); err != nil {
			t.Errorf("the answer can't be sent: %v", err)
		}
		// What Lambda parses of an event is what counts; encoding/json takes the last of fields of one name.
		var e struct {
			Records []events.SQSMessage
			Tasks   []events.S3BatchJobTaskV2
		}
		readable := json.Unmarshal(event, &e) == nil
		switch answer := answer.(type) {
		case nil:
			if len(failures) == 0 {
				t.Error("neither an answer nor a failure")
			}
		case report.Report:
			if readable && len(answer.Results)+len(failures) < len(e.Records) {
				t.Errorf("%d results and %d failures for %d records", len(answer.Results), len(failures), len(e.Records))
			}
			for _, r := range answer.Results {
				if r.Status == "" || r.Source.Key == "" && r.Status != report.Skipped {
					t.Errorf("%+v", r)
				}
			}
		case events.SQSEventResponse:
			checkPartial(t, answer, e.Records, readable)
		case events.S3BatchJobResponse:
			if readable && len(answer.Results) != len(e.Tasks) {
				t.Errorf("%d results for %d tasks", len(answer.Results), len(e.Tasks))
			}
			for i, r := range answer.Results {
				if readable && r.TaskID != e.Tasks[i].TaskID || r.ResultCode == "" || r.ResultString == "" {
					t.Errorf("%+v", r)
				}
			}
		default:
			t.Errorf("an answer of type %T", answer)
		}
	})
}

// failuresOf returns the failures that an error stands for, each with a class and a text that can be logged.
func failuresOf(t *testing.T, err error) []error {
	t.Helper()
	if err == nil {
		return nil
	}
	failure, ok := err.(*report.Failure) //nolint:errorlint // Lambda reports the outermost type's name
	if !ok {
		t.Fatalf("an error of type %T: %v", err, err)
	}
	if failure.Class == "" || failure.Error() == "" {
		t.Errorf("%+v", failure)
	}
	return failure.Unwrap()
}

// checkPartial: a message is handed back once, and only one of the event; one whose body is no JSON always is.
func checkPartial(t *testing.T, answer events.SQSEventResponse, messages []events.SQSMessage, readable bool) {
	t.Helper()
	back := map[string]int{}
	for _, item := range answer.BatchItemFailures {
		back[item.ItemIdentifier]++
	}
	known := map[string]bool{"": true} // of a message that can't be read: SQS hands the whole batch out again
	for _, m := range messages {
		known[m.MessageId] = true
		if readable && !json.Valid([]byte(m.Body)) && back[m.MessageId] == 0 {
			t.Errorf("message %q, which nobody can read, counts as done", m.MessageId)
		}
	}
	for id, times := range back {
		if times != 1 || readable && !known[id] {
			t.Errorf("message %q is handed back %d times", id, times)
		}
	}
	if answer.BatchItemFailures == nil {
		t.Error("null instead of an empty list")
	}
}

// A key is decoded exactly once, whatever it is made of and whichever way it comes.
func FuzzDecodeKey(f *testing.F) {
	for _, key := range []string{"a b+c.jpg", "100%25.jpg", "여행/제주 바다.jpg", "e\u0301", "../up", "/", "a\u2028b", `"\`, "\x00\n", "%zz", "+", "urn:x?y#z"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || len(key) > 1000 || !utf8.ValidString(key) {
			return // S3 has no such key, or no room for the names of its renditions
		}
		encoded := s3Event(url.QueryEscape(key))
		created := strings.Replace(detail("Object Created", "KEY"), `"KEY"`, quote(key), 1)
		task := fmt.Sprintf(`{"invocationSchemaVersion":"2.0","invocationId":"Y","tasks":[{"taskId":"t","s3Key":%s,"s3Bucket":"photos"}]}`, quote(url.QueryEscape(key)))
		for way, event := range map[string]string{
			"S3": encoded, "S3, a space as %20": s3Event(strings.ReplaceAll(url.QueryEscape(key), "+", "%20")), "SNS": `{"Records":[` + snsRecord(encoded) + `]}`, "SQS": sqsEvent(encoded),
			"SNS in SQS": sqsEvent(snsMessage(encoded)), "EventBridge": created, "EventBridge in SQS": sqsEvent(created),
			"S3 Batch": task, "a call": `{"bucket":"photos","key":` + quote(key) + `}`,
		} {
			store := &oracle{}
			if _, err := store.handler(t).Respond(t.Context(), []byte(event)); err != nil {
				failuresOf(t, err)
			}
			ofPhotos := slices.DeleteFunc(store.asked, func(o [2]string) bool { return o[0] != "photos" })
			if len(ofPhotos) != 1 || ofPhotos[0][1] != key {
				t.Errorf("%s: asked for %q, want %q", way, ofPhotos, key)
			}
		}
	})
}
