package devserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/devserver"
)

var awkwardKeys = map[string]string{ // key → as AWS encodes it
	"a b+c.jpg":   "a+b%2Bc.jpg",
	"여행/제주.jpg":   "%EC%97%AC%ED%96%89/%EC%A0%9C%EC%A3%BC.jpg",
	"x//..//y":    "x//..//y",
	"/100% &?=#/": "/100%25+%26%3F%3D%23/",
}

func TestEveryWayOfCreatingAnObjectIsToldOfOnce(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		for key, encoded := range awkwardKeys {
			t.Run(key, func(t *testing.T) {
				if o.Dir != "" {
					o.Dir = t.TempDir()
				}
				e := start(t, o)
				e.put(t, "quiet", "source", "copied bytes")

				put := e.put(t, "photos", key, "put bytes")
				copied, err := e.CopyObject(t.Context(), &s3.CopyObjectInput{
					Bucket: aws.String("photos"), Key: &key, CopySource: aws.String("quiet/source"),
				})
				if err != nil {
					t.Fatal(err)
				}
				joined := e.multipart(t, "photos", key, nil, "first ", "second")

				want := []struct {
					name, etag string
					size       int64
				}{
					{"ObjectCreated:Put", *put.ETag, 9},
					{"ObjectCreated:Copy", *copied.CopyObjectResult.ETag, 12},
					{"ObjectCreated:CompleteMultipartUpload", *joined.ETag, 12},
				}
				records := e.settle(t)
				if len(records) != len(want) {
					t.Fatalf("told of %d objects, want %d: %+v", len(records), len(want), records)
				}
				for i, r := range records {
					if r.EventName != want[i].name {
						t.Errorf("event %d is %s, want %s", i, r.EventName, want[i].name)
					}
					if got := r.S3.Object; got.Key != encoded || got.Size != want[i].size || got.ETag != strings.Trim(want[i].etag, `"`) {
						t.Errorf("%s tells of %+v, want key %s, %d bytes, ETag %s", r.EventName, got, encoded, want[i].size, want[i].etag)
					}
					if i > 0 && r.S3.Object.Sequencer <= records[i-1].S3.Object.Sequencer {
						t.Errorf("sequencer %s does not follow %s", r.S3.Object.Sequencer, records[i-1].S3.Object.Sequencer)
					}
				}
			})
		}
	})
}

func TestKeyComesBackFromJSON(t *testing.T) {
	e := start(t, devserver.Options{})
	for key := range awkwardKeys {
		e.put(t, "photos", key, "x")
	}
	for _, record := range e.settle(t) {
		event := events.S3Event{Records: []events.S3EventRecord{record}}
		asAWS, err := devserver.EventJSON(event)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{asAWS, plain} {
			var back events.S3Event
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			got := back.Records[0].S3.Object.URLDecodedKey
			if _, known := awkwardKeys[got]; !known || got != record.S3.Object.URLDecodedKey {
				t.Errorf("key %q came back as %q", record.S3.Object.URLDecodedKey, got)
			}
		}
	}
}

