//go:build stack

package stack

import (
	"context"
	"fmt"
	"testing"
	"time"

	"s3resizer/s3io"
)

// run.sh kills the function in the middle of this.
func TestTwentyUploads(t *testing.T) {
	s3 := client(t)
	big := photo(t, 4000, 3000, 7)
	etags := map[string]string{}
	for i := range 20 {
		key := fmt.Sprintf("twenty/%02d-%d.jpg", i, time.Now().UnixNano())
		etags[key] = upload(t, s3, key, append(big, byte(i))) // decoders stop before what follows the picture
	}
	fmt.Println("twenty uploads")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for before := -1; ; {
		there := 0
		for key := range etags {
			for size := range widths {
				_, err := s3.Head(ctx, "photos-resized", size+"-"+key)
				if err == nil {
					there++
				} else if s3io.ClassOf(err) != s3io.NotFound {
					t.Fatal(err)
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
