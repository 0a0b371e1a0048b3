package devserver_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/devserver"
)

// A gigabyte of uploads must not need a gigabyte of memory when there is a
// folder to keep them in.
func TestFolderDoesNotHoldBytesInMemory(t *testing.T) {
	const size, allowed = 64 << 20, 16 << 20
	e := start(t, devserver.Options{Dir: t.TempDir()})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, _ := http.NewRequest(http.MethodPut, e.url+"/quiet/k", io.LimitReader(zeros{}, size))
	r.ContentLength = size
	for _, r := range []*http.Request{r, must(http.NewRequest(http.MethodGet, e.url+"/quiet/k", nil))} {
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || r.Method == http.MethodGet && n != size {
			t.Fatalf("%s answered %s with %d bytes, %v", r.Method, res.Status, n, err)
		}
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > allowed {
		t.Errorf("allocated %d MiB for %d MiB of object", allocated>>20, size>>20)
	}
}

func TestFolderRefusesPartsOutOfOrder(t *testing.T) {
	e := start(t, devserver.Options{Dir: t.TempDir()})
	bucket, key := aws.String("quiet"), aws.String("k")
	upload, err := e.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]types.CompletedPart, 2)
	for i := range parts {
		number := aws.Int32(int32(2 - i))
		out, err := e.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: number, Body: strings.NewReader("x")})
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = types.CompletedPart{PartNumber: number, ETag: out.ETag}
	}
	_, err = e.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if code(err) != "InvalidPartOrder" {
		t.Errorf("got %v, want InvalidPartOrder", err)
	}
}

func TestFolderRefusesKeysThatJSONCannotHold(t *testing.T) {
	e := start(t, devserver.Options{Dir: t.TempDir()})
	res, err := http.DefaultClient.Do(must(http.NewRequest(http.MethodPut, e.url+"/quiet/%FF", strings.NewReader("x"))))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %s, want 400", res.Status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
