package main_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"s3resizer/internal/s3fault"
	"s3resizer/s3io"
)

const (
	functionARN = "arn:aws:lambda:us-east-1:123456789012:function:s3resizer"
	roleARN     = "arn:aws:iam::123456789012:role/batch"
)

// s3control lets the processes of a test reach a stand-in for S3 Control, as a proxy: the account is in the host's name.
// It returns their environment, and what tells the jobs that were created.
func (b *bucketful) s3control(t *testing.T) (env []string, created func() []createJob) {
	t.Helper()
	var mu sync.Mutex
	var jobs []createJob
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var job createJob
		body, _ := io.ReadAll(r.Body)
		if err := xml.Unmarshal(body, &job); err != nil || r.Host != "123456789012.s3control.test" || r.URL.Path != "/v20180820/jobs" {
			t.Errorf("%s%s: %s", r.Host, r.URL.Path, body)
		}
		mu.Lock()
		defer mu.Unlock()
		jobs = append(jobs, job)
		fmt.Fprint(w, `<CreateJobResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><JobId>job-1</JobId></CreateJobResult>`)
	}))
	t.Cleanup(server.Close)
	env = append(slices.Clone(b.env), "AWS_ENDPOINT_URL_S3_CONTROL=http://s3control.test", "HTTP_PROXY="+server.URL, "NO_PROXY=127.0.0.1")
	return env, func() []createJob {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(jobs)
	}
}

type createJob struct {
	ConfirmationRequired bool
	ClientRequestToken   string
	RoleArn              string
	FunctionArn          string `xml:"Operation>LambdaInvoke>FunctionArn"`
	Manifest             string `xml:"Manifest>Location>ObjectArn"`
	ETag                 string `xml:"Manifest>Location>ETag"`
	Report               string `xml:"Report>Prefix"`
	Priority             int
}

func TestBackfillViaBatch(t *testing.T) {
	b := newBucketful(t)
	keys := []string{"a.jpg", "done.jpg", "여행/a b+c,d.jpg"}
	for i, key := range keys {
		b.upload(t, key, jpegOf(t, 60+i, 40))
	}
	b.run(t, "s3://photos/done").want(t, 0)
	b.reads()
	env, jobs := b.s3control(t)
	args := []string{"backfill", "--via", "batch", "--function", functionARN, "--role", roleARN, "--manifest", "s3://photos-resized/jobs", "s3://photos"}

	dry := finish(t, process(t, binary, b.dir, env, append(args, "--dry-run")...))
	dry.want(t, 0)
	wantLine(t, dry.stdout, `^ +to be resized +2 `)
	wantLine(t, dry.stdout, `^Nothing was changed\.$`)
	for _, text := range []string{"aws s3control create-job --region 'us-east-1' --account-id '123456789012'", "batchoperations.s3.amazonaws.com", "lambda:InvokeFunction"} {
		if !strings.Contains(dry.stdout, text) {
			t.Errorf("it does not say %s:\n%s", text, dry.stdout)
		}
	}
	if len(jobs()) > 0 {
		t.Error("a dry run created a job")
	}

	if _, err := b.Head(t.Context(), "photos-resized", manifestOf(t, dry.stdout)); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("a dry run wrote the manifest: %v", err)
	}

	e := finish(t, process(t, binary, b.dir, env, args...))
	e.want(t, 0)
	wantLine(t, e.stdout, `^The job job-1 is created; what fails will be in s3://photos-resized/jobs/report-\w{12}/\.$`)
	wantLine(t, e.stdout, `^aws s3control update-job-status .* --job-id 'job-1' --requested-job-status Ready$`)
	if len(jobs()) != 1 {
		t.Fatalf("%d jobs", len(jobs()))
	}
	job := jobs()[0]
	path, _ := strings.CutPrefix(job.Manifest, "arn:aws:s3:::photos-resized/")
	manifest, err := b.Open(t.Context(), "photos-resized", path)
	if err != nil {
		t.Fatal(err)
	}
	defer manifest.Close()
	lines, _ := io.ReadAll(manifest)
	if want := "photos,a.jpg\nphotos,%EC%97%AC%ED%96%89/a%20b%2Bc%2Cd.jpg\n"; string(lines) != want || job.ETag != manifest.ETag {
		t.Errorf("the manifest is\n%s\nwant\n%s; its ETag is %s, the job has %s", lines, want, manifest.ETag, job.ETag)
	}
	if !job.ConfirmationRequired || job.FunctionArn != functionARN || job.RoleArn != roleARN || job.Priority != 10 || !strings.HasPrefix(job.Report, "jobs/report-") {
		t.Errorf("%+v", job)
	}
	if token := regexp.MustCompile(`--client-request-token (\w+)`).FindStringSubmatch(dry.stdout); token == nil || token[1] != job.ClientRequestToken {
		t.Errorf("the dry run's command was of another job: %q, %q", token, job.ClientRequestToken)
	}

	finish(t, process(t, binary, b.dir, env, append(args, "--start", "--priority", "3")...)).want(t, 0)
	if job := jobs()[1]; job.ConfirmationRequired || job.Priority != 3 {
		t.Errorf("%+v", job)
	}
	b.run(t, "s3://photos").want(t, 0)
	e = finish(t, process(t, binary, b.dir, env, args...))
	e.want(t, 0)
	wantLine(t, e.stdout, `^There is nothing to hand over\.$`)
	if len(jobs()) != 2 {
		t.Error("a job of nothing was created")
	}
}

