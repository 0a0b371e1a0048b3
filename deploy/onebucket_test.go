package deploy_test

import (
	"bytes"
	"io"
	"maps"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// In one bucket the function may neither overwrite uploads nor read what is beside them, deletes them only if it is told to, and
// nobody sees them through CloudFront.
func TestRightsInOneBucket(t *testing.T) {
	const cat, arn = "holiday/cat.jpg", "arn:aws:s3:::" + source + "/"
	s := mustEvaluate(t, readTemplate(t), map[string]string{"DestinationBucket": source, "DestinationBucketIs": "existing", "CloudFront": "yes",
		"SourcePrefix": "holiday/", "KeyTemplate": "resized/{size}/{key}", "Originals": "delete", "DeleteRenditions": "yes"})
	f := s.function(t, "direct")
	upload := f.upload(cat, photo(t, 1))
	f.handle(upload, report.Resized)
	f.handle(upload, report.Skipped)
	if _, err := f.uploader.Put(t.Context(), s3io.Upload{Bucket: source, Key: cat, Data: []byte("no picture")}); err != nil {
		t.Fatal(err)
	}
	f.handle(upload, report.Rejected)
	if err := f.uploader.Delete(t.Context(), source, cat, ""); err != nil {
		t.Fatal(err)
	}
	removal := bytes.ReplaceAll(upload, []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete"))
	f.handle(removal, report.Skipped)
	record, err := f.uploader.Open(t.Context(), source, ".s3resizer/"+cat+".json")
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	data, err := io.ReadAll(record)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte(`"deleted":true`), []byte(`"deleted":false`)) // as one of before originals were deleted
	if _, err := f.uploader.Put(t.Context(), s3io.Upload{Bucket: source, Key: record.Key, Metadata: record.Metadata, Data: data}); err != nil {
		t.Fatal(err)
	}
	f.handle(removal, report.Deleted)

	policy := statements(t, s.properties("Rights")["PolicyDocument"])
	needs := maps.Clone(f.needs)
	maps.Copy(needs, s.onBehalf())
	wantNoMore(t, policy, needs)
	for _, n := range []need{
		{"s3:PutObject", arn + cat}, {"s3:PutObject", arn + "cat.jpg"}, {"s3:GetObject", arn + "private/cat.jpg"},
		{"s3:DeleteObject", arn + "private/cat.jpg"}, {"s3:DeleteObjectVersion", arn + cat},
	} {
		if allows(policy, n, about(n)) {
			t.Errorf("%s on %s is allowed", n.action, n.resource)
		}
	}
	keeps := statements(t, mustEvaluate(t, readTemplate(t), map[string]string{"SourcePrefix": "holiday/", "DeleteRenditions": "yes"}).properties("Rights")["PolicyDocument"])
	if n := (need{"s3:DeleteObject", arn + cat}); allows(keeps, n, about(n)) || !f.needs[n] {
		t.Errorf("uploads may be deleted though they are kept, or were not deleted")
	}

	shown := statements(t, s.properties("DestinationPolicy")["PolicyDocument"])
	about := map[string]string{"aws:SourceArn": "arn:aws:cloudfront::" + account + ":distribution/E1DISTRIBUTION"}
	for key, may := range map[string]bool{"resized/small/" + cat: true, cat: false, ".s3resizer/" + cat + ".json": false} {
		if allows(shown, need{"s3:GetObject", arn + key}, about) != may {
			t.Errorf("CloudFront: %s is readable: %v", key, !may)
		}
	}
}
