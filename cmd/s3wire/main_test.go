package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/commandtest"
	"s3resizer/internal/wire/wiretest"
)

// binary is the program under test: what S3WIRE names, such as testdata/image, which runs its image, or else s3wire built
// as it ships.
var binary = os.Getenv("S3WIRE")

func TestMain(m *testing.M) {
	os.Exit(commandtest.Main(m, func(dir string) (err error) {
		if binary != "" {
			return nil
		}
		binary, err = commandtest.Build(dir, "s3wire", []string{"CGO_ENABLED=0"}) // it has to do without
		return err
	}))
}

// ended is a process that has.
type ended struct {
	status         int
	stdout, stderr string
}

// s3wire runs the command with an environment of nothing else; what finds Docker is testdata/image's.
func s3wire(t *testing.T, environ []string, args ...string) ended {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append([]string{"HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "DOCKER=" + os.Getenv("DOCKER")}, environ...)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return ended{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want checks the exit status, and what was said on either way.
func (e ended) want(t *testing.T, status int, words ...string) {
	t.Helper()
	if e.status != status {
		t.Errorf("exit status %d, want %d", e.status, status)
	}
	for _, word := range words {
		if !strings.Contains(e.stdout+e.stderr, word) {
			t.Errorf("it does not say %q", word)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", e.stdout, e.stderr)
	}
}

func TestTheWayOfAWiring(t *testing.T) {
	a := wiretest.Start(t, "photos")
	audit, arn, queue := a.Topic("audit"), a.Function("s3resizer"), a.Queue("uploads", "")
	a.Edit("photos", func(c *wiretest.Configuration) {
		c.Topics = []wiretest.Entry{{ID: "audit", Topic: audit, Events: []string{"s3:ObjectRemoved:*"}}}
	})
	before := a.Notifications("photos")
	environ := a.Environ()

	s3wire(t, environ, "show", "s3://photos").want(t, 0, "account "+wiretest.Account, audit+"  s3:ObjectRemoved:*  *  (audit)")
	s3wire(t, environ, "add", "s3://photos", "--function", arn, "--dry-run").want(t, 0, "  + function "+arn, "  + lambda:InvokeFunction for arn:aws:s3:::photos", "Dry run")
	if after := a.Notifications("photos"); !slices.Equal(after, before) {
		t.Fatalf("a dry run leaves %q", after)
	}
	s3wire(t, environ, "add", "s3://photos/in/", "--function", arn, "--suffix", ".jpg", "--suffix", ".png", "--suffix", ".PNG").
		want(t, 0, "in/*.jpg", "in/*.png", "warning: ", "--suffix .JPG", "Done: s3://photos sends to the function "+arn)
	s3wire(t, environ, "add", "s3://photos/logs/", "--queue", queue).want(t, 0, "+ queue ", "Done")
	s3wire(t, environ, "add", "s3://photos", "--eventbridge").want(t, 0, "+ EventBridge")
	s3wire(t, environ, "add", "s3://photos", "--function", arn).want(t, 1, "s3wire: ", "in the way")
	s3wire(t, environ, "add", "s3://photos/other/", "--function", arn, "--delete").want(t, 1, `"audit", somebody else's`, "s3:ObjectRemoved:*")
	if now := a.Notifications("photos"); len(now) != 6 {
		t.Fatalf("there is %q", now)
	}
	s3wire(t, environ, "show", "s3://photos").want(t, 0, "in/*.PNG", "EventBridge, every event", "logs/*")

	s3wire(t, environ, "add", "s3://photos", "--function", arn, "--prefix", "avatars/", "--prefix", "albums/").want(t, 0, "avatars/*", "albums/*", "Done")
	s3wire(t, environ, "add", "s3://photos/in/", "--function", arn, "--prefix", "avatars/").want(t, 2, "s3://photos/in/ has a prefix, and so has --prefix")
	s3wire(t, environ, "remove", "s3://photos", "--function", arn, "--prefix", "albums/").want(t, 0, "  - function "+arn+"  s3:ObjectCreated:*  albums/*", "    function "+arn+"  s3:ObjectCreated:*  avatars/*")
	s3wire(t, environ, "remove", "s3://photos/avatars/", "--function", arn).want(t, 0, "Done")
	s3wire(t, environ, "remove", "s3://photos/in/", "--function", arn).want(t, 0, "  - function ", "  - lambda:InvokeFunction", "Done")
	s3wire(t, environ, "remove", "s3://photos", "--queue", queue, "--disable-eventbridge").want(t, 0, "  - queue ", "  - EventBridge")
	s3wire(t, environ, "remove", "s3://photos", "--disable-eventbridge").want(t, 0, "Nothing to do")
	if after := a.Notifications("photos"); !slices.Equal(after, before) || a.Policy(arn) != "" || a.Policy(queue) != "" {
		t.Errorf("after it all: %q, %q, %q", after, a.Policy(arn), a.Policy(queue))
	}
}

// The region is the ARN's, whatever the environment says.
func TestTheRegionOfTheTargetIsEnough(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn := a.Function("s3resizer")
	environ := slices.DeleteFunc(a.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "AWS_REGION") })
	s3wire(t, append(environ, "AWS_REGION=us-east-1"), "add", "s3://photos", "--function", arn).want(t, 0)
	s3wire(t, environ, "add", "s3://photos", "--function", arn).want(t, 0, "Nothing to do")
	s3wire(t, environ, "show", "s3://photos").want(t, 1, "no AWS region", "AWS_REGION")
}

func TestSomebodyElseWritesWhileTheCommandRuns(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn, topic := a.Function("s3resizer"), a.Topic("audit")
	a.After("s3:PutBucketNotification", func() {
		a.Edit("photos", func(c *wiretest.Configuration) {
			*c = wiretest.Configuration{Topics: []wiretest.Entry{{ID: "theirs", Topic: topic, Events: []string{"s3:ObjectRemoved:*"}}}}
		})
	})
	e := s3wire(t, a.Environ(), "add", "s3://photos", "--function", arn)
	e.want(t, 0, "Done")
	if !strings.Contains(e.stderr, "warning: somebody else") {
		t.Errorf("nothing is said of it: %s", e.stderr)
	}
	if now := a.Notifications("photos"); len(now) != 2 {
		t.Errorf("there is %q", now)
	}
}

func TestFailuresSayWhatToDo(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn := a.Function("s3resizer")
	keyless := slices.DeleteFunc(a.Environ(), func(entry string) bool { return strings.Contains(entry, "KEY") })
	s3wire(t, keyless, "add", "s3://photos", "--function", arn).want(t, 1, "s3wire: no AWS credentials", "AWS_PROFILE")
	s3wire(t, a.Environ(), "add", "s3://photo", "--function", arn).want(t, 1, "NoSuchBucket", "s3://photo")
	s3wire(t, a.Environ(), "add", "s3://photos", "--function", arn, "--bucket-owner", "210987654321").want(t, 1, "--bucket-owner")
	a.Deny("s3:PutBucketNotification")
	s3wire(t, a.Environ(), "add", "s3://photos", "--function", arn).want(t, 1, "allow the caller s3:PutBucketNotification on s3://photos")
	if now := a.Notifications("photos"); len(now) != 0 || a.Policy(arn) != "" {
		t.Errorf("there is %q, %q", now, a.Policy(arn))
	}
}

func TestBadUsageIsNamedAndNothingIsAsked(t *testing.T) {
	const arn = "arn:aws:lambda:eu-central-1:123456789012:function:s3resizer"
	for name, test := range map[string]struct {
		args []string
		word string
	}{
		"no bucket":                        {[]string{"add", "--function", arn}, "want one bucket, s3://bucket"},
		"two buckets":                      {[]string{"show", "s3://photos", "s3://more"}, "not 2"},
		"a name alone":                     {[]string{"show", "photos"}, "s3://bucket"},
		"no bucket's name":                 {[]string{"show", "s3://a"}, "s3://bucket"},
		"no target":                        {[]string{"add", "s3://photos"}, "function queue eventbridge"},
		"two targets":                      {[]string{"add", "s3://photos", "--function", arn, "--eventbridge"}, "none of the others can be"},
		"a script's empty variable":        {[]string{"add", "s3://photos", "--function", ""}, `--function "": want arn:aws:lambda:`},
		"a queue's empty variable":         {[]string{"remove", "s3://photos", "--queue", ""}, `--queue "": want arn:aws:sqs:`},
		"a function as a queue":            {[]string{"add", "s3://photos", "--queue", arn}, "arn:aws:sqs:REGION"},
		"EventBridge with a suffix":        {[]string{"add", "s3://photos", "--eventbridge", "--suffix", ".jpg"}, "none of the others can be"},
		"EventBridge with a prefix":        {[]string{"add", "s3://photos/in/", "--eventbridge"}, "whole bucket"},
		"EventBridge with deletions":       {[]string{"add", "s3://photos", "--eventbridge", "--delete"}, "none of the others can be"},
		"a wildcard":                       {[]string{"add", "s3://photos", "--function", arn, "--suffix", "*.jpg"}, "no wildcards"},
		"a suffix that covers another":     {[]string{"add", "s3://photos", "--function", arn, "--suffix", "jpg", "--suffix", ".jpg"}, "leave the longer one out"},
		"an owner that is no account":      {[]string{"show", "s3://photos", "--bucket-owner", "me"}, "twelve digits"},
		"disable-eventbridge while adding": {[]string{"add", "s3://photos", "--function", arn, "--disable-eventbridge"}, "unknown flag"},
		"an unknown command":               {[]string{"wire", "s3://photos"}, `unknown command "wire"`},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			s3wire(t, a.Environ(), test.args...).want(t, 2, "s3wire: ", test.word)
			if calls := a.Calls(); len(calls) > 0 {
				t.Errorf("called %q", calls)
			}
		})
	}
}

func TestHelpHasExamplesAndExitCodes(t *testing.T) {
	s3wire(t, nil, "--help").want(t, 0, "Exit status: 0", "s3:PutBucketNotification", "lambda:AddPermission", "sqs:SetQueueAttributes")
	for _, command := range []string{"add", "remove", "show"} {
		s3wire(t, nil, command, "--help").want(t, 0, "Examples:", "s3wire "+command+" s3://photos")
	}
	s3wire(t, nil, "version").want(t, 0, "s3wire dev, go1.")
}

func TestItNeedsNeitherPicturesNorObjectsNorCgo(t *testing.T) {
	commandtest.WantNoneOf(t, []string{"CGO_ENABLED=0"}, nil, []string{
		"govips", "gofakes3", "s3resizer/resize", "s3resizer/s3io", "s3resizer/bench", "s3resizer/internal/devserver", "s3resizer/internal/handler",
		"s3resizer/internal/wire/wiretest", "testing", "runtime/cgo",
	})
}
