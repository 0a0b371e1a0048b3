package batchjob_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"s3resizer/internal/batchjob"
)

var job = batchjob.Job{
	Region: "eu-central-1", Function: "arn:aws:lambda:eu-central-1:123456789012:function:s3resizer:live", Role: "arn:aws:iam::123456789012:role/batch",
	Bucket: "jobs", Manifest: "backfill/manifest.csv", ETag: "0f343b0931126a20f133d67c2b018a3b", Reports: "backfill/report", Priority: 7, Confirmation: true,
	Description: "s3://photos's backfill",
}

// request is a CreateJob as the API reference has it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
type request struct {
	XMLName              xml.Name `xml:"http://awss3control.amazonaws.com/doc/2018-08-20/ CreateJobRequest" json:"-"`
	ConfirmationRequired bool
	Operation            struct {
		LambdaInvoke struct{ FunctionArn, InvocationSchemaVersion string }
	}
	Report struct {
		Bucket, Format, Prefix, ReportScope string
		Enabled                             bool
	}
	ClientRequestToken string
	Manifest           struct {
		Spec struct {
			Format string
			Fields []string `xml:"Fields>member"`
		}
		Location struct{ ObjectArn, ETag string }
	}
	Description string
	Priority    int
	RoleArn     string
	Unknown     []struct{ XMLName xml.Name } `xml:",any" json:"-"`
}

var wanted = func() (r request) {
	r.ConfirmationRequired, r.Priority, r.RoleArn, r.Description = true, 7, job.Role, job.Description
	r.Operation.LambdaInvoke.FunctionArn, r.Operation.LambdaInvoke.InvocationSchemaVersion = job.Function, "2.0"
	r.Report.Bucket, r.Report.Format, r.Report.Prefix, r.Report.ReportScope, r.Report.Enabled = "arn:aws:s3:::jobs", "Report_CSV_20180820", "backfill/report", "FailedTasksOnly", true
	r.Manifest.Spec.Format, r.Manifest.Spec.Fields = "S3BatchOperations_CSV_20180820", []string{"Bucket", "Key"}
	r.Manifest.Location.ObjectArn, r.Manifest.Location.ETag = "arn:aws:s3:::jobs/backfill/manifest.csv", job.ETag
	return r
}()

// s3control is a stand-in for S3 Control; what it is asked for goes into got.
func s3control(t *testing.T, got *request, answer func(http.ResponseWriter)) aws.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v20180820/jobs" || r.Host != "123456789012.s3-control.eu-central-1.amazonaws.com" ||
			r.Header.Get("x-amz-account-id") != "123456789012" || !strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/s3/aws4_request") {
			t.Errorf("%s %s%s %v", r.Method, r.Host, r.URL, r.Header)
		}
		if err := xml.Unmarshal(body, got); err != nil || len(got.Unknown) > 0 {
			t.Errorf("%v %v: %s", err, got.Unknown, body)
		}
		answer(w)
	}))
	t.Cleanup(server.Close)
	return aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), HTTPClient: to(server.URL)}
}

// to sends every request there, whatever its address.
type to string

func (t to) Do(r *http.Request) (*http.Response, error) {
	there, err := url.Parse(string(t))
	if err != nil {
		return nil, err
	}
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, there.Scheme, there.Host
	return http.DefaultClient.Do(r)
}

