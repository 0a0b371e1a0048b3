//go:build localstack

package localstack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// stack is one that deploy.sh makes, updates and destroys, with a source bucket that others listen to as well.
type stack struct {
	name, source, destination string
	trigger                   string
	listened                  bool // whether EventBridge was ever on at the source
	outputs                   map[string]string
	bus                       *ear   // hears all that S3 and Lambda say on the event bus
	told                      *ear   // hears what the stack tells, as ResultsTo says
	others                    string // entries in the source bucket's configuration
	someoneElse               *ear   // hears what they ask for
}

const prefix = "in/"

func newStack(t *testing.T, name string) *stack {
	t.Helper()
	s := &stack{name: name, source: name + "-uploads", destination: name + "-uploads-resized"}
	cli(t, nil, "s3api", "create-bucket", "--bucket", s.source, "--create-bucket-configuration", "LocationConstraint="+region)

	url, arn := queue(t, "others-of-"+name)
	s.someoneElse = &ear{url: url}
	cli(t, nil, "s3api", "put-bucket-notification-configuration", "--bucket", s.source, "--notification-configuration", `{"QueueConfigurations": [{
		"Id": "someone-else", "QueueArn": "`+arn+`", "Events": ["s3:ObjectCreated:*"],
		"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "others/"}]}}}]}`)
	_, s.others = s.notifications(t)

	url, arn = queue(t, "bus-of-"+name)
	s.bus = &ear{url: url}
	cli(t, nil, "events", "put-rule", "--name", "test-"+name, "--event-pattern", `{"source":["lambda","aws.s3"]}`)
	cli(t, nil, "events", "put-targets", "--rule", "test-"+name, "--targets", "Id=test,Arn="+arn)
	return s
}

func (s *stack) environ(more ...string) []string {
	return append([]string{"STACK=" + s.name, "SOURCE_BUCKET=" + s.source, "CONFIRM=yes", "PAUSE=1"}, more...)
}

// deploy makes the stack, or updates it, with these parameters and otherwise those that it has.
func (s *stack) deploy(t *testing.T, parameters ...string) ran {
	t.Helper()
	said, err := run(t, s.environ("PARAMETERS="+strings.Join(parameters, " ")), "../deploy.sh")
	if err != nil {
		t.Fatalf("deploy.sh with %v: %v\n%v", parameters, err, said)
	}
	said.says(t, `"status":"resized"`, "done: uploads to s3://"+s.source)
	s.outputs = s.readOutputs(t)
	switch {
	case strings.HasPrefix(s.outputs["Wiring"], "--queue"):
		s.trigger = "sqs"
	case s.outputs["Wiring"] == "--eventbridge":
		s.trigger = "eventbridge"
	default:
		s.trigger = "direct"
	}
	switch {
	case s.told != nil:
	case s.outputs["ResultsQueueUrl"] != "":
		s.told = &ear{url: s.outputs["ResultsQueueUrl"]}
	case s.outputs["ResultsTopicArn"] != "":
		url, arn := queue(t, "topic-of-"+s.name)
		cli(t, nil, "sns", "subscribe", "--topic-arn", s.outputs["ResultsTopicArn"], "--protocol", "sqs", "--notification-endpoint", arn, "--attributes", "RawMessageDelivery=true")
		s.told = &ear{url: url}
	default:
		s.told = s.bus
	}
	return said
}

// key is one under the prefix. LocalStack puts keys into EventBridge's events percent-encoded (s3/notifications.py, key_name),
// where S3 has them as they are: with that trigger, it has only keys that are the same both ways.
func (s *stack) key(name string) string {
	if s.trigger == "eventbridge" {
		name = strings.NewReplacer(" ", "-", "+", "-", "&", "-").Replace(name)
	}
	return prefix + name
}

func (s *stack) readOutputs(t *testing.T) map[string]string {
	t.Helper()
	var outputs [][2]string
	cli(t, &outputs, "cloudformation", "describe-stacks", "--stack-name", s.name, "--query", "Stacks[0].Outputs[].[OutputKey,OutputValue]")
	all := map[string]string{}
	for _, output := range outputs {
		all[output[0]] = output[1]
	}
	return all
}

// notifications are those of the source bucket: whom the stack's entries tell, as s3wire says it, and everybody else's.
func (s *stack) notifications(t *testing.T) (ours []string, others string) {
	t.Helper()
	got, err := buckets.GetBucketNotificationConfiguration(t.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: &s.source})
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range got.QueueConfigurations {
		if *entry.Id == "someone-else" {
			data, err := json.Marshal(got.QueueConfigurations[i])
			if err != nil {
				t.Fatal(err)
			}
			others += string(data)
		} else {
			ours = append(ours, "--queue "+*entry.QueueArn)
		}
	}
	for _, entry := range got.LambdaFunctionConfigurations {
		ours = append(ours, "--function "+*entry.LambdaFunctionArn)
	}
	if got.EventBridgeConfiguration != nil {
		ours = append(ours, "--eventbridge")
	}
	return ours, others
}

