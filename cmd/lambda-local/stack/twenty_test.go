//go:build stack

package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/s3io"
)

// run.sh kills the function in the middle of this.
func TestTwentyUploads(t *testing.T) {
	s3 := client(t)
	big := photo(t, 4000, 3000, 7)
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprintf("twenty/%02d-%d.jpg", i, time.Now().UnixNano()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	etags := map[string]string{}
	uploads, ctx := errgroup.WithContext(ctx)
	uploads.Go(func() error {
		for i, key := range keys {
			data := slices.Concat(big, []byte{byte(i)}) // decoders stop before what follows the picture
			etag, err := s3.Put(ctx, s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data})
			if err != nil {
				return err
			}
			etags[key] = etag
		}
		return nil
	})
	for before := -1; ; {
		there := 0
		for _, key := range keys {
			for size := range widths {
				_, err := s3.Head(ctx, "photos-resized", size+"-"+key)
				if err == nil {
					there++
				} else if s3io.ClassOf(err) != s3io.NotFound {
					t.Fatal(errors.Join(err, uploads.Wait()))
				}
			}
		}
		if there != before {
			fmt.Printf("%d of 60 renditions\n", there)
		}
		if before = there; there == 60 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := uploads.Wait(); err != nil {
		t.Fatal(err)
	}
	for key, etag := range etags {
		if r := awaitRecord(t, s3, key, etag); r.Status != "resized" {
			t.Errorf("%s: %+v", key, r)
		}
		awaitSet(t, s3, key, etag)
		for size, width := range widths {
			wantPicture(t, s3, size, key, width, width*3/4)
		}
	}
}