// manifestOf is the key that a run tells of.
func manifestOf(t *testing.T, stdout string) string {
	t.Helper()
	said := regexp.MustCompile(`s3://photos-resized/(jobs/manifest-\w+\.csv)`).FindStringSubmatch(stdout)
	if said == nil {
		t.Fatalf("it tells of no manifest:\n%s", stdout)
	}
	return said[1]
}

func TestBackfillViaSomethingToldWrongly(t *testing.T) {
	b := newBucketful(t)
	b.upload(t, "a.jpg", jpegOf(t, 60, 40))
	batch := func(more ...string) []string {
		return append([]string{"--via", "batch", "--function", functionARN, "--role", roleARN, "--manifest", "s3://photos-resized/jobs"}, more...)
	}
	for name, test := range map[string]struct {
		status int
		args   []string
		stderr []string
	}{
		"something else":               {2, []string{"--via", "ssh"}, []string{"--via ssh", "local, lambda or batch"}},
		"no function":                  {2, []string{"--via", "lambda"}, []string{"--function"}},
		"a function for nothing":       {2, []string{"--function", "f"}, []string{"--function is for"}},
		"a role for nothing":           {2, []string{"--role", "f"}, []string{"--via batch"}},
		"no manifest":                  {2, []string{"--via", "batch", "--function", functionARN, "--role", roleARN}, []string{"--manifest s3://"}},
		"a manifest among the uploads": {2, batch("--manifest", "s3://photos/jobs"), []string{"raise events"}},
		"a manifest that is no URL":    {2, batch("--manifest", "jobs"), []string{"--manifest jobs", "s3://bucket"}},
		"a state of what has its own":  {2, batch("--state", "state"), []string{"--state"}},
		"a function's name":            {2, batch("--function", "s3resizer"), []string{`the function "s3resizer"`, "arn:aws:lambda"}},
		"another region":               {2, batch("--function", strings.Replace(functionARN, "us-east-1", "eu-west-1", 1)), []string{"is in eu-west-1", "AWS_REGION"}},
		"no such bucket":               {3, batch("--manifest", "s3://nowhere/jobs"), []string{"no-such-bucket", "nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			b.run(t, append(test.args, "s3://photos")...).want(t, test.status, append(test.stderr, "s3resizer: ")...)
		})
	}
}

