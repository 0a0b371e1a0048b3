package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"s3resizer/internal/commandtest"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/report"
	"s3resizer/internal/report/reporttest"
	"s3resizer/internal/runtimeapi"
	"s3resizer/internal/s3fault"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// function is the program under test: what LAMBDA_FUNCTION names, such as testdata/image, which runs the image, or else
// this package, built as it ships.
var function = os.Getenv("LAMBDA_FUNCTION")

func TestMain(m *testing.M) {
	os.Exit(commandtest.Main(m, func(dir string) (err error) {
		if function == "" {
			tags := "lambda.norpc"
			if os.Getenv("HEIC") != "" {
				tags += ",heic"
			}
			function, err = commandtest.Build(dir, "lambda", nil, "-tags", tags)
		}
		return err
	}))
}

// imageEnvironment is what the image sets, of which its Dockerfile says why.
var imageEnvironment = []string{"MALLOC_ARENA_MAX=1", "GLIBC_TUNABLES=glibc.malloc.tcache_max=128"}

// account owns the embedded S3's buckets, and the function.
const account = "123456789012"

// libvips is for the tests' own pictures, once in this process.
var libvips = sync.OnceValue(func() error { return resize.Startup(1) })

func startLibvips(t *testing.T) {
	t.Helper()
	if err := libvips(); err != nil {
		t.Fatal(err)
	}
}

// stage is the function's whole world: an S3, the Runtime API, and the process between them.
type stage struct {
	*s3io.Client
	aws      aws.Config // for an S3 client that can do more
	endpoint string     // of the S3
	api      *runtimeapi.Server
	events   <-chan json.RawMessage
	log      *lines
	environ  []string // that Lambda gives the function
	process  *os.Process
}

// lines collects what the process prints, the last thousand lines of it.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) read(r io.Reader) {
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		l.mu.Lock()
		l.all = append(l.all, scanner.Text())
		l.all = slices.Delete(l.all, 0, max(0, len(l.all)-1000))
		l.mu.Unlock()
	}
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// newStage starts the S3 and then the function with the environment that Lambda gives it, and environ besides.
func newStage(t *testing.T, environ ...string) *stage {
	t.Helper()
	return newStageOf(t, account, environ...)
}

// newStageOf is newStage with a function that belongs to another account.
func newStageOf(t *testing.T, functionAccount string, environ ...string) *stage {
	t.Helper()
	s := emptyStage(t, functionAccount)
	process := s.launch(t, environ...)
	t.Cleanup(func() {
		process.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the function printed:\n%s", s.log.text())
		}
	})
	return s
}

// emptyStage has no process yet.
func emptyStage(t *testing.T, functionAccount string) *stage {
	t.Helper()
	s := &stage{log: &lines{}}
	cfg, events := devtest.StartWithEvents(t, devserver.Options{
		Buckets: []string{"photos", "photos-resized", "orphan"}, Notify: []string{"photos", "orphan"}, Owner: account,
	})
	s.Client, s.aws, s.endpoint, s.events = s3io.New(cfg, s3io.Options{}), cfg, *cfg.BaseEndpoint, events
	t.Cleanup(func() { s.checkReports(t) })
	s.connect(t, functionAccount)
	return s
}

// beside is a stage for another process at the same S3.
func (s *stage) beside(t *testing.T) *stage {
	t.Helper()
	other := *s
	other.log = &lines{}
	other.connect(t, account)
	return &other
}

// connect gives the stage a Runtime API, and the function what it has to know.
func (s *stage) connect(t *testing.T, functionAccount string) {
	t.Helper()
	credentials, err := s.aws.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.api = runtimeapi.New(runtimeapi.Config{FunctionARN: "arn:aws:lambda:us-east-1:" + functionAccount + ":function:s3resizer"})
	web := httptest.NewServer(s.api)
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = s.api.Close() })

	s.environ = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(web.URL, "http://"), "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_ENDPOINT_URL_S3=" + s.endpoint,
	}
}

// process is the function, running.
type process struct {
	*exec.Cmd
	read chan struct{} // closed when all that it printed is read
}

// end ends it with SIGTERM, which `docker run` passes on, or with SIGKILL, which it can't.
func (p *process) end(signal os.Signal) {
	_ = p.Process.Signal(signal)
	<-p.read
	_ = p.Wait()
}

// launch starts the function, with environ besides, and returns when it waits for work.
func (s *stage) launch(t *testing.T, environ ...string) *process {
	t.Helper()
	p := &process{start(append(s.environ[:len(s.environ):len(s.environ)], environ...)), make(chan struct{})}
	output, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = p.Stdout
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = p.Process
	go func() {
		defer close(p.read)
		s.log.read(output)
	}()
	ready, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.api.WaitReady(ready); err != nil {
		p.end(syscall.SIGKILL)
		t.Fatalf("the function does not poll: %v\n%s", err, s.log.text())
	}
	return p
}