func created(w http.ResponseWriter) {
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><CreateJobResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><JobId>00e123a4</JobId></CreateJobResult>`)
}

func TestTheJobIsCreatedAsTheReferenceSays(t *testing.T) {
	var got, again request
	id, err := job.Create(t.Context(), s3control(t, &got, created))
	if err != nil || id != "00e123a4" {
		t.Fatal(id, err)
	}
	token := got.ClientRequestToken
	got.XMLName, got.ClientRequestToken = xml.Name{}, ""
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("got\n%+v\nwant\n%+v", got, wanted)
	}
	if _, err := job.Create(t.Context(), s3control(t, &again, created)); err != nil || again.ClientRequestToken != token || len(token) == 0 || len(token) > 64 {
		t.Errorf("the same job has the tokens %q and %q; %v", token, again.ClientRequestToken, err)
	}
	other := job
	other.ETag = "1" + job.ETag[1:]
	if _, err := other.Create(t.Context(), s3control(t, &again, created)); err != nil || again.ClientRequestToken == token {
		t.Errorf("another job has the same token; %v", err)
	}
}

// The command is run by a shell, with a function in the place of the AWS CLI.
func TestTheCommandSaysWhatTheRequestSays(t *testing.T) {
	for _, confirmation := range []bool{true, false} {
		job := job
		job.Confirmation = confirmation
		var sent request
		if _, err := job.Create(t.Context(), s3control(t, &sent, created)); err != nil {
			t.Fatal(err)
		}
		sent.XMLName = xml.Name{}
		out, err := exec.Command("bash", "-c", `aws() { printf '%s\0' "$@"; }; `+job.Command()).Output()
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		if len(words) < 3 || words[0] != "s3control" || words[1] != "create-job" {
			t.Fatalf("%q", words)
		}
		var said request
		var region, account string
		strict := func(text string, into any) {
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(into); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		}
		for words = words[2:]; len(words) > 0; words = words[1:] {
			switch words[0] {
			case "--confirmation-required":
				said.ConfirmationRequired = true
				continue
			case "--no-confirmation-required":
				said.ConfirmationRequired = false
				continue
			case "--region":
				region = words[1]
			case "--account-id":
				account = words[1]
			case "--role-arn":
				said.RoleArn = words[1]
			case "--operation":
				strict(words[1], &said.Operation)
			case "--manifest":
				strict(words[1], &said.Manifest)
			case "--report":
				strict(words[1], &said.Report)
			case "--priority":
				said.Priority, _ = strconv.Atoi(words[1])
			case "--description":
				said.Description = words[1]
			case "--client-request-token":
				said.ClientRequestToken = words[1]
			default:
				t.Fatalf("%q", words)
			}
			words = words[1:]
		}
		if !reflect.DeepEqual(said, sent) || region != "eu-central-1" || account != "123456789012" {
			t.Errorf("the command says\n%+v\nthe request\n%+v", said, sent)
		}
	}
}

func TestWhoMayNotCreateJobsIsToldWhatToAllow(t *testing.T) {
	var got request
	_, err := job.Create(t.Context(), s3control(t, &got, func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
	}))
	if err == nil || !strings.Contains(err.Error(), "s3:CreateJob, and iam:PassRole on "+job.Role) {
		t.Error(err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	if err := job.Check(); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		change func(*batchjob.Job)
		says   string
	}{
		"a function's name":            {func(j *batchjob.Job) { j.Function = "s3resizer" }, `the function "s3resizer": want its ARN`},
		"a function somewhere else":    {func(j *batchjob.Job) { j.Region = "us-east-1" }, "is in eu-central-1, and the job would be in us-east-1"},
		"a user in the role's place":   {func(j *batchjob.Job) { j.Role = "arn:aws:iam::123456789012:user/me" }, "user/me"},
		"a priority that is none":      {func(j *batchjob.Job) { j.Priority = -1 }, "the priority -1"},
		"a role that is no ARN at all": {func(j *batchjob.Job) { j.Role = "batch" }, `the role "batch"`},
	} {
		t.Run(name, func(t *testing.T) {
			job := job
			test.change(&job)
			if err := job.Check(); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Error(err)
			}
		})
	}
}

// What S3 makes of a line is what the handler is given, percent-encoded or as in a form.
func TestLinesOfAManifest(t *testing.T) {
	for _, key := range []string{"a.jpg", "a b.jpg", "a+b.jpg", "a,b\".jpg", "여행/제주 바다.jpg", "a%2Bb", "a\nb", "../~a"} {
		line := batchjob.Line("photos", key)
		bucket, encoded, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ",")
		form, err1 := url.QueryUnescape(encoded)
		percent, err2 := url.PathUnescape(encoded)
		if err := errors.Join(err1, err2); err != nil || bucket != "photos" || form != key || percent != key || strings.ContainsAny(encoded, ",\"\n ") {
			t.Errorf("%q: %q, %v", key, line, err)
		}
	}
}

func TestTheRoleNeedsWhatTheJobDoes(t *testing.T) {
	for _, action := range []string{`"s3:GetObject","Resource":"arn:aws:s3:::jobs/backfill/manifest.csv"`, `"s3:PutObject","Resource":"arn:aws:s3:::jobs/backfill/report/*"`, `"lambda:InvokeFunction","Resource":"` + job.Function + `"`} {
		if !strings.Contains(job.Permissions(), action) {
			t.Errorf("%s does not allow %s", job.Permissions(), action)
		}
	}
	if !json.Valid([]byte(job.Permissions())) || !json.Valid([]byte(job.Trust())) || !strings.Contains(job.Trust(), "batchoperations.s3.amazonaws.com") {
		t.Errorf("%s, %s", job.Trust(), job.Permissions())
	}
}
