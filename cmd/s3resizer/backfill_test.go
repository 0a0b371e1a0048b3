package main_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/s3fault"
	"s3resizer/s3io"
)

// bucketful is an S3 with pictures in it that nobody was told of, and what is asked of it.
type bucketful struct {
	*s3io.Client
	proxy *s3fault.Proxy
	env   []string
	dir   string // of the processes

	mu     sync.Mutex
	read   map[string]int // GETs of uploads, by key
	writes int
}

func newBucketful(t *testing.T) *bucketful {
	t.Helper()
	cfg := devtest.Start(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}})
	b := &bucketful{Client: s3io.New(cfg, s3io.Options{}), proxy: s3fault.Start(t, *cfg.BaseEndpoint), dir: t.TempDir(), read: map[string]int{}}
	b.env = []string{"AWS_ENDPOINT_URL_S3=" + b.proxy.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test-secret",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true"}
	b.proxy.Inject(s3fault.Always, func(r *http.Request) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		if key, ours := strings.CutPrefix(r.URL.Path, "/photos/"); ours && key != "" && r.Method == http.MethodGet {
			b.read[key]++
		}
		if r.Method == http.MethodPut {
			b.writes++
		}
		return false
	}, nil)
	return b
}

// reads are the uploads that were read since the last time, and how often.
func (b *bucketful) reads() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	reads := b.read
	b.read, b.writes = map[string]int{}, 0
	return reads
}

func (b *bucketful) upload(t *testing.T, key string, data []byte) {
	t.Helper()
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data}); err != nil {
		t.Fatal(err)
	}
}

func (b *bucketful) run(t *testing.T, args ...string) ended {
	t.Helper()
	return finish(t, b.process(t, args...))
}

func (b *bucketful) process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return process(t, binary, b.dir, b.env, append([]string{"backfill"}, args...)...)
}

// wantSet checks that there are the renditions of the upload as it is, and their record.
func (b *bucketful) wantSet(t *testing.T, key string) {
	t.Helper()
	source, err := b.Head(t.Context(), "photos", key)
	if err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{"small-" + key, "medium-" + key, "large-" + key, ".s3resizer/" + key + ".json"} {
		made, err := b.Head(t.Context(), "photos-resized", output)
		if err != nil || made.Metadata["s3resizer-source-etag"] != source.ETag {
			t.Errorf("%s: %v of %s, want of %s; %v", output, made.Metadata, key, source.ETag, err)
		}
	}
}

func (b *bucketful) failures(t *testing.T) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join(b.dir, "failed.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func wantLine(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)` + pattern).MatchString(text) {
		t.Errorf("no line is like %q:\n%s", pattern, text)
	}
}

func TestBackfillDoesWhatIsLeft(t *testing.T) {
	b := newBucketful(t)
	keys := []string{"a.jpg", "a.jpg-b", "a.jpg.json", "여행/a b+c.jpg", "z%20.jpg"}
	for i, key := range keys {
		b.upload(t, key, jpegOf(t, 60+i, 40))
	}
	b.upload(t, "notes.txt", []byte("hello"))
	b.upload(t, "folder/", nil)

	t.Run("a dry run reads no picture and writes nothing", func(t *testing.T) {
		e := b.run(t, "--dry-run", "--state", "state", "s3://photos")
		e.want(t, 0)
		wantLine(t, e.stdout, `^ +to be resized +6 `)
		wantLine(t, e.stdout, `About 1 s with \d+ at a time`)
		wantLine(t, e.stdout, `About \$0\.00 for S3's requests`)
		if b.writes > 0 || len(b.reads()) > 0 {
			t.Error("it read or wrote")
		}
		wantFiles(t, b.dir)
	})
	t.Run("everything", func(t *testing.T) {
		e := b.run(t, "--failures", "failed.csv", "s3://photos/")
		e.want(t, 0)
		for _, key := range keys {
			b.wantSet(t, key)
		}
		wantLine(t, e.stdout, `^ +resized +5 `)
		wantLine(t, e.stdout, `^ +rejected +1 `)
		wantLine(t, e.stdout, `^This run: 6 pictures, .* a second\.$`)
		rows := b.failures(t)
		if len(rows) != 2 || rows[0][1] != "status" || !slices.Equal(rows[1][1:6], []string{"rejected", "unsupported", "photos", "notes.txt", "5"}) || !strings.Contains(rows[1][6], "not an image") {
			t.Errorf("the failures are %q", rows)
		}
		if reads := b.reads(); len(reads) != 6 {
			t.Errorf("it read %v", reads)
		}
	})
	t.Run("nothing twice", func(t *testing.T) {
		e := b.run(t, "s3://photos")
		e.want(t, 0)
		wantLine(t, e.stdout, `^ +nothing to do +6 `)
		if b.writes > 0 || len(b.reads()) > 0 {
			t.Error("it read or wrote")
		}
	})
	t.Run("what was overwritten meanwhile", func(t *testing.T) {
		b.upload(t, "a.jpg", jpegOf(t, 80, 70))
		b.run(t, "--only", "missing", "s3://photos").want(t, 0)
		if reads := b.reads(); len(reads) > 0 {
			t.Errorf("with --only missing it read %v", reads)
		}
		b.run(t, "s3://photos").want(t, 0)
		if reads := b.reads(); len(reads) != 1 || reads["a.jpg"] != 1 {
			t.Errorf("it read %v", reads)
		}
		b.wantSet(t, "a.jpg")
	})
	t.Run("everything under a prefix, for other settings", func(t *testing.T) {
		quality := process(t, binary, b.dir, append(slices.Clone(b.env), "RESIZE_QUALITY=60"), "backfill", "--only", "stale", "s3://photos/a.jpg")
		finish(t, quality).want(t, 0)
		if reads := b.reads(); len(reads) != 3 {
			t.Errorf("it read %v", reads)
		}
	})
}

