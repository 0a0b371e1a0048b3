//go:build stack

package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/s3io"
)

// What one S3 does in another way than the next: none of it may make a difference to what becomes of an upload.

// raw is a client for what s3io has no use for.
func raw(t *testing.T) *s3.Client {
	t.Helper()
	cfg, err := s3io.LoadConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// Large files come in parts: their ETag is no MD5, their event another one, and the function reads them by ranges, each
// on the condition that it is of the same upload.
func TestAnUploadInParts(t *testing.T) {
	store, client := client(t), raw(t)
	data := photo(t, 7200, 5400, 3)
	if len(data) < 12<<20 {
		t.Fatalf("%d bytes are too few for two parts and two ranges", len(data))
	}
	for name, in := range map[string]s3.CreateMultipartUploadInput{
		"plain":           {},
		"composite":       {ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite},
		"whole by CRC-32": {ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: types.ChecksumTypeFullObject},
		"whole by CRC-64": {ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject},
	} {
		t.Run(name, func(t *testing.T) {
			key := "parts/" + name + ".jpg"
			etag := uploadInParts(t, client, key, in, data)
			if !strings.HasSuffix(etag, "-2") {
				t.Errorf("ETag %s, want one of two parts", etag)
			}
			r := awaitRecord(t, store, key, etag)
			if r.Status != "resized" || r.Source.Bytes != len(data) {
				t.Fatalf("%+v", r)
			}
			awaitSet(t, store, key, etag)
			for size, width := range widths {
				wantPicture(t, store, size, key, width, width*3/4)
			}
			t.Run("is read with its checksum", func(t *testing.T) { wantRead(t, key, data) })
		})
	}
}

func uploadInParts(t *testing.T, client *s3.Client, key string, in s3.CreateMultipartUploadInput, data []byte) (etag string) {
	t.Helper()
	bucket := aws.String("photos")
	in.Bucket, in.Key, in.ContentType = bucket, &key, aws.String("image/jpeg")
	begun, err := client.CreateMultipartUpload(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for i, chunk := range [][]byte{data[:6<<20], data[6<<20:]} {
		number := aws.Int32(int32(i + 1))
		part, err := client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: begun.UploadId, PartNumber: number, Body: bytes.NewReader(chunk), ChecksumAlgorithm: in.ChecksumAlgorithm})
		if err != nil {
			t.Fatal(err)
		}
		completed := types.CompletedPart{PartNumber: number, ETag: part.ETag}
		if in.ChecksumAlgorithm != "" { // of an upload that was begun without one, neither S3 takes any
			completed.ChecksumSHA256, completed.ChecksumCRC32, completed.ChecksumCRC64NVME = part.ChecksumSHA256, part.ChecksumCRC32, part.ChecksumCRC64NVME
		}
		parts = append(parts, completed)
	}
	done, err := client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: &key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, ChecksumType: in.ChecksumType,
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(aws.ToString(done.ETag), `"`)
}

// wantRead reads an upload by s3io with every checksum looked at that the S3 sends.
func wantRead(t *testing.T, key string, want []byte) {
	t.Helper()
	t.Setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_supported")
	object, err := client(t).Open(t.Context(), "photos", key)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

func TestUploadsWithAChecksum(t *testing.T) {
	store, client := client(t), raw(t)
	data := photo(t, 400, 300, 4)
	for _, algorithm := range []types.ChecksumAlgorithm{
		types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
	} {
		t.Run(string(algorithm), func(t *testing.T) {
			key := "checksum/" + string(algorithm) + ".jpg"
			put, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("photos"), Key: &key, Body: bytes.NewReader(data), ChecksumAlgorithm: algorithm})
			if err != nil {
				t.Fatal(err)
			}
			if r := awaitRecord(t, store, key, strings.Trim(aws.ToString(put.ETag), `"`)); r.Status != "resized" {
				t.Fatalf("%+v", r)
			}
			wantRead(t, key, data)
		})
	}
	t.Run("a wrong one is refused, and nothing comes of it", func(t *testing.T) {
		sum := sha256.Sum256([]byte("something else"))
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String("photos"), Key: aws.String("checksum/wrong.jpg"), Body: bytes.NewReader(data), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		})
		if err == nil {
			t.Error("it was taken")
		}
		if _, err := store.Head(t.Context(), "photos", "checksum/wrong.jpg"); s3io.ClassOf(err) != s3io.NotFound {
			t.Error(err)
		}
	})
	t.Run("renditions and the record have one", func(t *testing.T) {
		for _, key := range outputs("checksum/SHA256.jpg") {
			data, err := get(t.Context(), store, key)
			if err != nil {
				t.Fatal(err)
			}
			head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("photos-resized"), Key: &key, ChecksumMode: types.ChecksumModeEnabled})
			if err != nil {
				t.Fatal(err)
			}
			want := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(data)))
			if got := aws.ToString(head.ChecksumCRC32); got != want {
				t.Errorf("%s: CRC-32 %q, want %q", key, got, want)
			}
		}
	})
}