// start prepares the function to be run with environ and nothing else, but for what a script in its place needs.
func start(environ []string, args ...string) *exec.Cmd {
	process := exec.Command(function, args...)
	process.Env = environ
	for _, name := range []string{"PATH", "HOME", "DOCKER", "IMAGE", "FILES", "LIBRARIES"} {
		if value, ok := os.LookupEnv(name); ok {
			process.Env = append(process.Env, name+"="+value)
		}
	}
	return process
}

func (s *stage) upload(t *testing.T, bucket, key string, data []byte) json.RawMessage {
	t.Helper()
	if _, err := s.Put(t.Context(), s3io.Upload{Bucket: bucket, Key: key, ContentType: "image/jpeg", Data: data}); err != nil {
		t.Fatal(err)
	}
	return <-s.events
}

// together makes one event of S3's events.
func together(events ...json.RawMessage) json.RawMessage {
	const before, after = `{"Records":[`, `]}`
	var records []string
	for _, event := range events {
		records = append(records, string(event[len(before):len(event)-len(after)]))
	}
	return json.RawMessage(before + strings.Join(records, ",") + after)
}

// invoke gives the function an event and expects a report.
func (s *stage) invoke(t *testing.T, event json.RawMessage) report.Report {
	t.Helper()
	data, err := s.api.Invoke(t.Context(), event, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := reporttest.Check(data); err != nil {
		t.Error(err)
	}
	var answer report.Report
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return answer
}

// refuse gives the function an event and expects an error of the given type, with each of the words in its message.
func (s *stage) refuse(t *testing.T, event json.RawMessage, timeout time.Duration, class string, words ...string) {
	t.Helper()
	answer, err := s.api.Invoke(t.Context(), event, timeout)
	var failure *runtimeapi.FunctionError
	if !errors.As(err, &failure) {
		t.Fatalf("answer %s, error %v; want a function error", answer, err)
	}
	if failure.Type != class {
		t.Errorf("errorType %q, want %q: %s", failure.Type, class, failure.Message)
	}
	for _, word := range words {
		if !strings.Contains(failure.Message, word) {
			t.Errorf("the message does not mention %q: %s", word, failure.Message)
		}
	}
}

func photo(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i >> 8)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestWhatWasMadeOfAnUploadGoesWithIt(t *testing.T) {
	s := newStage(t, "RESIZE_DELETE=on")
	event := s.upload(t, "photos", "여행/a b+c.jpg", photo(t, 500, 400))
	s.invoke(t, event)
	if err := s.Delete(t.Context(), "photos", "여행/a b+c.jpg", ""); err != nil {
		t.Fatal(err)
	}
	answer := s.invoke(t, bytes.ReplaceAll(event, []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete")))
	if r := answer.Results[0]; r.Status != report.Deleted || len(r.Removed) != 4 {
		t.Errorf("%+v", r)
	}
	for _, key := range []string{"small-여행/a b+c.jpg", "medium-여행/a b+c.jpg", "large-여행/a b+c.jpg", ".s3resizer/여행/a b+c.jpg.json"} {
		if _, err := s.Head(t.Context(), "photos-resized", key); s3io.ClassOf(err) != s3io.NotFound {
			t.Errorf("%s is there: %v", key, err)
		}
	}
}

func TestFunction(t *testing.T) {
	s := newStage(t)

	t.Run("one record", func(t *testing.T) {
		answer := s.invoke(t, s.upload(t, "photos", "여행/a b+c.jpg", photo(t, 1600, 1200)))
		if len(answer.Results) != 1 || answer.Results[0].Status != report.Resized || len(answer.Results[0].Renditions) != 3 {
			t.Fatalf("%+v", answer)
		}
		for _, size := range []string{"small", "medium", "large"} {
			if _, err := s.Head(t.Context(), "photos-resized", size+"-여행/a b+c.jpg"); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Head(t.Context(), "photos-resized", ".s3resizer/여행/a b+c.jpg.json"); err != nil {
			t.Error(err)
		}
	})
	t.Run("several records", func(t *testing.T) {
		first, second := s.upload(t, "photos", "1.jpg", photo(t, 500, 400)), s.upload(t, "photos", "2.jpg", []byte("not a picture, by its bytes"))
		answer := s.invoke(t, together(first, second))
		if len(answer.Results) != 2 || answer.Results[0].Status != report.Resized || answer.Results[1].Status != report.Rejected || answer.Results[1].Class != "unsupported" {
			t.Errorf("%+v", answer)
		}
	})
	t.Run("an object that is missing", func(t *testing.T) {
		if answer := s.invoke(t, []byte(`{"bucket":"photos","key":"missing.jpg"}`)); answer.Results[0].Status != report.Gone {
			t.Errorf("%+v", answer)
		}
	})
	t.Run("a destination bucket that is missing", func(t *testing.T) {
		s.refuse(t, s.upload(t, "orphan", "cat.jpg", photo(t, 500, 400)), 30*time.Second, "no-such-bucket", "orphan-resized", "s3://orphan/cat.jpg")
	})
	t.Run("a deadline too short", func(t *testing.T) {
		s.refuse(t, s.upload(t, "photos", "late.jpg", photo(t, 1600, 1200)), 400*time.Millisecond, "deadline", "s3://photos/late.jpg", "written: nothing; missing: small, medium, large")
	})
	t.Run("an event of no known shape", func(t *testing.T) {
		s.refuse(t, []byte(`{"hello":"world"}`), 30*time.Second, "unknown-event", `{"bucket":"…","key":"…"}`)
	})
	t.Run("one JSON line per object, with the request's id", func(t *testing.T) {
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.log.text(), "unknown-event") && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond) // a container's lines come through its engine, after the answer
		}
		seen := map[string]bool{}
		for line := range strings.SplitSeq(s.log.text(), "\n") {
			var entry struct{ Timestamp, Message, Key, RequestID, Class string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Errorf("not JSON: %s", line)
				continue
			}
			if entry.Timestamp == "" || entry.RequestID == "" && entry.Key != "" {
				t.Errorf("no time or no request id: %s", line)
			}
			seen[strings.TrimSpace(entry.Message+" "+entry.Key+" "+entry.Class)] = true
		}
		for _, want := range []string{"resized 여행/a b+c.jpg", "resized 1.jpg", "rejected 2.jpg", "gone missing.jpg", "failed cat.jpg no-such-bucket", "failed late.jpg deadline"} {
			if !seen[want] {
				t.Errorf("no line says %q; there are %v", want, seen)
			}
		}
	})
}

func TestBucketsOfAnotherAccountAreNotTouched(t *testing.T) {
	for name, s := range map[string]*stage{
		"by the settings":       newStage(t, "RESIZE_BUCKET_OWNER=210987654321"),
		"by the function's ARN": newStageOf(t, "210987654321"),
	} {
		t.Run(name, func(t *testing.T) {
			s.refuse(t, s.upload(t, "photos", "cat.jpg", photo(t, 500, 400)), 30*time.Second, "access-denied", "s3://photos/cat.jpg")
			if _, err := s.Head(t.Context(), "photos-resized", "small-cat.jpg"); s3io.ClassOf(err) != s3io.NotFound {
				t.Errorf("a rendition was written: %v", err)
			}
		})
	}
	s := newStageOf(t, "210987654321", "RESIZE_BUCKET_OWNER=any")
	if answer := s.invoke(t, s.upload(t, "photos", "cat.jpg", photo(t, 500, 400))); answer.Results[0].Status != report.Resized {
		t.Errorf("with the check switched off: %+v", answer)
	}
}

func TestUnreachableS3IsAnError(t *testing.T) {
	s := newStage(t, "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=2")
	s.refuse(t, s.upload(t, "photos", "cat.jpg", photo(t, 500, 400)), 30*time.Second, "transient", "s3://photos/cat.jpg", "connection refused")
}

func TestTheTimeLimitIsKeptAndWhatIsMissingIsSaid(t *testing.T) {
	s := emptyStage(t, account)
	slow := s3fault.Start(t, s.endpoint)
	slow.Inject(s3fault.Always, s3fault.Writes("large-"), s3fault.Silence)
	process := s.launch(t, "AWS_ENDPOINT_URL_S3="+slow.URL, "RESIZE_DEADLINE_MARGIN=2s")
	defer process.end(syscall.SIGTERM)
	s.refuse(t, s.upload(t, "photos", "late.jpg", photo(t, 1600, 1200)), 7*time.Second, "deadline",
		"s3://photos/late.jpg", "written: small-late.jpg, medium-late.jpg; missing: large-late.jpg, .s3resizer/late.jpg.json")
}

func TestEveryMistakeInTheSettingsIsNamedBeforeTheFunctionEnds(t *testing.T) {
	output, err := start([]string{"AWS_REGION=us-east-1", "RESIZE_SIZES=wide", "RESIZE_QUALITY=0"}).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	for _, want := range []string{"RESIZE_SIZES", "RESIZE_QUALITY"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("%s is not named:\n%s", want, output)
		}
	}
}

// A control-plane client has no business in a process that starts cold.
func TestTheFunctionCarriesNothingItDoesNotUse(t *testing.T) {
	commandtest.WantNoneOf(t, nil, []string{"-tags", "lambda.norpc"}, []string{
		"service/sqs", "service/lambda", "service/s3control", "service/cloudwatch", "net/rpc", "net/http/httptest", "gofakes3",
		"s3resizer/internal/devserver", "s3resizer/internal/gallery", "s3resizer/internal/runtimeapi", "s3resizer/internal/wire", "s3resizer/bench", "resize/resizetest", "spf13/cobra",
	})
}
