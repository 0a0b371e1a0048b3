package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"s3resizer/s3io"
)

// In one bucket, backfill and verify tell originals from what is made of them; and what is made of an original that the function
// deletes is no orphan.
func TestOneBucketAndNoOriginals(t *testing.T) {
	b := newBucketful(t)
	b.run(t, "s3://photos", "--dest", "photos").want(t, 2, "source and destination are both photos", "RESIZE_KEY_TEMPLATE has to begin with one")
	b.env = append(b.env, "RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=resized/{size}/{key}")
	for _, key := range []string{"a.jpg", "s/b.jpg"} {
		b.upload(t, key, jpegOf(t, 60, 40))
	}
	for range 2 {
		e := b.run(t, "s3://photos", "--only", "all")
		e.want(t, 0)
		wantLine(t, e.stdout, `^ +all +2 `)
	}
	e := b.run(t, "s3://photos", "--dry-run")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +nothing to do +2 `)
	wantLine(t, e.stdout, `^ +to be resized +0 `)
	e = b.verify(t, "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +originals +2$`)

	if err := b.Delete(t.Context(), "photos", "a.jpg", ""); err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "RESIZE_ORIGINAL=delete")
	b.run(t, "s3://photos", "--only", "all").want(t, 0)
	if _, err := b.Head(t.Context(), "photos", "s/b.jpg"); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("the original is there: %v", err)
	}
	e = b.verify(t, "s3://photos", "--fix", "--yes")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +originals +0$`)
	wantLine(t, e.stdout, `^ +originals deleted +1$`)
	wantLine(t, e.stdout, `^Removed: 4 orphans\.$`)
	if _, err := b.Head(t.Context(), "photos", "resized/large/s/b.jpg"); err != nil {
		t.Error(err)
	}
}

// Files are their owner's, whatever the function's settings say of its uploads.
func TestResizeLeavesFilesAlone(t *testing.T) {
	dir, photo := t.TempDir(), jpegOf(t, 60, 40)
	write(t, dir, "in/raw/a.jpg", photo)
	e := finish(t, process(t, binary, dir, []string{"RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=resized/{size}/{key}", "RESIZE_ORIGINAL=delete", "RESIZE_DELETE=on",
		"RESIZE_COPY=metadata,tags,content-disposition,copyright", `RESIZE_PROFILES=[{"prefix":"raw/","skip":true},{"prefix":"in/","skip":true}]`}, "resize", "--out", "out", "in"))
	e.want(t, 0)
	if left, err := os.ReadFile(filepath.Join(dir, "in/raw/a.jpg")); err != nil || !bytes.Equal(left, photo) {
		t.Errorf("%d bytes, %v", len(left), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out/resized/small/raw/a.jpg")); err != nil {
		t.Error(err)
	}
}

// The endpoint tells of no outputs, as a trigger with a prefix does not, and neither does it take them for uploads at its next start.
func TestDevInOneBucket(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	environ := []string{"RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=resized/{size}/{key}"}
	s := serve(t, environ, "--data", data)
	s.put(t, "a.jpg", jpegOf(t, 400, 300))
	s.waitFor(t, "resized a.jpg")
	s.get(t, "photos", "resized/large/a.jpg")
	for range 2 {
		if rest := s.interrupt(t, 5*time.Second); !slices.Equal(rest, []string{"stopping"}) {
			t.Errorf("after Ctrl-C it printed %q", rest)
		}
		s = serve(t, environ, "--data", data)
	}
}