func TestBackfillToldWrongly(t *testing.T) {
	b := newBucketful(t)
	b.upload(t, "a.jpg", jpegOf(t, 60, 40))
	b.run(t, "--state", "state", "s3://photos").want(t, 0)
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(b.env), func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	}
	for name, test := range map[string]struct {
		status int
		env    []string
		args   []string
		stderr []string
	}{
		"no bucket":                  {2, b.env, nil, []string{"accepts 1 arg"}},
		"no URL":                     {2, b.env, []string{"photos"}, []string{`"photos"`, "s3://bucket/prefix"}},
		"an unknown part":            {2, b.env, []string{"--only", "new", "s3://photos"}, []string{"--only new", "missing, stale or all"}},
		"no day":                     {2, b.env, []string{"--since", "May", "s3://photos"}, []string{"--since May", "2026-06-01"}},
		"jobs below zero":            {2, b.env, []string{"--jobs", "-1", "s3://photos"}, []string{"--jobs -1"}},
		"no requests":                {2, b.env, []string{"--max-requests-per-second", "0", "s3://photos"}, []string{"--max-requests-per-second 0"}},
		"no time":                    {2, b.env, []string{"--time-limit", "0s", "s3://photos"}, []string{"--time-limit 0s"}},
		"into itself":                {2, b.env, []string{"--dest", "photos", "s3://photos"}, []string{"source and destination are both photos", "RESIZE_KEY_TEMPLATE"}},
		"a state of another job":     {2, b.env, []string{"--state", "state", "s3://photos/a"}, []string{"state is of another job", "s3://photos/a to s3://photos-resized"}},
		"of another job, looked at":  {2, b.env, []string{"--dry-run", "--state", "state", "s3://photos/a"}, []string{"state is of another job"}},
		"state and failures in one":  {2, b.env, []string{"--state", "one", "--failures", "./one", "s3://photos"}, []string{"--state and --failures are both one"}},
		"no records":                 {2, append(slices.Clone(b.env), "RESIZE_RECORD=off"), []string{"s3://photos"}, []string{"RESIZE_RECORD=off", "--only all"}},
		"mistakes in the settings":   {2, append(slices.Clone(b.env), "RESIZE_SIZES=small"), []string{"s3://photos"}, []string{`RESIZE_SIZES="small"`}},
		"no region":                  {3, without("AWS_REGION"), []string{"s3://photos"}, []string{"AWS_REGION"}},
		"no credentials":             {3, without("AWS_ACCESS_KEY_ID"), []string{"s3://photos"}, []string{"no AWS credentials", "AWS_PROFILE"}},
		"wrong credentials":          {3, append(slices.Clone(b.env), "AWS_SECRET_ACCESS_KEY=wrong"), []string{"s3://photos"}, []string{"access-denied", "credentials are right", "s3:ListBucket on arn:aws:s3:::photos"}},
		"a source that is not there": {3, b.env, []string{"s3://fotos"}, []string{"no-such-bucket", "fotos is right"}},
		"no destination":             {3, b.env, []string{"--dest", "thumbs", "s3://photos"}, []string{"no-such-bucket", "thumbs is right", "--dest"}},
		"a state that can't be kept": {3, b.env, []string{"--state", "no/folder", "s3://photos"}, []string{"no/folder"}},
		"failures that can't be":     {3, b.env, []string{"--failures", "no/folder", "s3://photos"}, []string{"no/folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := finish(t, process(t, binary, b.dir, test.env, append([]string{"backfill"}, test.args...)...))
			e.want(t, test.status, append(test.stderr, "s3resizer: ")...)
			if e.stdout != "" {
				t.Errorf("stdout is not for mistakes: %s", e.stdout)
			}
		})
	}
}

