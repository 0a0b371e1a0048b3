package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize/resizetest"
	"s3resizer/s3io"
)

// removed is S3's event of a removal, with a key as it stands there.
func removed(name, key string) string {
	return strings.Replace(s3Event(key), "ObjectCreated:Put", name, 1)
}

// drop deletes an upload.
func (b *bench) drop(t *testing.T, key string) {
	t.Helper()
	if err := b.Delete(t.Context(), "photos", key, ""); err != nil {
		t.Fatal(err)
	}
}

var catsOutputs = []string{"small-cat.jpg", "medium-cat.jpg", "large-cat.jpg", ".s3resizer/cat.jpg.json"}

func TestRenditionsGoWithTheirSource(t *testing.T) {
	b := newBench(t)
	for name, event := range map[string]string{
		"deleted":                           removed("ObjectRemoved:Delete", "cat.jpg"),
		"under a delete marker":             removed("ObjectRemoved:DeleteMarkerCreated", "cat.jpg"),
		"by a gateway":                      removed("s3:ObjectRemoved:Delete", "cat.jpg"),
		"expired":                           removed("LifecycleExpiration:Delete", "cat.jpg"),
		"EventBridge":                       detail("Object Deleted", "cat.jpg"),
		"EventBridge through SNS":           `{"Records":[` + snsRecord(detail("Object Deleted", "cat.jpg")) + `]}`,
		"an upload's event, delivered late": s3Event("cat.jpg"),
	} {
		t.Run(name, func(t *testing.T) {
			on, off := b.handler(t, b, "RESIZE_DELETE=on"), b.handler(t, b)
			one(t, on, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
			if !strings.Contains(event, "ObjectCreated") {
				if r := one(t, on, []byte(event)); r.Status != report.Superseded {
					t.Errorf("of an older version: %+v", r)
				}
			}
			b.drop(t, "cat.jpg")

			if r := one(t, off, []byte(event)); r.Status == report.Skipped == strings.Contains(event, "ObjectCreated") || r.Status == report.Deleted || r.Status == report.Skipped && !strings.Contains(r.Reason, "RESIZE_DELETE") {
				t.Errorf("switched off: %+v", r)
			}
			for _, key := range catsOutputs {
				b.get(t, "photos-resized", key)
			}
			r := one(t, on, []byte(event))
			if r.Status != report.Deleted || r.Source.Key != "cat.jpg" {
				t.Errorf("%+v", r)
			}
			for i, key := range catsOutputs {
				b.absent(t, "photos-resized", key)
				if i >= len(r.Removed) || r.Removed[i] != (report.Removed{Bucket: "photos-resized", Key: key}) {
					t.Errorf("removed are %v, want %v", r.Removed, catsOutputs)
				}
			}
			if r := one(t, on, []byte(event)); r.Status != report.Gone || len(r.Removed) > 0 {
				t.Errorf("delivered again: %+v", r)
			}
		})
	}
	t.Run("a message of SQS counts as done", func(t *testing.T) {
		answer, err := b.handler(t, b, "RESIZE_DELETE=on").Respond(t.Context(), []byte(sqsEvent(removed("ObjectRemoved:Delete", "cat.jpg"))))
		if data, _ := json.Marshal(answer); err != nil || string(data) != `{"batchItemFailures":[]}` {
			t.Errorf("%s, %v", data, err)
		}
	})
}

func TestOnlyWhatIsOursAndOfThatSourceGoes(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_DELETE=on")
	// What others may have put where renditions of scan.tif would be: a file of their own; the renditions of another
	// upload, which has that name; and of one of this name in another bucket.
	one(t, h, b.upload(t, "scan.tif.jpg", photo(t, 60, 40, 1)))
	others := map[string]map[string]string{
		"small-scan.tif":      nil,
		"medium-scan.tif":     {"s3resizer-source": "s3://others/scan.tif"},
		"large-scan.tif":      {"s3resizer-source": "s3://photos/scan.tiff"},
		"large-scan.tif.png":  {"s3resizer-source": "s3://photos/scan.tif"}, // ours
		"small-scan.tif.webp": {"s3resizer-source": "s3://photos/scan.tif"}, // of no format that the settings could make of it
	}
	for key, metadata := range others {
		if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: key, Data: []byte(key), Metadata: metadata}); err != nil {
			t.Fatal(err)
		}
	}
	r := one(t, h, []byte(removed("ObjectRemoved:Delete", "scan.tif")))
	if r.Status != report.Deleted || len(r.Removed) != 1 || r.Removed[0].Key != "large-scan.tif.png" {
		t.Errorf("%+v", r)
	}
	b.absent(t, "photos-resized", "large-scan.tif.png")
	for _, key := range []string{"small-scan.tif", "medium-scan.tif", "large-scan.tif", "small-scan.tif.jpg", "medium-scan.tif.jpg", "large-scan.tif.jpg", ".s3resizer/scan.tif.jpg.json"} {
		b.get(t, "photos-resized", key)
	}
}