// The shape is that of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func TestRecordIsByteForByteAWSShape(t *testing.T) {
	e := start(t, devserver.Options{Region: "ap-northeast-2", Owner: "123456789012"})
	before := time.Now().UTC().Truncate(time.Millisecond)
	put := e.put(t, "photos", "holiday pics/empty", "")
	id, ok := awsmiddleware.GetRequestIDMetadata(put.ResultMetadata)
	if !ok {
		t.Fatal("the answer had no request id")
	}
	records := e.settle(t)

	got, err := devserver.EventJSON(events.S3Event{Records: records})
	if err != nil {
		t.Fatal(err)
	}
	at := records[0].EventTime
	if at.Before(before) || at.After(time.Now()) {
		t.Errorf("event time %s is not the upload's", at)
	}
	if !regexp.MustCompile(`^[0-9A-F]{16}$`).MatchString(records[0].S3.Object.Sequencer) {
		t.Errorf("sequencer %q is not sixteen hexadecimal digits", records[0].S3.Object.Sequencer)
	}
	want := fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"ap-northeast-2","eventTime":"%s",`+
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:123456789012"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},`+
		`"responseElements":{"x-amz-id-2":"%s","x-amz-request-id":"%s"},`+
		`"s3":{"s3SchemaVersion":"1.0","configurationId":"s3resizer-devserver",`+
		`"bucket":{"name":"photos","ownerIdentity":{"principalId":"123456789012"},"arn":"arn:aws:s3:::photos"},`+
		`"object":{"key":"holiday+pics/empty","size":0,"eTag":"d41d8cd98f00b204e9800998ecf8427e","sequencer":"%s"}}}]}`,
		at.Format("2006-01-02T15:04:05.000Z"), records[0].ResponseElements["x-amz-id-2"], id, records[0].S3.Object.Sequencer)
	if string(got) != want {
		t.Errorf("event is\n%s\nwant\n%s", got, want)
	}
}

func TestVersionIDOfAVersionedBucketIsToldOf(t *testing.T) {
	e := start(t, devserver.Options{})
	_, err := e.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String("photos"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	put := e.put(t, "photos", "k", "x")
	records := e.settle(t)
	if len(records) != 1 || put.VersionId == nil || records[0].S3.Object.VersionID != *put.VersionId {
		t.Fatalf("told of %+v, want version %v", records, put.VersionId)
	}
}

func TestEveryRemovalIsToldOfOnce(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		o.Removals = true
		e := start(t, o)
		ctx, photos := t.Context(), aws.String("photos")
		for _, key := range []string{"a b", "c", "d", "kept"} {
			e.put(t, "photos", key, "x")
		}
		e.put(t, "quiet", "a b", "x")
		for bucket, key := range map[string]string{"quiet": "a b", "photos": "never there"} {
			if _, err := e.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: photos, Key: aws.String("kept"), IfMatch: aws.String(`"00"`)}); code(err) != "PreconditionFailed" {
			t.Errorf("delete of another one than is there: %v, want PreconditionFailed", err)
		}
		if _, err := e.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: photos, Key: aws.String("a b")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: photos, Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: aws.String("c")}, {Key: aws.String("never there")}, {Key: aws.String("d")}},
		}}); err != nil {
			t.Fatal(err)
		}

		records := e.settle(t)[4:] // but for the uploads
		var keys []string
		for i, r := range records {
			keys = append(keys, r.S3.Object.Key)
			if r.EventName != "ObjectRemoved:Delete" || i > 0 && r.S3.Object.Sequencer <= records[i-1].S3.Object.Sequencer {
				t.Errorf("record %d: %s, sequencer %s", i, r.EventName, r.S3.Object.Sequencer)
			}
		}
		if want := []string{"a+b", "c", "d"}; !slices.Equal(keys, want) {
			t.Fatalf("told of %q, want %q", keys, want)
		}
		got, err := devserver.EventJSON(events.S3Event{Records: records[:1]})
		if want := fmt.Sprintf(`"object":{"key":"a+b","sequencer":"%s"}`, records[0].S3.Object.Sequencer); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%v; event is %s, want %s", err, got, want)
		}
	})
}

func TestDeleteMarkerIsToldOf(t *testing.T) {
	e := start(t, devserver.Options{Removals: true})
	_, err := e.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String("photos"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.put(t, "photos", "k", "x")
	deleted, err := e.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	records := e.settle(t)
	if len(records) != 2 || records[1].EventName != "ObjectRemoved:DeleteMarkerCreated" || deleted.VersionId == nil || records[1].S3.Object.VersionID != *deleted.VersionId {
		t.Fatalf("told of %+v, want version %v", records, deleted.VersionId)
	}
}

func TestRemovalsAreNotToldOfUnlessAsked(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		e := start(t, o)
		e.put(t, "photos", "k", "x")
		if _, err := e.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("k")}); err != nil {
			t.Fatal(err)
		}
		if records := e.settle(t); len(records) != 1 {
			t.Fatalf("told of %+v", records)
		}
	})
}

