package devserver_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/devserver"
)

// behaviours are what both back ends do alike. Each starts with empty buckets
// photos and quiet.
var behaviours = []struct {
	name string
	test func(t *testing.T, e *endpoint)
}{
	{"an object comes back with its metadata", func(t *testing.T, e *endpoint) {
		put := putRich(t, e, "k")
		body, got := e.get(t, "quiet", "k")
		checkRich(t, body, got, *put.ETag)
	}},
	{"a later upload replaces bytes and metadata", func(t *testing.T, e *endpoint) {
		putRich(t, e, "k")
		e.put(t, "quiet", "k", "plain")
		body, got := e.get(t, "quiet", "k")
		if body != "plain" || len(got.Metadata) != 0 || got.CacheControl != nil {
			t.Errorf("got %q with %v", body, got.Metadata)
		}
	}},
	{"a multipart upload joins its parts in order and keeps its metadata", func(t *testing.T, e *endpoint) {
		done := e.multipart(t, "quiet", "k", func(in *s3.CreateMultipartUploadInput) {
			in.ContentType, in.Metadata = aws.String("image/avif"), map[string]string{"source": "a"}
		}, "one ", "two ", "three")
		body, got := e.get(t, "quiet", "k")
		if body != "one two three" || *got.ContentType != "image/avif" || got.Metadata["source"] != "a" || *got.ETag != *done.ETag {
			t.Errorf("got %q, type %s, %v, ETag %s", body, *got.ContentType, got.Metadata, *got.ETag)
		}
	}},
	{"a part uploaded again replaces the first", func(t *testing.T, e *endpoint) {
		bucket, key := aws.String("quiet"), aws.String("k")
		upload, err := e.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		var etag *string
		for _, body := range []string{"wrong", "right"} {
			out, err := e.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(7), Body: strings.NewReader(body)})
			if err != nil {
				t.Fatal(err)
			}
			etag = out.ETag
		}
		_, err = e.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(7), ETag: etag}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := e.get(t, "quiet", "k"); body != "right" {
			t.Errorf("got %q", body)
		}
	}},
	{"an aborted upload is gone", func(t *testing.T, e *endpoint) {
		bucket, key := aws.String("quiet"), aws.String("k")
		upload, err := e.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: upload.UploadId}); err != nil {
			t.Fatal(err)
		}
		_, err = e.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
		if code(err) != "NoSuchUpload" {
			t.Errorf("part after abort: %v, want NoSuchUpload", err)
		}
	}},
	{"ranges are answered while the ETag matches", func(t *testing.T, e *endpoint) {
		put := e.put(t, "quiet", "k", "0123456789")
		checkRanges(t, e, "k", *put.ETag)
	}},
	{"a copy has the source's bytes and metadata", func(t *testing.T, e *endpoint) {
		put := putRich(t, e, "source")
		if _, err := e.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("photos"), Key: aws.String("copy"), CopySource: aws.String("quiet/source")}); err != nil {
			t.Fatal(err)
		}
		body, got := e.get(t, "photos", "copy")
		checkRich(t, body, got, *put.ETag)
	}},
	{"of simultaneous creations one wins", func(t *testing.T, e *endpoint) {
		statuses := together(t, 12, func() *http.Request {
			r, _ := http.NewRequest(http.MethodPut, e.url+"/photos/k", nil)
			r.Header.Set("If-None-Match", "*")
			return r
		}, "picture")
		if records := e.settle(t); statuses[200] != 1 || statuses[412] != 11 || len(records) != 1 {
			t.Errorf("answered %v, told of %d objects, want one 200 and one event", statuses, len(records))
		}
	}},
	{"of simultaneous completions of an upload one is told of", func(t *testing.T, e *endpoint) {
		bucket, key := aws.String("photos"), aws.String("k")
		upload, err := e.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		part, err := e.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")})
		if err != nil {
			t.Fatal(err)
		}
		statuses := together(t, 4, func() *http.Request {
			r, _ := http.NewRequest(http.MethodPost, e.url+"/photos/k?uploadId="+*upload.UploadId, nil)
			return r
		}, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+*part.ETag+"</ETag></Part></CompleteMultipartUpload>")
		if records := e.settle(t); statuses[200] != 1 || len(records) != 1 {
			t.Errorf("answered %v, told of %d objects, want one 200 and one event", statuses, len(records))
		}
	}},
	{"a replacement with a stale ETag is refused", func(t *testing.T, e *endpoint) {
		put := e.put(t, "quiet", "k", "one")
		e.put(t, "quiet", "k", "two")
		_, err := e.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("quiet"), Key: aws.String("k"), IfMatch: put.ETag, Body: strings.NewReader("three")})
		if body, _ := e.get(t, "quiet", "k"); code(err) != "PreconditionFailed" || body != "two" {
			t.Errorf("got %v and %q", err, body)
		}
	}},
	{"every legal key is its own object", func(t *testing.T, e *endpoint) {
		for _, key := range legalKeys {
			e.put(t, "quiet", key, "the bytes of "+key)
		}
		checkLegalKeys(t, e)
	}},
	{"listing pages by key and by common prefix", func(t *testing.T, e *endpoint) {
		for _, key := range []string{"a", "b/", "b/1", "b/2", "c//d", "e"} {
			e.put(t, "quiet", key, "x")
		}
		for _, c := range []struct {
			in   s3.ListObjectsV2Input
			want []string
		}{
			{s3.ListObjectsV2Input{}, []string{"a", "b/", "b/1", "b/2", "c//d", "e"}},
			{s3.ListObjectsV2Input{Delimiter: aws.String("/")}, []string{"a", "b/", "c/", "e"}},
			{s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("b/")}, []string{"b/", "b/1", "b/2"}},
			{s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("c/")}, []string{"c//"}},
			{s3.ListObjectsV2Input{StartAfter: aws.String("b/11")}, []string{"b/2", "c//d", "e"}},
			{s3.ListObjectsV2Input{Prefix: aws.String("none")}, nil},
		} {
			for _, pageSize := range []int32{1000, 1} {
				c.in.MaxKeys = aws.Int32(pageSize)
				if got := e.list(t, c.in); !slices.Equal(got, c.want) {
					t.Errorf("delimiter %q prefix %q by %d: got %q, want %q", aws.ToString(c.in.Delimiter), aws.ToString(c.in.Prefix), pageSize, got, c.want)
				}
			}
		}
	}},
	{"deleting ends an object, and a bucket once it is empty", func(t *testing.T, e *endpoint) {
		bucket := aws.String("quiet")
		for _, key := range []string{"a", "b", "c"} {
			e.put(t, "quiet", key, "x")
		}
		if _, err := e.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket}); code(err) != "BucketNotEmpty" {
			t.Errorf("got %v, want BucketNotEmpty", err)
		}
		if _, err := e.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("a")}); err != nil {
			t.Error(err)
		}
		if _, err := e.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: aws.String("b")}, {Key: aws.String("c")}, {Key: aws.String("missing")},
		}}}); err != nil {
			t.Error(err)
		}
		_, err := e.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a")})
		if code(err) != "NoSuchKey" {
			t.Errorf("got %v, want NoSuchKey", err)
		}
		if _, err := e.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket}); err != nil {
			t.Error(err)
		}
		_, err = e.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
		if code(err) != "NoSuchBucket" {
			t.Errorf("got %v, want NoSuchBucket", err)
		}
	}},
	{"HEAD of an unversioned bucket names no version", func(t *testing.T, e *endpoint) {
		e.put(t, "quiet", "k", "12345")
		got, err := e.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("quiet"), Key: aws.String("k")})
		if err != nil || got.VersionId != nil || *got.ContentLength != 5 {
			t.Errorf("got %+v, %v", got, err)
		}
	}},
	{"a body shorter than it says stores nothing", func(t *testing.T, e *endpoint) {
		r, _ := http.NewRequest(http.MethodPut, e.url+"/photos/k", strings.NewReader("half"))
		r.Header.Set("X-Amz-Decoded-Content-Length", "8")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if records := e.settle(t); res.StatusCode != http.StatusBadRequest || len(records) != 0 {
			t.Errorf("answered %s, told of %d objects", res.Status, len(records))
		}
	}},
	{"a connection cut short stores nothing", func(t *testing.T, e *endpoint) {
		e.put(t, "photos", "k", "whole")
		short, feed := io.Pipe()
		r, _ := http.NewRequest(http.MethodPut, e.url+"/photos/k", short)
		r.ContentLength = 1000
		go func() {
			_, _ = feed.Write([]byte("half"))
			feed.CloseWithError(io.ErrUnexpectedEOF)
		}()
		if res, err := http.DefaultClient.Do(r); err == nil {
			res.Body.Close()
			t.Errorf("answered %s", res.Status)
		}
		if body, _ := e.get(t, "photos", "k"); body != "whole" {
			t.Errorf("got %q", body)
		}
		if records := e.settle(t); len(records) != 1 {
			t.Errorf("told of %d objects, want the whole one", len(records))
		}
	}},
}

func TestBehaviours(t *testing.T) {
	onBothBackends(t, func(t *testing.T, o devserver.Options) {
		for _, b := range behaviours {
			t.Run(b.name, func(t *testing.T) {
				if o.Dir != "" {
					o.Dir = t.TempDir()
				}
				b.test(t, start(t, o))
			})
		}
	})
}