// Of a long key, the metadata has no room. What was cut off told two of them apart: the one's renditions went with the other.
func TestOfTwoLongKeysThatBeginAlikeOneGoes(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_DELETE=on")
	key := strings.Repeat("사", 300) + ".tif"
	one(t, h, b.upload(t, key+".jpg", photo(t, 60, 40, 1)))
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", url.QueryEscape(key)))); r.Status != report.Gone {
		t.Errorf("%s %v", r.Status, r.Removed)
	}
	b.drop(t, key+".jpg")
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", url.QueryEscape(key+".jpg")))); r.Status != report.Deleted || len(r.Removed) != 4 {
		t.Errorf("%s %v", r.Status, r.Removed)
	}
}

// Of every format, with and without a record: the source is gone, and with it the knowledge of what it was.
func TestRenditionsOfEveryFormatGo(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || seen[p.Shows.Format+p.Shows.Output] {
			continue
		}
		seen[p.Shows.Format+p.Shows.Output] = true
		for _, environ := range [][]string{{"RESIZE_RECORD=on"}, {"RESIZE_RECORD=off"}, {"RESIZE_RECORD=off", "RESIZE_FORMATS=source,webp,png", "RESIZE_KEY_TEMPLATE={dir}{size}/{name}{ext}"}} {
			t.Run(p.Name+strings.Join(environ, " "), func(t *testing.T) {
				h := b.handler(t, b, append(environ, "RESIZE_DELETE=on", "RESIZE_SIZES=s=10,m=20")...)
				made := one(t, h, b.upload(t, "x/"+p.Name, p.Data))
				b.drop(t, "x/"+p.Name)
				gone := one(t, h, []byte(removed("ObjectRemoved:Delete", "x/"+p.Name)))
				for _, r := range made.Renditions {
					b.absent(t, r.Bucket, r.Key)
				}
				if want := len(made.Renditions) + strings.Count(environ[0], "=on"); made.Status != report.Resized || gone.Status != report.Deleted || len(gone.Removed) != want {
					t.Errorf("%+v, of %+v", gone, made)
				}
			})
		}
	}
	if len(seen) < 7 {
		t.Errorf("only %v", seen)
	}
}

