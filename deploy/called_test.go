package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/jpeg"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// need is a right: an action, and the resource that it is wanted on.
type need struct{ action, resource string }

// operations are the S3 operations that the function may call: what each takes of its input, and what rights it wants, on
// the object and on its bucket. An input with more, such as a version or an ACL, would want more.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var operations = map[string]struct {
	input          string
	object, bucket []string
}{
	// Who may not list a bucket is told of a missing object that access is denied.
	"GetObject":        {"Bucket Key ExpectedBucketOwner IfMatch Range ChecksumMode", []string{"s3:GetObject"}, []string{"s3:ListBucket"}},
	"HeadObject":       {"Bucket Key ExpectedBucketOwner", []string{"s3:GetObject"}, []string{"s3:ListBucket"}},
	"PutObject":        {"Bucket Key ExpectedBucketOwner Body ContentLength ContentType CacheControl Metadata Tagging ChecksumAlgorithm IfMatch IfNoneMatch", []string{"s3:PutObject"}, nil},
	"GetObjectTagging": {"Bucket Key ExpectedBucketOwner", []string{"s3:GetObjectTagging"}, []string{"s3:ListBucket"}},
	// Who compares an ETag has to be allowed to see it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
	"DeleteObject": {"Bucket Key ExpectedBucketOwner IfMatch", []string{"s3:DeleteObject", "s3:GetObject"}, nil},
}

// calls records what is called, and what rights that wants.
type calls struct {
	t          *testing.T
	mu         sync.Mutex
	operations map[string]bool
	needs      map[need]bool
}

// record is part of the SDK's own stack: no call goes around it.
func (c *calls) record(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("record", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		name := middleware.GetOperationName(ctx)
		operation, known := operations[name]
		if !known {
			c.t.Errorf("%s is called, for which the role has no right", name)
		}
		input := reflect.ValueOf(in.Parameters).Elem()
		for i := range input.NumField() {
			if field := input.Type().Field(i).Name; !input.Field(i).IsZero() && !slices.Contains(strings.Fields(operation.input), field) {
				c.t.Errorf("%s with %s, which may want another right", name, field)
			}
		}
		text := func(field string) string { return aws.ToString(input.FieldByName(field).Interface().(*string)) }
		if owner := text("ExpectedBucketOwner"); owner != account {
			c.t.Errorf("%s of a bucket of %q", name, owner)
		}
		bucket := "arn:aws:s3:::" + text("Bucket")
		for _, action := range operation.object {
			c.needs[need{action, bucket + "/" + text("Key")}] = true
		}
		for _, action := range operation.bucket {
			c.needs[need{action, bucket}] = true
		}
		if tags := input.FieldByName("Tagging"); tags.IsValid() && !tags.IsZero() {
			c.needs[need{"s3:PutObjectTagging", bucket + "/" + text("Key")}] = true
		}
		c.operations[name] = true
		return next.HandleInitialize(ctx, in)
	}), middleware.Before)
}

