//go:build localstack

// Package localstack_test deploys the template with the scripts, as they are, into LocalStack, and puts pictures through
// what they have made. test.sh starts LocalStack and runs it.
package localstack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	account = "000000000000"
	region  = "eu-central-1"
	root    = "../.."
	// patience is how long a message or an object may take.
	patience = 5 * time.Minute
)

var (
	buckets *s3.Client
	queues  *sqs.Client
)

func TestMain(m *testing.M) {
	if err := reach(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// reach waits until LocalStack answers, and builds s3wire, so that scripts that run at the same time find it built.
func reach() error {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return errors.New("AWS_ENDPOINT_URL is not set: run test.sh, which starts LocalStack")
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		response, err := http.Get(endpoint + "/_localstack/health")
		if err == nil {
			response.Body.Close()
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("reach LocalStack: %w", err)
		}
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return err
	}
	buckets, queues = s3.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	command := exec.Command("go", "build", "-trimpath", "-o", "bin/s3wire", "./cmd/s3wire")
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build s3wire: %w\n%s", err, out)
	}
	return nil
}

// line is one that a script has printed.
type line struct {
	at   time.Time
	text string
}

// ran is what a script or a command has printed, in all.
type ran []line

func (r ran) String() string {
	var text strings.Builder
	for _, l := range r {
		fmt.Fprintf(&text, "%s %s\n", l.at.Format("15:04:05.000"), l.text)
	}
	return text.String()
}

// when is when the first line with these words was printed.
func (r ran) when(words string) (time.Time, bool) {
	at := slices.IndexFunc(r, func(l line) bool { return strings.Contains(l.text, words) })
	if at < 0 {
		return time.Time{}, false
	}
	return r[at].at, true
}

func (r ran) says(t *testing.T, words ...string) {
	t.Helper()
	for _, each := range words {
		if _, ok := r.when(each); !ok {
			t.Errorf("%q is not said in\n%v", each, r)
		}
	}
}

// run runs a command with nobody at the keyboard.
func run(t *testing.T, environ []string, name string, args ...string) (ran, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), environ...)
	out, in := io.Pipe()
	command.Stdout, command.Stderr = in, in
	var printed ran
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			printed = append(printed, line{time.Now(), lines.Text()})
		}
		_, _ = io.Copy(io.Discard, out)
	})
	err := command.Run()
	in.Close()
	reading.Wait()
	return printed, err
}

// cli is the AWS CLI, whose answer is decoded into answer if that isn't nil.
func cli(t *testing.T, answer any, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "aws", append(args, "--output", "json")...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("aws %v: %v\n%s", args, err, &problems)
	}
	if answer != nil && len(out) > 0 {
		if err := json.Unmarshal(out, answer); err != nil {
			t.Fatalf("aws %v: %v\n%s", args, err, out)
		}
	}
}

// until calls done until it is, and fails with what is missing when patience is at its end.
func until(t *testing.T, missing string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", missing, patience)
		}
	}
}

// queue makes one, and returns its URL and ARN.
func queue(t *testing.T, name string) (url, arn string) {
	t.Helper()
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *made.QueueUrl, fmt.Sprintf("arn:aws:sqs:%s:%s:%s", region, account, name)
}

// ear hears what comes to a queue, and forgets nothing.
type ear struct {
	url   string
	heard []string
}

// hears waits for a message that is what is wanted, be it one of before.
func (e *ear) hears(t *testing.T, what string, wanted func(body string) bool) string {
	t.Helper()
	var found string
	until(t, what, func() bool {
		e.listen(t, 1)
		at := slices.IndexFunc(e.heard, wanted)
		if at >= 0 {
			found = e.heard[at]
		}
		return at >= 0
	})
	return found
}

// listen takes all that is in the queue, and waits for the first message.
func (e *ear) listen(t *testing.T, seconds int32) {
	t.Helper()
	for {
		got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &e.url, MaxNumberOfMessages: 10, WaitTimeSeconds: seconds})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return
		}
		for _, message := range got.Messages {
			e.heard = append(e.heard, *message.Body)
			if _, err := queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &e.url, ReceiptHandle: message.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		seconds = 0
	}
}

// waiting is how many messages are in a queue, seen or not.
func waiting(t *testing.T, url string) int {
	t.Helper()
	got, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
	if err != nil {
		t.Fatal(err)
	}
	var visible, taken int
	_, _ = fmt.Sscan(got.Attributes["ApproximateNumberOfMessages"], &visible)
	_, _ = fmt.Sscan(got.Attributes["ApproximateNumberOfMessagesNotVisible"], &taken)
	return visible + taken
}

// peek returns the message of a queue without taking it, and how often it was taken before.
func peek(t *testing.T, url string) (body string, taken int) {
	t.Helper()
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, WaitTimeSeconds: 5, VisibilityTimeout: 1, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"},
	})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%d messages, %v", len(got.Messages), err)
	}
	_, _ = fmt.Sscan(got.Messages[0].Attributes["ApproximateReceiveCount"], &taken)
	return *got.Messages[0].Body, taken
}

func sameJSON(t *testing.T, one, other string) bool {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(one), &a), json.Unmarshal([]byte(other), &b)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(a, b)
}

func put(t *testing.T, bucket, key string, data []byte) {
	t.Helper()
	if _, err := buckets.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data), ContentType: aws.String("image/jpeg")}); err != nil {
		t.Fatal(err)
	}
}

// get returns an object, and whether it is there.
func get(t *testing.T, bucket, key string) ([]byte, bool) {
	t.Helper()
	got, err := buckets.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, false
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data, true
}

// keys are those of all objects in a bucket.
func keys(t *testing.T, bucket string) (all []string) {
	t.Helper()
	got, err := buckets.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range got.Contents {
		all = append(all, *object.Key)
	}
	return all
}