// The record names what the settings of today would not make, even after an upload that was no picture.
func TestRenditionsUnderOlderSettingsGo(t *testing.T) {
	b := newBench(t)
	older := b.handler(t, b, "RESIZE_SIZES=thumb=20", "RESIZE_FORMATS=webp", "RESIZE_KEY_TEMPLATE=old/{size}/{key}")
	made := one(t, older, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
	one(t, older, b.upload(t, "cat.jpg", []byte("no picture")))
	b.drop(t, "cat.jpg")
	r := one(t, b.handler(t, b, "RESIZE_DELETE=on"), []byte(removed("ObjectRemoved:Delete", "cat.jpg")))
	if r.Status != report.Deleted || len(r.Removed) != 2 || r.Removed[0].Key != made.Renditions[0].Key {
		t.Errorf("%+v", r)
	}
	b.absent(t, "photos-resized", "old/thumb/cat.jpg.webp")
	b.absent(t, "photos-resized", ".s3resizer/cat.jpg.json")
}

// steps is a store that lets a test step in before each removal.
type steps struct {
	handler.Store
	before func(key string) error
}

func (s *steps) Delete(ctx context.Context, bucket, key, etag string) error {
	if err := s.before(key); err != nil {
		return err
	}
	return s.Store.Delete(ctx, bucket, key, etag)
}

// An upload that comes while the renditions of the one before it are removed has all of its own in the end, be it of the
// same bytes or of others.
func TestAnUploadThatOvertakesARemoval(t *testing.T) {
	b := newBench(t)
	for name, seed := range map[string]uint8{"of other bytes": 9, "of the same bytes": 1} {
		for at, key := range catsOutputs {
			t.Run(fmt.Sprintf("%s, before the removal of %s", name, key), func(t *testing.T) {
				uploaded := b.handler(t, b, "RESIZE_DELETE=on")
				one(t, uploaded, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
				b.drop(t, "cat.jpg")
				removals := 0
				s := &steps{b, func(string) error {
					if removals++; removals == at+1 {
						one(t, uploaded, b.upload(t, "cat.jpg", photo(t, 60, 40, seed)))
					}
					return nil
				}}
				r := one(t, b.handler(t, s, "RESIZE_DELETE=on"), []byte(removed("ObjectRemoved:Delete", "cat.jpg")))
				if r.Status != report.Resized && r.Status != report.Superseded {
					t.Errorf("%+v", r)
				}
				source, _ := b.get(t, "photos", "cat.jpg")
				for _, key := range catsOutputs {
					if info, _ := b.get(t, "photos-resized", key); info.Metadata["s3resizer-source-etag"] != source.ETag {
						t.Errorf("%s is of %s, the newest upload is %s", key, info.Metadata["s3resizer-source-etag"], source.ETag)
					}
				}
			})
		}
	}
}

func TestARemovalThatFailsIsDoneTheNextTime(t *testing.T) {
	b := newBench(t)
	for class, temporary := range map[s3io.Class]bool{s3io.Transient: true, s3io.Denied: false} {
		h := b.handler(t, b, "RESIZE_DELETE=on")
		one(t, h, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
		b.drop(t, "cat.jpg")
		s := &steps{b, func(key string) error {
			if key == "medium-cat.jpg" {
				return &s3io.Error{Class: class, Op: "delete", Bucket: "photos-resized", Key: key, Err: errors.New("no")}
			}
			return nil
		}}
		event := []byte(removed("ObjectRemoved:Delete", "cat.jpg"))
		_, err := b.handler(t, s, "RESIZE_DELETE=on").Handle(t.Context(), event)
		if f := failureOf(t, err); f.Class != report.Class(class) || f.Temporary() != temporary || !strings.Contains(f.Error(), "delete s3://photos-resized/medium-cat.jpg") {
			t.Errorf("%v", err)
		}
		b.get(t, "photos-resized", ".s3resizer/cat.jpg.json") // which goes last
		r := one(t, h, event)
		if r.Status != report.Deleted || slices.ContainsFunc(r.Removed, func(r report.Removed) bool { return r.Key == "small-cat.jpg" }) {
			t.Errorf("%+v", r)
		}
		for _, key := range catsOutputs {
			b.absent(t, "photos-resized", key)
		}
	}
}

// A bucket that is not there, or a source that may not be looked at, is no reason to remove anything.
func TestNothingGoesWhileTheSourceIsInDoubt(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_DELETE=on")
	one(t, h, b.upload(t, "cat.jpg", photo(t, 60, 40, 1)))
	for _, class := range []s3io.Class{s3io.NoSuchBucket, s3io.Denied, s3io.Transient} {
		doubt := &shut{b, class}
		if _, err := b.handler(t, doubt, "RESIZE_DELETE=on").Handle(t.Context(), []byte(removed("ObjectRemoved:Delete", "cat.jpg"))); failureOf(t, err).Class != report.Class(class) {
			t.Errorf("%v", err)
		}
		for _, key := range catsOutputs {
			b.get(t, "photos-resized", key)
		}
	}
}

// shut is a store that shows no uploads.
type shut struct {
	handler.Store
	class s3io.Class
}

func (s *shut) Open(ctx context.Context, bucket, key string) (*s3io.Object, error) {
	if bucket == "photos" {
		return nil, &s3io.Error{Class: s.class, Op: "open", Bucket: bucket, Key: key, Err: errors.New("no")}
	}
	return s.Store.Open(ctx, bucket, key)
}

// In a bucket with versions a deletion may leave one: what was made is of the newest that there is.
func TestVersionsOfASource(t *testing.T) {
	checkLeaks(t)
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}})
	b := &bench{s3io.New(cfg, s3io.Options{}), events}
	raw := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := "photos", "cat.jpg"
	if _, err := raw.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	h := b.handler(t, b, "RESIZE_DELETE=on")
	var versions []report.Result
	for seed := range uint8(3) {
		versions = append(versions, one(t, h, b.upload(t, key, photo(t, 60, 40, seed))))
	}
	if versions[0].Source.VersionID == "" {
		t.Fatal("there are no versions")
	}
	of := func() string {
		info, _ := b.get(t, "photos-resized", "small-cat.jpg")
		return info.Metadata["s3resizer-source-etag"]
	}

	if _, err := raw.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: &versions[0].Source.VersionID}); err != nil {
		t.Fatal(err)
	}
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", key))); r.Status != report.Superseded || of() != versions[2].Source.ETag {
		t.Errorf("an older version deleted: %+v", r)
	}
	// The embedded S3 does not show the version before the newest when that is deleted. What S3 then tells and shows is:
	b.upload(t, key, photo(t, 60, 40, 1))
	if r := one(t, h, []byte(removed("ObjectRemoved:Delete", key))); r.Status != report.Resized || of() != versions[1].Source.ETag {
		t.Errorf("the newest deleted: %+v", r)
	}
	b.drop(t, key)
	if r := one(t, h, []byte(removed("ObjectRemoved:DeleteMarkerCreated", key))); r.Status != report.Deleted || len(r.Removed) != 4 {
		t.Errorf("a delete marker: %+v", r)
	}
}
