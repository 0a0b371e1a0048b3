package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/internal/report/reporttest"
	"s3resizer/s3io"
)

// newHandler makes a handler whose every result and record is held against the schema.
func newHandler(t testing.TB, store handler.Store, s config.Settings, log *slog.Logger) *handler.Handler {
	t.Helper()
	h := handler.New(schemed{store, t}, s, log)
	h.Observe = func(r report.Result, f *report.Failure) {
		if f != nil {
			if f.TraceID == "" {
				t.Errorf("a failure without a trace id: %v", f)
			}
			return
		}
		if err := reporttest.CheckValue(r); err != nil {
			t.Error(err)
		}
	}
	return h
}

// schemed is a store that knows what a record has to look like.
type schemed struct {
	handler.Store
	t testing.TB
}

func (s schemed) Put(ctx context.Context, u s3io.Upload) (string, error) {
	if strings.HasPrefix(u.Key, ".s3resizer/") && u.ContentType == "application/json" {
		if err := reporttest.Check(u.Data); err != nil {
			s.t.Error(err)
		}
	}
	return s.Store.Put(ctx, u)
}

// The checks that every other test makes can fail.
func TestTheSchemaRefuses(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	resized, err := json.Marshal(one(t, h, b.upload(t, "a.jpg", photo(t, 60, 40, 1))))
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := json.Marshal(one(t, h, b.upload(t, "a.jpg", []byte("no picture"))))
	if err != nil {
		t.Fatal(err)
	}
	const gone = `{"version":1,"traceId":"t","status":"gone","source":{"bucket":"b","key":"k"}}`
	for name, data := range map[string]string{
		"a resized picture": string(resized), "a rejected one": string(rejected), "one that is gone": gone,
		"a report": `{"results":[` + string(resized) + `,` + gone + `]}`, "an empty one": `{"results":[]}`,
	} {
		if err := reporttest.Check([]byte(data)); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
	without := func(data []byte, path ...string) string {
		var document map[string]any
		if err := json.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		at := document
		for _, name := range path[:len(path)-1] {
			if list, is := at[name].([]any); is {
				at = list[0].(map[string]any)
			} else {
				at = at[name].(map[string]any)
			}
		}
		if _, there := at[path[len(path)-1]]; !there {
			t.Fatalf("%s has no %v to be left out", data, path)
		}
		delete(at, path[len(path)-1])
		changed, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return string(changed)
	}
	wrong := map[string]string{
		"a status that there is not":     strings.Replace(gone, "gone", "vanished", 1),
		"another version":                strings.Replace(gone, `"version":1`, `"version":2`, 1),
		"a trace id with a space":        strings.Replace(gone, `"t"`, `"t t"`, 1),
		"an unknown property":            strings.Replace(gone, `"status"`, `"stauts":"gone","status"`, 1),
		"one deeper down":                strings.Replace(gone, `"key"`, `"kye":"k","key"`, 1),
		"a reason of nothing":            strings.Replace(gone, `"status"`, `"reason":"x","status"`, 1),
		"renditions of a gone one":       strings.Replace(string(resized), "resized", "gone", 1),
		"a class that there is not":      strings.Replace(string(rejected), "unsupported", "unliked", 1),
		"a color by name":                strings.Replace(string(resized), `"color":"#`, `"color":"red`, 1),
		"a report with a result spoiled": `{"results":[{}]}`,
	}
	for _, path := range [][]string{
		{"version"}, {"traceId"}, {"renditions"}, {"timings"}, {"source", "thumbHash"}, {"source", "color"}, {"source", "etag"}, {"renditions", "etag"}, {"renditions", "width"},
	} {
		wrong["a resized picture without "+strings.Join(path, ".")] = without(resized, path...)
	}
	wrong["a rejected one without its reason"] = without(rejected, "reason")
	wrong["a rejected one without its class"] = without(rejected, "class")
	for name, data := range wrong {
		if err := reporttest.Check([]byte(data)); err == nil {
			t.Errorf("%s passes: %s", name, data)
		}
	}
}

// What later releases may add breaks nobody who validates.
func TestTheSchemaLeavesRoom(t *testing.T) {
	for name, data := range map[string]string{
		"a property": `{"version":1,"traceId":"t","status":"gone","source":{"key":"k","depth":10},"cost":1}`,
		"a class":    `{"version":1,"traceId":"t","status":"rejected","class":"unliked","reason":"r","source":{"key":"k","etag":"e"}}`,
		"a format":   `{"version":1,"traceId":"t","status":"superseded","source":{"key":"k","etag":"e","bytes":1,"format":"jxl","width":1,"height":1}}`,
		"a status":   `{"version":1,"traceId":"t","status":"postponed","source":{"key":"k"}}`,
	} {
		if err := reporttest.Read([]byte(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if reporttest.Check([]byte(data)) == nil {
			t.Errorf("%s: it could be written", name)
		}
	}
	if reporttest.Read([]byte(`{"version":1,"traceId":"t","status":"rejected","source":{"key":"k","etag":"e"}}`)) == nil {
		t.Error("a rejection without a reason is read")
	}
}

func TestThePagesExampleIsAReport(t *testing.T) {
	page, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(page), "```json\n{\"version\":")
	example, _, closed := strings.Cut(example, "\n```")
	if !found || !closed {
		t.Fatal("docs/report.md has no example of a report")
	}
	if err := reporttest.Check([]byte(`{"version":` + example)); err != nil {
		t.Error(err)
	}
}

// A set that a release before version 1 has made, in whose record neither that nor what came with it stands, is named when a
// later upload is no picture, and else made anew.
func TestARecordOfBeforeVersion1(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	event := b.upload(t, "a.jpg", photo(t, 60, 40, 1))
	made := one(t, h, event)
	info, record := b.get(t, "photos-resized", ".s3resizer/a.jpg.json")
	var older map[string]any
	if err := json.Unmarshal(record, &older); err != nil {
		t.Fatal(err)
	}
	delete(older, "version")
	delete(older, "traceId")
	delete(older["source"].(map[string]any), "thumbHash")
	delete(older["source"].(map[string]any), "color")
	for _, rendition := range older["renditions"].([]any) {
		delete(rendition.(map[string]any), "etag")
	}
	record, err := json.Marshal(older)
	if err != nil {
		t.Fatal(err)
	}
	age := func() {
		t.Helper()
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: ".s3resizer/a.jpg.json", ContentType: "application/json", Data: record, Metadata: info.Metadata}); err != nil {
			t.Fatal(err)
		}
	}

	age()
	late := bytes.Replace(event, []byte(`"eTag":"`), []byte(`"eTag":"0`), 1)
	if r := one(t, h, late); r.Status != report.Resized {
		t.Errorf("the event of an older upload: %+v", r)
	}
	age()
	r := one(t, h, b.upload(t, "a.jpg", []byte("no picture")))
	if r.Status != report.Rejected || r.Previous == nil || r.Previous.Source.ETag != made.Source.ETag || len(r.Previous.Renditions) != 3 || r.Previous.Renditions[0].ETag != "" {
		t.Errorf("a broken upload over it: %+v", r)
	}
}

