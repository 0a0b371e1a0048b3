//go:build stack

package stack

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/s3io"
)

// outputs are the keys of all that is made of an upload.
func outputs(key string) []string {
	return []string{"small-" + key, "medium-" + key, "large-" + key, ".s3resizer/" + key + ".json"}
}

func awaitGone(t *testing.T, store *s3io.Client, keys ...string) {
	t.Helper()
	for _, key := range keys {
		await(t, key, func() error {
			_, err := store.Head(t.Context(), "photos-resized", key)
			switch {
			case err == nil:
				return errors.New("it is there")
			case s3io.ClassOf(err) == s3io.NotFound:
				return nil
			default:
				return err
			}
		})
	}
}

// made uploads a photo and returns when it is resized.
func made(t *testing.T, store *s3io.Client, key string, seed uint32) {
	t.Helper()
	etag := upload(t, store, key, photo(t, 400, 300, seed))
	if r := awaitRecord(t, store, key, etag); r.Status != "resized" {
		t.Fatalf("%+v", r)
	}
}

func remove(t *testing.T, store *s3io.Client, key string) {
	t.Helper()
	if err := store.Delete(t.Context(), "photos", key, ""); err != nil {
		t.Fatal(err)
	}
}

// What the function removes it removes if it is still the same: with LocalStack, which has no conditional deletes (501,
// localstack/services/s3/provider.py:1287), after a look.
func TestRenditionsGoWithTheirUpload(t *testing.T) {
	store := client(t)
	if os.Getenv("RESIZE_DELETE") != "on" {
		t.Run("not unless that is wanted", func(t *testing.T) {
			made(t, store, "kept.jpg", 1)
			remove(t, store, "kept.jpg")
			made(t, store, "after.jpg", 1) // whose event is told after
			for _, key := range outputs("kept.jpg") {
				if _, err := store.Head(t.Context(), "photos-resized", key); err != nil {
					t.Error(err)
				}
			}
		})
		return
	}
	for _, key := range keys {
		t.Run(key, func(t *testing.T) {
			key := "removed/" + key
			made(t, store, key, 1)
			remove(t, store, key)
			awaitGone(t, store, outputs(key)...)
		})
	}
	t.Run("several by one request", func(t *testing.T) {
		var several []string
		var ids []types.ObjectIdentifier
		for _, key := range keys {
			key := "several/" + key
			made(t, store, key, 1)
			several = slices.Concat(several, outputs(key))
			ids = append(ids, types.ObjectIdentifier{Key: &key})
		}
		out, err := raw(t).DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("photos"), Delete: &types.Delete{Objects: ids}})
		if err != nil || len(out.Errors) > 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		awaitGone(t, store, several...)
	})
	t.Run("what somebody else put there stays", func(t *testing.T) {
		made(t, store, "others.jpg", 1)
		// Of an object that is put without metadata, versitygw keeps those of the one before it in its sidecar
		// (backend/posix/posix.go:2976): it would still say that it is ours.
		mine := s3io.Upload{Bucket: "photos-resized", Key: "medium-others.jpg", ContentType: "text/plain", Data: []byte("mine"), Metadata: map[string]string{"by": "me"}}
		etag, err := store.Put(t.Context(), mine)
		if err != nil {
			t.Fatal(err)
		}
		remove(t, store, "others.jpg")
		awaitGone(t, store, "small-others.jpg", "large-others.jpg", ".s3resizer/others.jpg.json")
		if info, err := store.Head(t.Context(), "photos-resized", "medium-others.jpg"); err != nil || info.ETag != etag {
			t.Errorf("%+v, %v", info, err)
		}
	})
	t.Run("an upload that comes right after has all of its own", func(t *testing.T) {
		var etag string
		for seed := range uint32(5) {
			made(t, store, "back.jpg", seed)
			remove(t, store, "back.jpg")
			etag = upload(t, store, "back.jpg", photo(t, 400, 300, 100+seed))
		}
		awaitRecord(t, store, "back.jpg", etag)
		awaitSet(t, store, "back.jpg", etag)
	})
}