// called runs the function's own handler, with the environment of the stack, on what may happen to an upload, each event
// in the shape that the stack's trigger gives it.
func (s *stack) called(t *testing.T, trigger string) *calls {
	t.Helper()
	started.Do(func() { startErr = resize.Startup(1) })
	if startErr != nil {
		t.Fatal(startErr)
	}
	c := &calls{t: t, operations: map[string]bool{}, needs: map[need]bool{}}
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{source, destination}, Notify: []string{source}, Owner: account})
	uploader := s3io.New(cfg, s3io.Options{})
	cfg.APIOptions = append(cfg.APIOptions, c.record)
	settings, err := config.Load(s.environment())
	if err != nil {
		t.Fatal(err)
	}
	owner := func(context.Context) (string, error) { return settings.BucketOwner, nil }
	h := handler.New(s3io.New(cfg, s3io.Options{ExpectedOwner: owner}), settings, slog.New(slog.DiscardHandler))

	upload := func(key string, data []byte) json.RawMessage {
		t.Helper()
		if _, err := uploader.Put(t.Context(), s3io.Upload{Bucket: source, Key: key, ContentType: "image/jpeg", CacheControl: "max-age=5", Tags: "by=us", Data: data}); err != nil {
			t.Fatal(err)
		}
		return <-events
	}
	handle := func(event json.RawMessage, want report.Status) {
		t.Helper()
		answer, err := h.Handle(t.Context(), inShapeOf(t, trigger, event))
		if err != nil || len(answer.Results) != 1 || answer.Results[0].Status != want {
			t.Fatalf("%+v, %v; want it %s", answer, err, want)
		}
	}
	const cat, gone = "holiday/cat.jpg", "holiday/gone.jpg"
	first := upload(cat, photo(t, 1))
	handle(first, report.Resized)
	second := upload(cat, photo(t, 2))
	handle(second, report.Resized)
	handle(first, report.Superseded)
	handle(upload(cat, []byte("no picture")), report.Rejected)
	handle(upload("holiday/large.bin", bytes.Repeat([]byte("no picture"), 1<<20)), report.Rejected)
	handle(bytes.ReplaceAll(first, []byte("cat.jpg"), []byte("gone.jpg")), report.Gone)
	for _, key := range []string{"small-" + cat, ".s3resizer/" + cat + ".json"} {
		if !c.needs[need{"s3:PutObject", "arn:aws:s3:::" + destination + "/" + key}] || !c.needs[need{"s3:GetObject", "arn:aws:s3:::" + destination + "/" + key}] {
			t.Errorf("%s is not both written and looked at: the runs show too little", key)
		}
	}
	if !c.needs[need{"s3:GetObject", "arn:aws:s3:::" + source + "/" + gone}] {
		t.Error("nothing was looked for in vain")
	}
	if err := uploader.Delete(t.Context(), source, cat, ""); err != nil {
		t.Fatal(err)
	}
	if settings.Delete {
		handle(bytes.ReplaceAll(first, []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete")), report.Deleted)
	} else {
		handle(second, report.Gone)
	}
	if _, err := uploader.Head(t.Context(), destination, "small-"+cat); (s3io.ClassOf(err) == s3io.NotFound) != settings.Delete {
		t.Errorf("of a deleted upload, there is %v", err)
	}
	return c
}

var (
	started  sync.Once
	startErr error
)

func photo(t *testing.T, shade uint8) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i) * shade
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, picture, nil); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// inShapeOf gives S3's own event the shape in which a trigger hands it to the function.
func inShapeOf(t *testing.T, trigger string, event json.RawMessage) json.RawMessage {
	t.Helper()
	var e struct {
		Records []struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key, ETag string }
			}
		}
	}
	if err := json.Unmarshal(event, &e); err != nil || len(e.Records) != 1 {
		t.Fatalf("%s: %v", event, err)
	}
	var shaped any = event
	kind := map[bool]string{true: "Object Deleted", false: "Object Created"}[bytes.Contains(event, []byte("ObjectRemoved:"))]
	switch object := e.Records[0].S3; trigger {
	case "eventbridge":
		shaped = map[string]any{"source": "aws.s3", "detail-type": kind, "detail": map[string]any{
			"bucket": map[string]any{"name": object.Bucket.Name}, "object": map[string]any{"key": object.Object.Key, "etag": object.Object.ETag},
		}}
	case "sqs":
		shaped = map[string]any{"Records": []any{map[string]any{"eventSource": "aws:sqs", "messageId": "m", "body": string(event)}}}
	}
	data, err := json.Marshal(shaped)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// onBehalf is what Lambda calls in the role's name, for what the stack asks of it.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (s *stack) onBehalf() map[need]bool {
	needs := map[need]bool{}
	log := "arn:aws:logs:" + region + ":" + account + ":log-group:" + dig(s.properties("Function"), "LoggingConfig", "LogGroup").(string) + ":log-stream:2026/11/23/[$LATEST]0"
	needs[need{"logs:CreateLogStream", log}], needs[need{"logs:PutLogEvents", log}] = true, true
	for _, id := range s.ofType("AWS::Lambda::EventInvokeConfig") {
		for _, to := range dig(s.properties(id), "DestinationConfig").(map[string]any) {
			arn := dig(to, "Destination").(string)
			action := map[string]string{"sqs": "sqs:SendMessage", "sns": "sns:Publish", "events": "events:PutEvents"}[strings.Split(arn, ":")[2]]
			needs[need{action, arn}] = true
			if key := s.keyOfTopic(arn); key != "" {
				needs[need{"kms:Decrypt", key}], needs[need{"kms:GenerateDataKey", key}] = true, true
			}
		}
	}
	for _, id := range s.ofType("AWS::Lambda::EventSourceMapping") {
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			needs[need{action, s.properties(id)["EventSourceArn"].(string)}] = true
		}
	}
	return needs
}

// What the runs above did not come by, they could not show. So this looks at the source of all that the function is made
// of: nothing but s3io speaks to a service of AWS, and s3io calls no other operations than those above.
func TestNoOtherOperationIsCalled(t *testing.T) {
	command := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "-f", "{{.ImportPath}} {{.Dir}} {{join .Imports \",\"}}", "s3resizer/cmd/lambda")
	packages, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	called, looked := map[string]bool{}, 0
	for line := range strings.Lines(string(packages)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		dir, imports, _ := strings.Cut(rest, " ")
		if !strings.HasPrefix(path, "s3resizer/") {
			continue
		}
		looked++
		for name := range strings.SplitSeq(imports, ",") {
			if strings.HasPrefix(name, services) && (path != "s3resizer/s3io" || name != services+"s3" && name != services+"s3/types") {
				t.Errorf("%s imports %s", path, name)
			}
		}
		if path == "s3resizer/s3io" {
			operationsIn(t, dir, called)
		}
	}
	if looked < 5 {
		t.Errorf("%d packages looked at", looked)
	}
	// Of s3io, the function has what its handler asks for; whole buckets are listed by others.
	if _, lists := reflect.TypeFor[handler.Store]().MethodByName("List"); !lists {
		delete(called, "ListObjectsV2")
	}
	if want := slices.Sorted(maps.Keys(operations)); !slices.Equal(slices.Sorted(maps.Keys(called)), want) {
		t.Errorf("calls of %v, want %v", slices.Sorted(maps.Keys(called)), want)
	}
}

// operationsIn finds the S3 client's methods, and what else makes calls of one, in the files of a package.
func operationsIn(t *testing.T, dir string, called map[string]bool) {
	t.Helper()
	client := reflect.TypeFor[*s3.Client]()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if _, method := client.MethodByName(selector.Sel.Name); method && selector.Sel.Name != "Options" {
				called[selector.Sel.Name] = true
			}
			// s3.NewPresignClient, s3.NewListObjectsV2Paginator, s3.NewBucketExistsWaiter … call operations by themselves.
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == "s3" && strings.HasPrefix(selector.Sel.Name, "New") && selector.Sel.Name != "NewFromConfig" {
				called["s3."+selector.Sel.Name] = true
			}
			return true
		})
	}
}

func TestMain(m *testing.M) {
	// What the machine is set up with is nobody's business here.
	for _, name := range []string{"AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
