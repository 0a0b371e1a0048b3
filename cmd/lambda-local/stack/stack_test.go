//go:build stack

// Package stack tests the whole trigger as it stands: S3, its events, lambda-local, the function's image. It needs one
// of the compose files up: `docker compose run --rm test`. It speaks to S3 as any client does.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"s3resizer/s3io"
)

// patience is how long a set may take: a retried event waits for its message to become visible again.
const patience = 2 * time.Minute

var widths = map[string]int{"small": 368, "medium": 720, "large": 1440}

// record is what is read of the commit record.
type record struct {
	Status, Class, Reason string
	Source                struct {
		Key, ETag string
		Bytes     int
	}
	Renditions []struct {
		Size, Key     string
		Width, Height int
	}
}

func client(t *testing.T) *s3io.Client {
	t.Helper()
	cfg, err := s3io.LoadConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s3io.New(cfg, s3io.Options{})
}

// photo is a JPEG of noise on a gradient, which takes a decoder some time; different seeds give different bytes.
func photo(t *testing.T, width, height int, seed uint32) []byte {
	t.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		seed = seed*1664525 + 1013904223
		img.Y[i] = uint8(i*200/len(img.Y)) + uint8(seed>>27)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func upload(t *testing.T, s3 *s3io.Client, key string, data []byte) (etag string) {
	t.Helper()
	etag, err := s3.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

func get(ctx context.Context, s3 *s3io.Client, key string) ([]byte, error) {
	object, err := s3.Open(ctx, "photos-resized", key)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	return io.ReadAll(object)
}

// awaitRecord returns the commit record of an upload once it is there.
func awaitRecord(t *testing.T, s3 *s3io.Client, key, etag string) record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		data, err := get(ctx, s3, ".s3resizer/"+key+".json")
		var r record
		if err == nil {
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if r.Source.ETag == etag {
				return r
			}
		} else if s3io.ClassOf(err) != s3io.NotFound {
			t.Fatal(err)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("no record of %s (ETag %s) within %v: %v", key, etag, patience, err)
		}
	}
}

// awaitSet returns once every rendition is of the upload with the ETag.
func awaitSet(t *testing.T, s3 *s3io.Client, key, etag string) {
	t.Helper()
	for size := range widths {
		await(t, size+"-"+key, func() error {
			info, err := s3.Head(t.Context(), "photos-resized", size+"-"+key)
			if err == nil && info.Metadata["s3resizer-source-etag"] != etag {
				err = fmt.Errorf("it is of upload %s, the newest is %s", info.Metadata["s3resizer-source-etag"], etag)
			}
			return err
		})
	}
}

// await returns once there is nothing against it any more.
func await(t *testing.T, what string, against func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := against()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s, after %v: %v", what, patience, err)
		}
	}
}

// wantPicture looks at a rendition of a photo: its format, its size, its gradient.
func wantPicture(t *testing.T, s3 *s3io.Client, size, key string, width, height int) {
	t.Helper()
	data, err := get(t.Context(), s3, size+"-"+key)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", size, err)
	}
	if bounds := picture.Bounds(); bounds.Dx() != width || bounds.Dy() != height {
		t.Errorf("%s: %d×%d, want %d×%d", size, bounds.Dx(), bounds.Dy(), width, height)
	}
	if top, bottom := luma(picture, 0), luma(picture, picture.Bounds().Dy()-1); bottom < top+50 {
		t.Errorf("%s: the gradient is gone: %d above, %d below", size, top, bottom)
	}
}

// keys are such as S3s, and what stands between them and the function, may encode in different ways: LocalStack's events
// have a space as %20, AWS's as a plus, and versitygw's as it is.
var keys = []string{
	"cat.jpg", "holiday/a b+c 100%.jpg", "x%20y%2Fz+.jpg", "여행/제주 바다.jpg", "cafe\u0301 😀.jpg", "q?a=1&b=2#c;d,e:f$g!(h)*'~@[i].jpg", `<a> & "b".jpg`, ".hidden/.x.jpg",
}

func TestAnUploadBecomesThreeRenditions(t *testing.T) {
	s3 := client(t)
	for _, key := range keys {
		t.Run(key, func(t *testing.T) {
			etag := upload(t, s3, key, photo(t, 1600, 1200, 1))
			r := awaitRecord(t, s3, key, etag)
			if r.Status != "resized" || r.Source.Key != key || len(r.Renditions) != len(widths) {
				t.Fatalf("%+v", r)
			}
			awaitSet(t, s3, key, etag)
			for size, width := range widths {
				wantPicture(t, s3, size, key, width, width*3/4)
			}
		})
	}
}

func luma(img image.Image, y int) int {
	return int(color.GrayModel.Convert(img.At(img.Bounds().Dx()/2, y)).(color.Gray).Y)
}

func TestWhatIsNoPictureIsRejected(t *testing.T) {
	s3 := client(t)
	r := awaitRecord(t, s3, "text.jpg", upload(t, s3, "text.jpg", []byte("no picture, whatever its name says")))
	if r.Status != "rejected" || r.Class != "unsupported" || r.Reason == "" {
		t.Errorf("%+v", r)
	}
	if _, err := get(t.Context(), s3, "small-text.jpg"); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("a rendition of it: %v", err)
	}
}

func TestAnOverwriteIsDoneAgain(t *testing.T) {
	s3 := client(t)
	var etag string
	for seed := range uint32(5) {
		etag = upload(t, s3, "again.jpg", photo(t, 1600, 1200, seed))
	}
	awaitRecord(t, s3, "again.jpg", etag)
	awaitSet(t, s3, "again.jpg", etag)
}

func TestInvokeAnswersWithTheReport(t *testing.T) {
	s3 := client(t)
	upload(t, s3, "direct.jpg", photo(t, 800, 600, 1))
	if r := invoke(t, "direct.jpg"); r.Status != "resized" {
		t.Errorf("%+v", r)
	}
}

// invoke calls the function for an upload and returns what it says of it.
func invoke(t *testing.T, key string) record {
	t.Helper()
	response, err := http.Post(os.Getenv("LAMBDA_LOCAL_URL")+"/invoke", "application/json", strings.NewReader(fmt.Sprintf(`{"bucket":"photos","key":%q}`, key)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var report struct{ Results []record }
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || len(report.Results) != 1 {
		t.Fatalf("%s: %+v", response.Status, report)
	}
	return report.Results[0]
}
