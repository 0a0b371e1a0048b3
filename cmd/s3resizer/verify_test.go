package main_test

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"s3resizer/internal/s3fault"
	"s3resizer/s3io"
)

// verify runs the command.
func (b *bucketful) verify(t *testing.T, args ...string) ended {
	t.Helper()
	return finish(t, process(t, binary, b.dir, b.env, append([]string{"verify"}, args...)...))
}

// spoil takes a rendition away, gives another one a wrong type, and deletes an original.
func (b *bucketful) spoil(t *testing.T) {
	t.Helper()
	info, err := b.Head(t.Context(), "photos", "c.jpg")
	if err == nil {
		err = b.Delete(t.Context(), "photos", "c.jpg", info.ETag)
	}
	if err == nil {
		err = b.Delete(t.Context(), "photos-resized", "large-a.jpg", "")
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := b.Open(t.Context(), "photos-resized", "small-b.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data := make([]byte, body.Size)
	if _, err := body.Read(data); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos-resized", Key: "small-b.jpg", ContentType: "text/plain", Metadata: body.Metadata, Data: data}); err != nil {
		t.Fatal(err)
	}
}

func newSpoiled(t *testing.T) *bucketful {
	t.Helper()
	b := newBucketful(t)
	for _, key := range []string{"a.jpg", "b.jpg", "c.jpg", "여행/d e+f.jpg"} {
		b.upload(t, key, jpegOf(t, 60, 40))
	}
	b.upload(t, "notes.txt", []byte("hello"))
	b.run(t, "s3://photos").want(t, 0)
	return b
}

func TestVerifyFindsAndMends(t *testing.T) {
	b := newSpoiled(t)
	e := b.verify(t, "s3://photos", "--decode")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +originals +5$`)
	wantLine(t, e.stdout, `^ +of these rejected +1$`)
	wantLine(t, e.stdout, `^ +renditions +12$`)
	wantLine(t, e.stdout, `^ +findings +0$`)

	b.spoil(t)
	b.reads()
	t.Run("told in lines", func(t *testing.T) {
		e := b.verify(t, "s3://photos")
		e.want(t, 1, "6 findings", "--fix")
		for _, line := range []string{
			`^missing-rendition +s3://photos-resized/large-a\.jpg: there is none$`,
			`^wrong-type +s3://photos-resized/small-b\.jpg: its Content-Type is "text/plain", not image/jpeg$`,
			`^orphan +s3://photos-resized/\.s3resizer/c\.jpg\.json: s3://photos/c\.jpg is gone$`,
			`^ +missing-rendition +1$`, `^ +wrong-type +1$`, `^ +orphan +4$`, `^ +findings +6$`, `^ +sets to be made anew +2$`,
		} {
			wantLine(t, e.stdout, line)
		}
		if b.writes > 0 || len(b.reads()) > 0 {
			t.Error("it read or wrote")
		}
	})
	t.Run("told in a report", func(t *testing.T) {
		e := b.verify(t, "s3://photos", "--quick", "--report", "findings.csv")
		e.want(t, 1, "5 findings, see findings.csv") // the type is not in the listing
		if strings.Contains(e.stdout, "s3://") {
			t.Errorf("the findings are on stdout, too: %s", e.stdout)
		}
		file, err := os.Open(filepath.Join(b.dir, "findings.csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		if err != nil || len(rows) != 6 || !slices.Contains(rows[0], "kind") ||
			!slices.ContainsFunc(rows, func(row []string) bool {
				return slices.Equal(row, []string{"missing-rendition", "photos-resized", "large-a.jpg", "a.jpg", "there is none"})
			}) {
			t.Errorf("%q, %v", rows, err)
		}
	})
	t.Run("mended, but nothing is removed without a terminal", func(t *testing.T) {
		e := b.verify(t, "s3://photos", "--fix")
		e.want(t, 1, "not mended: 4 findings")
		wantLine(t, e.stdout, `^Not removed: 4 orphans, because there is no terminal to ask on; --yes removes them without asking\.$`)
		wantLine(t, e.stdout, `^Made anew: 2 sets\.$`)
		if reads := b.reads(); len(reads) != 2 || reads["a.jpg"] != 1 || reads["b.jpg"] != 1 {
			t.Errorf("it read %v", reads)
		}
		b.wantSet(t, "a.jpg")
		b.wantSet(t, "b.jpg")
		b.verify(t, "s3://photos").want(t, 1, "4 findings")
	})
	t.Run("asked on a terminal", func(t *testing.T) {
		for answer, status := range map[string]int{"n": 1, "": 1} {
			command := process(t, "script", b.dir, b.env, "-qec", binary+" verify --fix s3://photos", "/dev/null")
			command.Stdin = strings.NewReader(answer + "\n")
			e := finish(t, command)
			if e.status != status || !strings.Contains(e.stdout, "Remove 4 orphans (") || !strings.Contains(e.stdout, "from s3://photos-resized? [y/N]") {
				t.Errorf("after %q: %d\n%s", answer, e.status, e.stdout)
			}
		}
		b.verify(t, "s3://photos").want(t, 1, "4 findings")
		command := process(t, "script", b.dir, b.env, "-qec", binary+" verify --fix s3://photos", "/dev/null")
		command.Stdin = strings.NewReader("y\n")
		if e := finish(t, command); e.status != 0 || !strings.Contains(e.stdout, "Removed: 4 orphans.") {
			t.Errorf("%d\n%s", e.status, e.stdout)
		}
		b.verify(t, "s3://photos").want(t, 0)
	})
}

func TestVerifyRemovesWithoutAskingIfItMay(t *testing.T) {
	b := newSpoiled(t)
	b.spoil(t)
	e := b.verify(t, "s3://photos", "--fix", "--yes")
	e.want(t, 0)
	wantLine(t, e.stdout, `^Removed: 4 orphans\.$`)
	b.verify(t, "s3://photos", "--decode").want(t, 0)
	if _, err := b.Head(t.Context(), "photos-resized", "small-c.jpg"); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("small-c.jpg: %v", err)
	}
}

