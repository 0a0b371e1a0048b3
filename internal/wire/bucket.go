package wire

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// bucket is a bucket's notification configuration in S3.
type bucket struct {
	client   *s3.Client
	name     string
	url      string // s3://name
	owner    string
	patience time.Duration
}

func newBucket(cfg aws.Config, name, owner string, patience time.Duration) bucket {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
	return bucket{client, name, "s3://" + name, owner, patience}
}

func (b bucket) read(ctx context.Context) (configuration, error) {
	const doing = "read the notification configuration of"
	var body []byte
	out, err := b.client.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner}, keepBody(&body))
	if err != nil {
		return configuration{}, explain(err, doing, "s3:GetBucketNotification", b.url)
	}
	if err := allKnown(body); err != nil {
		return configuration{}, fmt.Errorf("%s %s: %w", doing, b.url, err)
	}
	c := configuration{eventBridge: out.EventBridgeConfiguration != nil}
	for _, f := range out.LambdaFunctionConfigurations {
		c.entries = append(c.entries, fromS3(function, f.Id, f.LambdaFunctionArn, f.Events, f.Filter))
	}
	for _, q := range out.QueueConfigurations {
		c.entries = append(c.entries, fromS3(queue, q.Id, q.QueueArn, q.Events, q.Filter))
	}
	for _, t := range out.TopicConfigurations {
		c.entries = append(c.entries, fromS3(topic, t.Id, t.TopicArn, t.Events, t.Filter))
	}
	return c, nil
}

// known is every element of a configuration that is kept when it is written back.
var known = strings.Fields(`NotificationConfiguration CloudFunctionConfiguration CloudFunction QueueConfiguration Queue
	TopicConfiguration Topic EventBridgeConfiguration Id Event Filter S3Key FilterRule Name Value`)

// allKnown refuses a configuration with an element from after this program's time: the SDK leaves it out, and written
// back without it somebody's entry would be lost.
func allKnown(body []byte) error {
	for decoder := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if element, ok := token.(xml.StartElement); ok && !slices.Contains(known, element.Name.Local) {
			return fmt.Errorf("it has a <%s>, which this version does not know and would lose: change it by another way, or take a newer version", element.Name.Local)
		}
	}
}

func fromS3(k kind, id, arn *string, events []types.Event, filter *types.NotificationConfigurationFilter) entry {
	e := entry{id: aws.ToString(id), kind: k, arn: aws.ToString(arn)}
	for _, event := range events {
		e.events = append(e.events, string(event))
	}
	slices.Sort(e.events)
	if filter == nil || filter.Key == nil {
		return e
	}
	for _, rule := range filter.Key.FilterRules {
		switch strings.ToLower(string(rule.Name)) { // S3 answers Prefix to who wrote prefix
		case "prefix":
			e.prefix = aws.ToString(rule.Value)
		case "suffix":
			e.suffix = aws.ToString(rule.Value)
		}
	}
	return e
}

// write replaces the whole configuration: S3 has nothing smaller. With validate, S3 tries every target first.
func (b bucket) write(ctx context.Context, c configuration, validate bool) error {
	var skip *bool
	if !validate {
		skip = aws.Bool(true)
	}
	var body []byte
	_, err := b.client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &b.name, ExpectedBucketOwner: &b.owner, SkipDestinationValidation: skip, NotificationConfiguration: toS3(c),
	}, keepBody(&body))
	if refused := refusedTargets(body); err != nil && len(refused) > 0 {
		return &targetError{refused, err}
	}
	return explain(err, "write the notification configuration of", "s3:PutBucketNotification", b.url)
}

func toS3(c configuration) *types.NotificationConfiguration {
	out := &types.NotificationConfiguration{}
	if c.eventBridge {
		out.EventBridgeConfiguration = &types.EventBridgeConfiguration{}
	}
	for _, e := range c.entries {
		var events []types.Event
		for _, event := range e.events {
			events = append(events, types.Event(event))
		}
		id, arn := aws.String(e.id), aws.String(e.arn)
		switch e.kind {
		case function:
			out.LambdaFunctionConfigurations = append(out.LambdaFunctionConfigurations, types.LambdaFunctionConfiguration{Id: id, LambdaFunctionArn: arn, Events: events, Filter: filterOf(e)})
		case queue:
			out.QueueConfigurations = append(out.QueueConfigurations, types.QueueConfiguration{Id: id, QueueArn: arn, Events: events, Filter: filterOf(e)})
		case topic:
			out.TopicConfigurations = append(out.TopicConfigurations, types.TopicConfiguration{Id: id, TopicArn: arn, Events: events, Filter: filterOf(e)})
		}
	}
	return out
}

func filterOf(e entry) *types.NotificationConfigurationFilter {
	var rules []types.FilterRule
	if e.prefix != "" {
		rules = append(rules, types.FilterRule{Name: types.FilterRuleNamePrefix, Value: aws.String(e.prefix)})
	}
	if e.suffix != "" {
		rules = append(rules, types.FilterRule{Name: types.FilterRuleNameSuffix, Value: aws.String(e.suffix)})
	}
	if rules == nil {
		return nil
	}
	return &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: rules}}
}

// readBack reads until S3 shows another configuration than the one before: what was written or, if somebody else wrote
// too, theirs. S3 may show the old one for a while after a write.
func (b bucket) readBack(ctx context.Context, before configuration) (configuration, error) {
	var found configuration
	for range tries(ctx, b.patience) {
		var err error
		if found, err = b.read(ctx); err != nil || !found.equal(before) {
			return found, err
		}
	}
	return found, ctx.Err()
}

// targetError is S3's refusal of targets that it tried, ours or others'.
type targetError struct {
	reasons map[string]string // by ARN
	error
}

func (e *targetError) Unwrap() error { return e.error }

// refusedTargets reads S3's reasons by target out of its error, which the SDK leaves there:
// <ArgumentName1>ARN, null</ArgumentName1><ArgumentValue1>reason</ArgumentValue1>, and so on.
func refusedTargets(body []byte) map[string]string {
	var answer struct {
		Elements []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if xml.Unmarshal(body, &answer) != nil {
		return nil
	}
	names, reasons := map[string]string{}, map[string]string{}
	for _, element := range answer.Elements {
		if number, ok := strings.CutPrefix(element.XMLName.Local, "ArgumentName"); ok {
			names[number], _, _ = strings.Cut(element.Text, ",")
		}
		if number, ok := strings.CutPrefix(element.XMLName.Local, "ArgumentValue"); ok {
			reasons[number] = element.Text
		}
	}
	refused := map[string]string{}
	for number, name := range names {
		if strings.HasPrefix(name, "arn:") {
			refused[name] = reasons[number]
		}
	}
	return refused
}

// keepBody keeps what S3 answered beside what the SDK reads of it.
func keepBody(body *[]byte) func(*s3.Options) {
	keep := middleware.DeserializeMiddlewareFunc("KeepBody", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil {
			*body, err = io.ReadAll(response.Body)
			err = errors.Join(err, response.Body.Close())
			response.Body = io.NopCloser(bytes.NewReader(*body))
		}
		return out, metadata, err
	})
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Deserialize.Insert(keep, "OperationDeserializer", middleware.After)
	})
}

// tries is when to try: at once, and after pauses, longer and longer, until patience is over or ctx.
func tries(ctx context.Context, patience time.Duration) iter.Seq[int] {
	return func(yield func(int) bool) {
		pause := 250 * time.Millisecond
		for n := 1; yield(n) && patience > 0; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(min(pause, patience)):
			}
			patience -= pause
			pause = min(2*pause, 5*time.Second)
		}
	}
}