func TestARenditionsETagIsS3s(t *testing.T) {
	b := newBench(t)
	for _, r := range one(t, b.handler(t, b), b.upload(t, "a.jpg", photo(t, 800, 400, 1))).Renditions {
		if info, err := b.Head(t.Context(), r.Bucket, r.Key); err != nil || r.ETag == "" || r.ETag != info.ETag {
			t.Errorf("%s is reported with ETag %q; S3 has %q, %v", r.Size, r.ETag, info.ETag, err)
		}
	}
}

// The id by which those who raised the event know it is in the report, the record and every line of the log, whichever
// way the event came.
func TestTheTraceIDIsEverywhere(t *testing.T) {
	b := newBench(t)
	upload := string(b.upload(t, "a.jpg", photo(t, 60, 40, 1)))
	var parsed struct {
		Records []struct {
			ResponseElements map[string]string `json:"responseElements"`
		}
	}
	if err := json.Unmarshal([]byte(upload), &parsed); err != nil || parsed.Records[0].ResponseElements["x-amz-request-id"] == "" {
		t.Fatalf("the embedded S3's event has no request id: %s, %v", upload, err)
	}
	request := parsed.Records[0].ResponseElements["x-amz-request-id"]
	with := func(id string) string { return strings.Replace(upload, request, id, 1) }
	bare := s3Event("a.jpg")
	const invoked = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
	call := func(id string) string { return `{"bucket":"photos","key":"a.jpg","traceId":` + quote(id) + `}` }
	for name, c := range map[string]struct{ event, want string }{
		"S3":                      {upload, request},
		"SNS":                     {`{"Records":[` + snsRecord(upload) + `]}`, request},
		"SQS":                     {sqsEvent(upload), request},
		"SNS in SQS":              {sqsEvent(snsMessage(upload)), request},
		"EventBridge":             {detail("Object Created", "a.jpg"), "N4N7GDK58NMKJ12R"},
		"EventBridge in SQS":      {sqsEvent(detail("Object Created", "a.jpg")), "N4N7GDK58NMKJ12R"},
		"S3 Batch":                {`{"invocationSchemaVersion":"2.0","invocationId":"aW52","tasks":[{"taskId":"dGFz","s3Key":"a.jpg","s3Bucket":"photos"}]}`, "aW52/dGFz"},
		"a test event":            {`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"photos","RequestId":"5582815E1AEA5ADF"}`, "5582815E1AEA5ADF"},
		"a call with one":         {call("order/4711"), "order/4711"},
		"a call without":          {`{"bucket":"photos","key":"a.jpg"}`, invoked},
		"a failure":               {strings.Replace(upload, `"photos"`, `"photos-resized"`, 1), request},
		"a rejection":             {strings.Replace(upload, `a.jpg`, `text`, 1), request},
		"an S3 that gives none":   {bare, invoked},
		"the same through SNS":    {`{"Records":[` + snsRecord(bare) + `]}`, "95df01b4"},
		"the same through SQS":    {sqsEvent(bare), "m1"},
		"EventBridge without one": {strings.Replace(detail("Object Created", "a.jpg"), "request-id", "x", 1), "17793124"},
		"a message of nothing":    {sqsEvent("poison"), "m1"},
		"an event of nothing":     {`{"hello":"world"}`, invoked},
		"one that is too long":    {with(strings.Repeat("x", 129)), invoked},
		"one that is as long":     {with(strings.Repeat("x", 128)), strings.Repeat("x", 128)},
		"one of two lines":        {with(`a\nb`), invoked},
		"one of other letters":    {with("제주"), invoked},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "text", Data: []byte("no picture")}); err != nil {
				t.Fatal(err)
			}
			<-b.events
			var out bytes.Buffer
			h := newHandler(t, b, settings(t, "RESIZE_DEST_BUCKET=photos-resized"), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: invoked})
			answer, err := h.Handle(ctx, []byte(c.event))
			for _, r := range answer.Results {
				if r.TraceID != c.want || r.Version != 1 {
					t.Errorf("the result has trace id %q, version %d", r.TraceID, r.Version)
				}
			}
			if len(answer.Results) == 0 {
				if f := failureOf(t, err); f.TraceID != c.want || !strings.Contains(f.Error(), "trace "+c.want) {
					t.Errorf("the failure has trace id %q: %v", f.TraceID, f)
				}
			}
			lines := 0
			for decoder := json.NewDecoder(&out); decoder.More(); lines++ {
				var line struct{ Msg, TraceID string }
				if err := decoder.Decode(&line); err != nil || line.TraceID != c.want {
					t.Errorf("a line %q with trace id %q, %v", line.Msg, line.TraceID, err)
				}
			}
			if lines == 0 {
				t.Error("nothing was logged")
			}
			if len(answer.Results) == 0 || answer.Results[0].Status == report.Skipped {
				return
			}
			var record report.Result
			if _, data := b.get(t, "photos-resized", fmt.Sprintf(".s3resizer/%s.json", answer.Results[0].Source.Key)); json.Unmarshal(data, &record) != nil || record.TraceID != c.want {
				t.Errorf("the record has trace id %q", record.TraceID)
			}
		})
	}

	t.Run("a caller is told of one that can't be carried", func(t *testing.T) {
		_, err := b.handler(t, b).Handle(t.Context(), []byte(call("two words")))
		if f := failureOf(t, err); f.Class != report.ClassUnknownEvent || !strings.Contains(f.Error(), `"traceId"`) {
			t.Errorf("%v", err)
		}
	})
	t.Run("outside Lambda one is made up", func(t *testing.T) {
		h, event := b.handler(t, b), json.RawMessage(`{"bucket":"photos","key":"a.jpg"}`)
		if a, b := one(t, h, event), one(t, h, event); a.TraceID == "" || a.TraceID == b.TraceID {
			t.Errorf("trace ids %q and %q", a.TraceID, b.TraceID)
		}
	})
}