// programs are built once, for the tests that need them beside the command.
var programs = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Dir(shipped) // it goes with the tests
	for _, args := range [][]string{{"-tags", "lambda.norpc", "-o", filepath.Join(dir, "lambda"), "../lambda"}, {"-o", filepath.Join(dir, "lambda-local"), "../lambda-local"}} {
		command := exec.Command("go", append([]string{"build"}, args...)...)
		command.Stderr = os.Stderr
		err = errors.Join(err, command.Run())
	}
	return dir, err
})

// lambda runs the function behind lambda-local until the test ends, and returns the address of Lambda's API.
func (b *bucketful) lambda(t *testing.T, settings ...string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	start := func(command *exec.Cmd) {
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = command.Process.Signal(os.Interrupt)
			_ = command.Wait()
		})
	}
	server := process(t, filepath.Join(dir, "lambda-local"), t.TempDir(), nil, "--runtime", "127.0.0.1:0", "--http", "127.0.0.1:0")
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(server)
	addresses := map[string]string{}
	for decoder := json.NewDecoder(log); len(addresses) < 2; {
		var line struct{ Msg, For, Addr string }
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Msg == "listening" {
			addresses[line.For] = line.Addr
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	env := append(slices.Clone(b.env), "AWS_LAMBDA_RUNTIME_API="+addresses["runtime"], "AWS_LAMBDA_FUNCTION_NAME=s3resizer", "RESIZE_BUCKET_OWNER=any")
	start(process(t, filepath.Join(dir, "lambda"), t.TempDir(), append(env, settings...)))
	return "http://" + addresses["http"]
}

// The function itself, behind Lambda's API as lambda-local has it.
func TestBackfillViaLambda(t *testing.T) {
	b := newBucketful(t)
	keys := []string{"a.jpg", "여행/a b+c.jpg", "z.jpg"}
	for i, key := range keys {
		b.upload(t, key, jpegOf(t, 60+i, 40))
	}
	b.upload(t, "notes.txt", []byte("hello"))
	b.upload(t, "denied.jpg", jpegOf(t, 60, 40))
	b.proxy.Inject(s3fault.Always, s3fault.Writes("large-denied"), s3fault.Error(403, "AccessDenied"))
	b.env = append(b.env, "AWS_ENDPOINT_URL_LAMBDA="+b.lambda(t))
	args := []string{"--via", "lambda", "--function", "s3resizer", "--jobs", "2", "--failures", "failed.csv", "s3://photos"}
	e := b.run(t, args...)
	e.want(t, 1, "1 failed and 0 quarantined")
	wantLine(t, e.stdout, `^ +resized +3 `)
	wantLine(t, e.stdout, `^ +rejected +1 `)
	for _, key := range keys {
		b.wantSet(t, key)
	}
	rows := b.failures(t)
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[1], b[1]) })
	if len(rows) != 3 || !slices.Equal(rows[0][1:5], []string{"failed", "access-denied", "photos", "denied.jpg"}) || !slices.Equal(rows[1][1:5], []string{"rejected", "unsupported", "photos", "notes.txt"}) {
		t.Errorf("%q", rows)
	}
	b.reads()
	b.run(t, args...).want(t, 1)
	if reads := b.reads(); len(reads) != 1 || reads["denied.jpg"] == 0 {
		t.Errorf("the next run read %v", reads)
	}

	t.Run("a function that is somewhere else", func(t *testing.T) {
		b.upload(t, "new.jpg", jpegOf(t, 60, 40))
		b.env = append(slices.Clone(b.env), "AWS_ENDPOINT_URL_LAMBDA="+b.lambda(t, "RESIZE_DEST_BUCKET=thumbs"))
		b.run(t, "--via", "lambda", "--function", "s3resizer", "s3://photos/new").want(t, 1, "1 failed") // there is no such bucket
	})
}