func TestVerifyToldWrongly(t *testing.T) {
	b := newBucketful(t)
	for name, test := range map[string]struct {
		status int
		env    []string
		args   []string
		stderr []string
	}{
		"no bucket":              {2, nil, nil, []string{"accepts 1 arg"}},
		"no URL":                 {2, nil, []string{"photos"}, []string{`"photos"`, "s3://bucket/prefix"}},
		"yes to nothing":         {2, nil, []string{"--yes", "s3://photos"}, []string{"--yes is for --fix"}},
		"two ways at once":       {2, nil, []string{"--quick", "--decode", "s3://photos"}, []string{"quick", "decode"}},
		"jobs below zero":        {2, nil, []string{"--jobs", "-1", "s3://photos"}, []string{"--jobs -1"}},
		"no requests":            {2, nil, []string{"--max-requests-per-second", "0", "s3://photos"}, []string{"--max-requests-per-second 0"}},
		"no time":                {2, nil, []string{"--time-limit", "0s", "s3://photos"}, []string{"--time-limit 0s"}},
		"into itself":            {2, nil, []string{"--dest", "photos", "s3://photos"}, []string{"source and destination are both photos", "RESIZE_KEY_TEMPLATE"}},
		"no records":             {2, []string{"RESIZE_RECORD=off"}, []string{"s3://photos"}, []string{"RESIZE_RECORD=off"}},
		"no destination":         {3, nil, []string{"--dest", "thumbs", "s3://photos"}, []string{"no-such-bucket", "thumbs is right"}},
		"a report that can't be": {3, nil, []string{"--report", "no/folder", "s3://photos"}, []string{"no/folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := finish(t, process(t, binary, b.dir, append(slices.Clone(b.env), test.env...), append([]string{"verify"}, test.args...)...))
			e.want(t, test.status, append(test.stderr, "s3resizer: ")...)
		})
	}
}

func TestVerifyInterrupted(t *testing.T) {
	b := newSpoiled(t)
	asked := make(chan struct{})
	b.proxy.Inject(1, func(r *http.Request) bool {
		return r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/small-a.jpg")
	}, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		close(asked)
		<-r.Context().Done()
	})
	e := meanwhile(t, process(t, binary, b.dir, b.env, "verify", "s3://photos"), asked, func(pid int) { _ = syscall.Kill(pid, syscall.SIGINT) })
	e.want(t, 130, "interrupted: the next run begins anew")
}

// The orphans that are kept for the end must not stay behind.
func TestVerifyLeavesNoFileBehind(t *testing.T) {
	b := newSpoiled(t)
	b.spoil(t)
	dir := t.TempDir()
	finish(t, process(t, binary, b.dir, append(slices.Clone(b.env), "TMPDIR="+dir), "verify", "--fix", "--yes", "s3://photos")).want(t, 0)
	wantFiles(t, dir)
}

func TestVerifySaysWhatRemovingTakes(t *testing.T) {
	b := newSpoiled(t)
	b.spoil(t)
	b.proxy.Inject(s3fault.Always, func(r *http.Request) bool { return r.Method == http.MethodDelete }, s3fault.Error(403, "AccessDenied"))
	b.verify(t, "--fix", "--yes", "s3://photos").want(t, 3, "access-denied", "s3:DeleteObject on arn:aws:s3:::photos-resized/*")
}
