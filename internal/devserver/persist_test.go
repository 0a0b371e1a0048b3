package devserver_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/devserver"
)

var legalKeys = []string{
	"x//..//y", "x/../y", "../../outside", "..", ".", "/leading", "trailing/", "trailing", "//",
	"여행/제주.jpg", "a b+c.jpg", "100%.jpg", "case", "CASE", "quote\"'<&>.jpg", "bucket.json", `back\slash`,
	strings.Repeat("k", 1024), strings.Repeat("k", 1020) + "/end",
}

func TestObjectsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	e := start(t, devserver.Options{Dir: dir})
	put := putRich(t, e, "rich")
	joined := e.multipart(t, "photos", "joined", func(in *s3.CreateMultipartUploadInput) {
		in.ContentType, in.CacheControl, in.Metadata = aws.String("image/webp"), aws.String("no-store"), map[string]string{"by": "parts"}
	}, "01234", "56789")
	e.put(t, "quiet", "replaced", "old")
	e.put(t, "quiet", "replaced", "new")
	e.put(t, "quiet", "deleted", "x")
	if _, err := e.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("quiet"), Key: aws.String("deleted")}); err != nil {
		t.Fatal(err)
	}
	_, was := e.get(t, "quiet", "rich")
	buckets := bucketTimes(t, e)
	e.settle(t)

	e = start(t, devserver.Options{Dir: dir})
	body, got := e.get(t, "quiet", "rich")
	checkRich(t, body, got, *put.ETag)
	if !got.LastModified.Equal(*was.LastModified) {
		t.Errorf("last modified %s, was %s", got.LastModified, was.LastModified)
	}
	body, got = e.get(t, "photos", "joined")
	if body != "0123456789" || *got.ETag != *joined.ETag || *got.ContentType != "image/webp" || *got.CacheControl != "no-store" || got.Metadata["by"] != "parts" {
		t.Errorf("multipart object is %q, %+v", body, got)
	}
	checkRanges(t, e, "joined", *joined.ETag)
	if got, want := e.list(t, s3.ListObjectsV2Input{}), []string{"replaced", "rich"}; !slices.Equal(got, want) {
		t.Errorf("lists %q, want %q", got, want)
	}
	if body, _ := e.get(t, "quiet", "replaced"); body != "new" {
		t.Errorf("replaced object is %q", body)
	}
	for name, created := range bucketTimes(t, e) {
		if !created.Equal(buckets[name]) {
			t.Errorf("bucket %s created %s, was %s", name, created, buckets[name])
		}
	}
	if records := e.settle(t); len(records) != 0 {
		t.Errorf("told again of %+v", records)
	}
}

func TestEveryLegalKeySurvivesARestartInsideTheFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "a", "b", "store")
	e := start(t, devserver.Options{Dir: dir})
	for _, key := range legalKeys {
		e.put(t, "quiet", key, "the bytes of "+key)
	}
	e.settle(t)
	checkLegalKeys(t, start(t, devserver.Options{Dir: dir}))
	for _, outside := range []string{parent, filepath.Join(parent, "a"), filepath.Join(parent, "a", "b")} {
		if names := must(os.ReadDir(outside)); len(names) != 1 {
			t.Errorf("%s holds %v", outside, names)
		}
	}
}

// The folder is copied while an upload and a part are half sent: that is what a
// killed process leaves.
func TestWhatAKillLeavesHalfWrittenIsIgnored(t *testing.T) {
	dir, killed := t.TempDir(), filepath.Join(t.TempDir(), "killed")
	e := start(t, devserver.Options{Dir: dir})
	e.put(t, "quiet", "k", "whole")
	upload, err := e.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("quiet"), Key: aws.String("new")})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"k", "new?partNumber=1&uploadId=" + *upload.UploadId} {
		body, feed := io.Pipe()
		r, _ := http.NewRequest(http.MethodPut, e.url+"/quiet/"+target, body)
		r.ContentLength = 1000
		go func() {
			if res, err := http.DefaultClient.Do(r); err == nil {
				res.Body.Close()
			}
		}()
		_, _ = feed.Write([]byte("half"))
		t.Cleanup(func() { feed.CloseWithError(io.ErrUnexpectedEOF) })
	}
	waitFor(t, "two half-received files", func() bool {
		files := must(os.ReadDir(filepath.Join(dir, "tmp")))
		return len(files) == 2
	})
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	// Killed between the rename of the bytes and that of their JSON.
	named := must(filepath.Glob(filepath.Join(killed, "buckets/quiet/*-*")))[0]
	orphan := named[:strings.LastIndex(named, "-")] + "-ORPHAN"
	if err := os.WriteFile(orphan, []byte("newer"), 0o644); err != nil {
		t.Fatal(err)
	}

	e = start(t, devserver.Options{Dir: killed})
	if body, _ := e.get(t, "quiet", "k"); body != "whole" {
		t.Errorf("got %q", body)
	}
	if got := e.list(t, s3.ListObjectsV2Input{}); !slices.Equal(got, []string{"k"}) {
		t.Errorf("lists %q", got)
	}
	if files := must(os.ReadDir(filepath.Join(killed, "tmp"))); len(files) != 0 {
		t.Errorf("tmp holds %v", files)
	}
	if _, err := os.Stat(orphan); err == nil {
		t.Error("bytes that no object names are still there")
	}
}