func TestFormPostIsToldOf(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		e := start(t, o)
		var form bytes.Buffer
		fields := multipart.NewWriter(&form)
		_ = fields.WriteField("key", "from a form.jpg")
		file, _ := fields.CreateFormFile("file", "x.jpg")
		_, _ = file.Write([]byte("picture"))
		_ = fields.Close()
		res, err := http.Post(e.url+"/photos", fields.FormDataContentType(), &form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		records := e.settle(t)
		if len(records) != 1 || records[0].EventName != "ObjectCreated:Post" || records[0].S3.Object.Key != "from+a+form.jpg" || records[0].S3.Object.Size != 7 {
			t.Fatalf("answered %s, told of %+v", res.Status, records)
		}
	})
}

func TestWhatCreatesNoObjectIsNotToldOf(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		e := start(t, o)
		ctx, photos, key := t.Context(), aws.String("photos"), aws.String("k")
		e.put(t, "quiet", "elsewhere", "a bucket that does not notify")
		e.multipart(t, "quiet", "elsewhere", nil, "nor this")

		upload, err := e.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: photos, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.UploadPart(ctx, &s3.UploadPartInput{Bucket: photos, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: photos, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(2), CopySource: aws.String("quiet/elsewhere")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: photos, Key: key, UploadId: upload.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: aws.String("another")}}},
		}); code(err) != "InvalidPart" {
			t.Errorf("completing with a wrong ETag: %v, want InvalidPart", err)
		}
		if _, err := e.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: photos, Key: key, UploadId: upload.UploadId}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.PutObject(ctx, &s3.PutObjectInput{Bucket: photos, Key: key, Body: strings.NewReader("x"), IfMatch: aws.String(`"00"`)}); code(err) != "NoSuchKey" {
			t.Errorf("put if what is not there matches: %v, want NoSuchKey", err)
		}
		if _, err := e.PutObject(ctx, &s3.PutObjectInput{Bucket: photos, Key: key, Body: strings.NewReader("x"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA==")}); code(err) != "BadDigest" {
			t.Errorf("put with a wrong digest: %v, want BadDigest", err)
		}
		if _, err := e.CopyObject(ctx, &s3.CopyObjectInput{Bucket: photos, Key: key, CopySource: aws.String("quiet/missing")}); code(err) != "NoSuchKey" {
			t.Errorf("copy of what is not there: %v, want NoSuchKey", err)
		}
		if _, err := e.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: photos, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}}); err == nil {
			t.Error("tagged what is not there")
		}
		if records := e.settle(t); len(records) != 0 {
			t.Fatalf("told of %+v", records)
		}
	})
}

func TestCompletingAnUploadAgainIsNotToldOfAgain(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		e := start(t, o)
		ctx, photos, key := t.Context(), aws.String("photos"), aws.String("k")
		upload, err := e.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: photos, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		part, err := e.UploadPart(ctx, &s3.UploadPartInput{Bucket: photos, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // as a client does that lost the first answer
			_, err := e.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
				Bucket: photos, Key: key, UploadId: upload.UploadId,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if records := e.settle(t); len(records) != 1 {
			t.Fatalf("told of %d objects, want 1", len(records))
		}
	})
}

func TestSequentialUploadsAreToldOfInOrder(t *testing.T) {
	e := start(t, devserver.Options{})
	var want, got []string
	for i := range 50 {
		key := fmt.Sprintf("k%02d", i)
		e.put(t, "photos", key, "x")
		want = append(want, key)
	}
	for _, r := range e.settle(t) {
		got = append(got, r.S3.Object.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("told of %v", got)
	}
}