func TestBackfillStopsWhereItMayNotWrite(t *testing.T) {
	b := newBucketful(t)
	for i := range 40 {
		b.upload(t, fmt.Sprintf("%02d\x1b[2J.jpg", i), jpegOf(t, 40, 30)) // which would clear a terminal
	}
	b.proxy.Inject(s3fault.Always, s3fault.Writes("small-"), s3fault.Error(403, "AccessDenied"))
	e := b.run(t, "--failures", "failed.csv", "s3://photos")
	if strings.Contains(e.stderr, "\x1b") {
		t.Errorf("%q", e.stderr)
	}
	e.want(t, 3, "20 pictures in a row failed", `\x1b[2J.jpg`, "access-denied", "s3:PutObject on arn:aws:s3:::photos-resized/*")
	if rows := b.failures(t); len(rows) < 21 || len(rows) > 25 || rows[1][2] != "access-denied" {
		t.Errorf("%d failures, %q", len(rows)-1, rows[1])
	}
}

// A source that goes meanwhile takes its renditions with it; the table had no row for it.
func TestBackfillCountsWhatWentWithItsSource(t *testing.T) {
	b := newBucketful(t)
	b.upload(t, "a.jpg", jpegOf(t, 60, 40))
	b.run(t, "s3://photos").want(t, 0)
	b.proxy.Inject(1, func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == "/photos/a.jpg" },
		func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if err := b.Delete(r.Context(), "photos", "a.jpg", ""); err != nil {
				t.Error(err)
			}
			next.ServeHTTP(w, r)
		})
	b.env = append(b.env, "RESIZE_DELETE=on")
	e := b.run(t, "--only", "all", "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +gone, renditions too +1 `)
}

// The S3 takes 60 requests a second, and no more: it says so to whoever comes faster.
func TestBackfillGoesSlowerWhenS3AsksForIt(t *testing.T) {
	b := newBucketful(t)
	const n = 25
	for i := range n {
		b.upload(t, fmt.Sprintf("%02d.jpg", i), jpegOf(t, 60, 40))
	}
	taken := rate.NewLimiter(60, 10)
	b.proxy.Inject(s3fault.Always, func(*http.Request) bool { return !taken.Allow() }, s3fault.Error(503, "SlowDown"))
	e := b.run(t, "--jobs", "4", "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, fmt.Sprintf(`^ +resized +%d `, n))
	wantLine(t, e.stdout, `^S3 asked \d+ times for fewer requests; `)
	if hits := b.proxy.Hits(); hits == 0 || hits > n*7 {
		t.Errorf("%d requests were refused, for %d pictures", hits, n)
	}
}

func TestBackfillOnATerminalDrawsABar(t *testing.T) {
	b := newBucketful(t)
	for i := range 10 {
		b.upload(t, fmt.Sprintf("%02d.jpg", i), jpegOf(t, 60, 40))
	}
	b.proxy.Inject(s3fault.Always, s3fault.Writes("small-"), s3fault.Delay(200*time.Millisecond))
	e := finish(t, process(t, "script", b.dir, b.env, "-qec", binary+" backfill --jobs 1 s3://photos", "/dev/null"))
	if !regexp.MustCompile(`\r\x1b\[K\[=+ +\] \d+ of 10 pictures, [\d.]+ kB of [\d.]+ kB, [\d.]+ a second, 0 failed, \d+ s left`).MatchString(e.stdout) {
		t.Errorf("%q", e.stdout)
	}
	wantLine(t, e.stdout, `resized +10 `)
}