func TestACopyIsAnUpload(t *testing.T) {
	store := client(t)
	made(t, store, "copied from + here.jpg", 5)
	out, err := raw(t).CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("photos"), Key: aws.String("copied to.jpg"), CopySource: aws.String("photos/copied%20from%20%2B%20here.jpg")})
	if err != nil {
		t.Fatal(err)
	}
	etag := strings.Trim(aws.ToString(out.CopyObjectResult.ETag), `"`)
	if r := awaitRecord(t, store, "copied to.jpg", etag); r.Status != "resized" {
		t.Fatalf("%+v", r)
	}
	awaitSet(t, store, "copied to.jpg", etag)
}

// Of no bytes there is no range to ask for, and a checksum that an S3 may leave out.
func TestAnUploadOfNoBytes(t *testing.T) {
	store := client(t)
	t.Run("is rejected", func(t *testing.T) {
		if r := awaitRecord(t, store, "empty.jpg", upload(t, store, "empty.jpg", nil)); r.Status != "rejected" || r.Class != "unsupported" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("that marks a folder is nothing to do", func(t *testing.T) {
		upload(t, store, "folder/", nil)
		if r := invoke(t, "folder/"); r.Status != "skipped" {
			t.Errorf("%+v", r)
		}
		made(t, store, "folder/cat.jpg", 6)
	})
}

// Nobody else's bucket is read or written: s3io names the account with every request, and S3 looks at it. LocalStack has
// accounts, and does not look at what is named with these requests (localstack/services/s3/provider.py:736, 957, 1130,
// 1266, 1872 call _get_cross_account_bucket without it), so there this shows that naming one does no harm. With versitygw
// an owner is a user.
func TestAnotherAccountsBucketIsDenied(t *testing.T) {
	cfg, err := s3io.LoadConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger := s3io.New(cfg, s3io.Options{ExpectedOwner: func(context.Context) (string, error) { return "123456789012", nil }})
	want := s3io.Denied
	if onLocalStack(t) {
		want = ""
	}
	store := client(t)
	etag := upload(t, store, "owned.jpg", photo(t, 400, 300, 7))
	for _, do := range []func() error{
		func() error {
			object, err := stranger.Open(t.Context(), "photos", "owned.jpg")
			if err == nil {
				object.Close()
			}
			return err
		},
		func() error { _, err := stranger.Head(t.Context(), "photos", "owned.jpg"); return err },
		func() error {
			_, err := stranger.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "owned too.jpg", ContentType: "text/plain"})
			return err
		},
		func() error { _, _, err := stranger.List(t.Context(), "photos", "", ""); return err },
		func() error { return stranger.Delete(t.Context(), "photos", "owned.jpg", etag) },
	} {
		if err := do(); s3io.ClassOf(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if want == s3io.Denied {
		if info, err := store.Head(t.Context(), "photos", "owned.jpg"); err != nil || info.ETag != etag {
			t.Errorf("%+v, %v", info, err)
		}
	}
}

// onLocalStack tells whether the S3 is LocalStack.
func onLocalStack(t *testing.T) bool {
	t.Helper()
	answer, err := http.Get(os.Getenv("AWS_ENDPOINT_URL_S3"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Header.Get("X-Localstack") != ""
}