func TestObjectThatCannotBeReadIsLeftOutAndKept(t *testing.T) {
	dir := t.TempDir()
	e := start(t, devserver.Options{Dir: dir})
	e.put(t, "quiet", "cut", "bytes that a crash of the machine cut short")
	e.settle(t)
	cut := must(filepath.Glob(filepath.Join(dir, "buckets/quiet/*-*")))[0]
	if err := os.Truncate(cut, 3); err != nil {
		t.Fatal(err)
	}
	e = start(t, devserver.Options{Dir: dir})
	if got := e.list(t, s3.ListObjectsV2Input{}); len(got) != 0 {
		t.Errorf("lists %q", got)
	}
	if _, err := os.Stat(cut); err != nil {
		t.Error("its file was removed")
	}
	e.put(t, "quiet", "cut", "again")
	if body, _ := e.get(t, "quiet", "cut"); body != "again" {
		t.Errorf("got %q", body)
	}
}

func TestFolderOfAnotherIsRefused(t *testing.T) {
	inUse, foreign := t.TempDir(), t.TempDir()
	start(t, devserver.Options{Dir: inUse})
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, why := range map[string]string{inUse: "in use", foreign: "other files"} {
		if _, err := devserver.New(devserver.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("opening it again gave %v, want %q", err, why)
		}
	}
}

func putRich(t *testing.T, e *endpoint, key string) *s3.PutObjectOutput {
	t.Helper()
	out, err := e.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("quiet"), Key: &key, Body: strings.NewReader("rich bytes"),
		ContentType: aws.String("image/jpeg"), CacheControl: aws.String("max-age=60"), ContentDisposition: aws.String("inline"),
		Metadata: map[string]string{"source-key": "a/b", "name": "제주"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkRich(t *testing.T, body string, got *s3.GetObjectOutput, etag string) {
	t.Helper()
	if body != "rich bytes" || *got.ETag != etag || *got.ContentType != "image/jpeg" || *got.CacheControl != "max-age=60" || *got.ContentDisposition != "inline" ||
		got.Metadata["source-key"] != "a/b" || got.Metadata["name"] != "제주" || time.Since(*got.LastModified) > time.Minute {
		t.Errorf("got %q with %+v", body, got)
	}
}

// checkRanges reads 0123456789 in part.
func checkRanges(t *testing.T, e *endpoint, key, etag string) {
	t.Helper()
	bucket := "quiet"
	if key == "joined" {
		bucket = "photos"
	}
	get := func(bytes, match string) (*s3.GetObjectOutput, error) {
		return e.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, Range: &bytes, IfMatch: &match})
	}
	for bytes, want := range map[string]string{"bytes=3-6": "3456", "bytes=8-": "89", "bytes=-2": "89", "bytes=5-99": "56789"} {
		out, err := get(bytes, etag)
		if err != nil {
			t.Errorf("%s: %v", bytes, err)
			continue
		}
		body, _ := io.ReadAll(out.Body)
		out.Body.Close()
		if string(body) != want || out.ContentRange == nil || !strings.HasSuffix(*out.ContentRange, "/10") { // is there with 206 only
			t.Errorf("%s: got %q, range %v", bytes, body, out.ContentRange)
		}
	}
	if _, err := get("bytes=3-6", `"another"`); code(err) != "PreconditionFailed" {
		t.Errorf("range of another ETag: %v, want PreconditionFailed", err)
	}
	if _, err := get("bytes=10-", etag); code(err) != "InvalidRange" {
		t.Errorf("range behind the end: %v, want InvalidRange", err)
	}
}

func checkLegalKeys(t *testing.T, e *endpoint) {
	t.Helper()
	for _, key := range legalKeys {
		if body, _ := e.get(t, "quiet", key); body != "the bytes of "+key {
			t.Errorf("%q holds %q", key, body)
		}
	}
	if got, want := e.list(t, s3.ListObjectsV2Input{}), slices.Sorted(slices.Values(legalKeys)); !slices.Equal(got, want) {
		t.Errorf("lists %q, want %q", got, want)
	}
}

// list returns all keys and common prefixes of quiet, page by page, sorted.
func (e *endpoint) list(t *testing.T, in s3.ListObjectsV2Input) []string {
	t.Helper()
	in.Bucket = aws.String("quiet")
	var entries []string
	for pages := s3.NewListObjectsV2Paginator(e.Client, &in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			entries = append(entries, *object.Key)
		}
		for _, prefix := range page.CommonPrefixes {
			entries = append(entries, *prefix.Prefix)
		}
	}
	slices.Sort(entries)
	return entries
}

func bucketTimes(t *testing.T, e *endpoint) map[string]time.Time {
	t.Helper()
	out, err := e.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]time.Time{}
	for _, bucket := range out.Buckets {
		times[*bucket.Name] = *bucket.CreationDate
	}
	if len(times) != 2 {
		t.Errorf("buckets are %v", times)
	}
	return times
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 200 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}