// wired checks that the source bucket tells whom the trigger needs, and everybody else as before. EventBridge, once it is
// on, stays on: others may listen.
func (s *stack) wired(t *testing.T) {
	t.Helper()
	ours, others := s.notifications(t)
	s.listened = s.listened || s.trigger == "eventbridge"
	var want []string
	if s.trigger != "eventbridge" {
		want = append(want, s.outputs["Wiring"])
	}
	if s.listened {
		want = append(want, "--eventbridge")
	}
	if !slices.Equal(ours, want) || others != s.others {
		t.Errorf("%s tells %v and %s, want %v and %s", s.source, ours, others, want, s.others)
	}
}

// photo is a JPEG; different seeds give different bytes.
func photo(t *testing.T, width, height int, seed uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*251/len(img.Pix)) ^ seed
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// result is what is told of an upload, in its record as in its message.
type result struct {
	Status, Class, Reason string
	Source                struct{ Key string }
	Renditions            []struct{ Key string }
}

func recordKey(key string) string { return ".s3resizer/" + key + ".json" }

// record waits for that of an upload.
func (s *stack) record(t *testing.T, key string) (r result) {
	t.Helper()
	until(t, "the record of "+key, func() bool {
		data, ok := get(t, s.destination, recordKey(key))
		if err := json.Unmarshal(data, &r); ok && err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return ok
	})
	return r
}

// resized waits until the upload has its renditions.
func (s *stack) resized(t *testing.T, key string) {
	t.Helper()
	r := s.record(t, key)
	if r.Status != "resized" || len(r.Renditions) != 3 {
		t.Fatalf("%s: %+v", key, r)
	}
	for _, rendition := range r.Renditions {
		data, ok := get(t, s.destination, rendition.Key)
		if _, err := jpeg.DecodeConfig(bytes.NewReader(data)); !ok || err != nil {
			t.Errorf("%s is there: %v, %v", rendition.Key, ok, err)
		}
	}
}

// message is what is told, on the event bus or by its detail alone.
type message struct {
	Kind           string `json:"detail-type"`
	Detail         *message
	RequestContext struct {
		Condition              string
		ApproximateInvokeCount int
	}
	RequestPayload  json.RawMessage
	ResponsePayload struct {
		Results   []result
		ErrorType string
	}
	Object struct{ Key string }
	Bucket struct{ Name string }
}

func decode(body string) (m message) {
	_ = json.Unmarshal([]byte(body), &m) // others may say something else
	if m.Detail != nil {
		kind := m.Kind
		m = *m.Detail
		m.Kind = kind
	}
	return m
}

// tells waits until the result of an upload is told as ResultsTo says, and docs/ready.md describes.
func (s *stack) tells(t *testing.T, key, status string) {
	t.Helper()
	s.told.hears(t, fmt.Sprintf("that %s is %s", key, status), func(body string) bool {
		m := decode(body)
		if s.trigger == "sqs" { // Lambda tells nothing of what a queue invokes; the record's event does
			of, err := url.PathUnescape(m.Object.Key) // see key
			return err == nil && m.Kind == "Object Created" && m.Bucket.Name == s.destination && of == recordKey(key)
		}
		return slices.ContainsFunc(m.ResponsePayload.Results, func(r result) bool { return r.Source.Key == key && r.Status == status })
	})
}

// part is that of a page which begins with these words and ends there.
func part(t *testing.T, file, from, to string) string {
	t.Helper()
	data, err := os.ReadFile(root + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), from)
	part, _, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("%s has no %q … %q", file, from, to)
	}
	return from + part
}

// upload is one of many, and when.
type upload struct {
	key         string
	begun, done time.Time
}

// uploading puts small pictures into the source, one after the other, until it is called off.
func (s *stack) uploading(t *testing.T, folder string) (off func() []upload) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var made []upload
	var working sync.WaitGroup
	working.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			u := upload{key: fmt.Sprintf("%s%s/%03d.jpg", prefix, folder, i), begun: time.Now()}
			put(t, s.source, u.key, photo(t, 64, 48, uint8(i)))
			u.done = time.Now()
			made = append(made, u)
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
	})
	return func() []upload {
		cancel()
		working.Wait()
		return made
	}
}
