package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"s3resizer/internal/runtimeapi"
)

const (
	// MaxBatch is how many messages SQS gives at once.
	MaxBatch = 10

	longPoll     = 20 * time.Second // the longest that SQS allows
	callTimeout  = 15 * time.Second // of every call, retries included, beyond the long poll
	firstPause   = time.Second      // after a call that failed; doubles
	longestPause = 30 * time.Second

	// leastVisibility replaces a queue's visibility timeout that is too short to be extended in time.
	leastVisibility = 2 * time.Second
)

// SQS polls a queue and gives its messages to the function in batches, as Lambda's event source
// mapping does with ReportBatchItemFailures switched on. What succeeded is deleted. What failed
// stays as it is until the queue's visibility timeout ends; how often it comes again, and where it
// goes then, is the queue's redrive policy.
//
// Messages are received while runtimes are idle, and no more than those can start. From then until
// the function has answered, their visibility timeout is extended again and again.
type SQS struct {
	client    *sqs.Client
	url       string
	batchSize int
	function  Function
	log       *slog.Logger
}

// NewSQS returns a poller of the queue with the given URL, for batches of at most batchSize
// messages. Unless the SDK's own settings name an endpoint, it is the URL's.
func NewSQS(cfg aws.Config, queueURL string, batchSize int, function Function, log *slog.Logger) (*SQS, error) {
	u, err := url.Parse(queueURL)
	if err != nil {
		return nil, fmt.Errorf("queue URL: %w", err)
	}
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if o.BaseEndpoint == nil {
			o.BaseEndpoint = aws.String(u.Scheme + "://" + u.Host)
		}
	})
	return &SQS{client, queueURL, batchSize, function, log.With("queue", queueURL)}, nil
}

// source is what SQS says of the queue.
type source struct {
	arn        string
	region     string
	visibility time.Duration
}

// Run polls until ctx ends, and then returns when all that was received has been answered, or
// handed back. A queue that is not there yet, and whatever else goes wrong, is logged and tried again.
func (q *SQS) Run(ctx context.Context) {
	var batches sync.WaitGroup
	defer batches.Wait()
	wait := firstPause
	var from *source
	for ctx.Err() == nil {
		var err error
		if from == nil {
			from, err = q.describe(ctx)
		} else {
			err = q.poll(ctx, *from, &batches)
		}
		switch {
		case errors.Is(err, runtimeapi.ErrClosed) || ctx.Err() != nil:
			return
		case err == nil:
			wait = firstPause
			continue
		}
		if missing := (*types.QueueDoesNotExist)(nil); errors.As(err, &missing) {
			q.log.WarnContext(ctx, "the queue does not exist (yet)", "retryIn", wait.String())
			from = nil
		} else {
			q.log.ErrorContext(ctx, "SQS fails", "error", err.Error(), "retryIn", wait.String())
		}
		pause(ctx, wait)
		wait = min(2*wait, longestPause)
	}
}

func (q *SQS) describe(ctx context.Context) (*source, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	names := []types.QueueAttributeName{types.QueueAttributeNameQueueArn, types.QueueAttributeNameVisibilityTimeout}
	answer, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		return nil, err
	}
	name := answer.Attributes[string(types.QueueAttributeNameQueueArn)]
	parsed, err := arn.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("the queue's ARN %q: %w", name, err)
	}
	timeout := answer.Attributes[string(types.QueueAttributeNameVisibilityTimeout)]
	seconds, err := strconv.Atoi(timeout)
	if err != nil {
		return nil, fmt.Errorf("the queue's visibility timeout: %w", err)
	}
	q.log.InfoContext(ctx, "polling", "visibilityTimeout", seconds)
	return &source{arn: name, region: parsed.Region, visibility: max(time.Duration(seconds)*time.Second, leastVisibility)}, nil
}

// poll receives as many messages as can be started now, if any come soon, and starts them.
func (q *SQS) poll(ctx context.Context, from source, batches *sync.WaitGroup) error {
	idle, err := q.function.WaitIdle(ctx)
	if err != nil {
		return err
	}
	messages, err := q.receive(ctx, from, min(idle*q.batchSize, MaxBatch))
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(messages, q.batchSize) {
		keep := q.keepInvisible(from, batch)
		// Started here, not in the goroutine: the next poll has to see one runtime less.
		wait := q.function.Start(Invocation{Source: "sqs", Event: *batch[0].MessageId, Attempt: receiveCount(batch[0]), Payload: batchEvent(batch, from)})
		batches.Go(func() {
			answer, err := wait()
			keep()
			q.settle(batch, answer, err)
		})
	}
	return nil
}

func (q *SQS) receive(ctx context.Context, from source, number int) ([]types.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, longPoll+callTimeout)
	defer cancel()
	answer, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.url,
		MaxNumberOfMessages:         int32(number),
		WaitTimeSeconds:             int32(longPoll / time.Second),
		VisibilityTimeout:           int32(from.visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, err
	}
	return answer.Messages, nil
}

// settle deletes what the function has done with, and leaves what it has failed at.
func (q *SQS) settle(batch []types.Message, answer []byte, err error) {
	if errors.Is(err, runtimeapi.ErrClosed) {
		q.changeVisibility(context.Background(), batch, 0)
		return
	}
	if err != nil {
		return // it was logged with the invocation; the messages come again
	}
	failed, err := batchFailures(answer, batch)
	if err != nil {
		q.log.Warn("the function's answer is no batch response; the whole batch counts as failed", "error", err.Error())
		return
	}
	done := slices.DeleteFunc(slices.Clone(batch), func(m types.Message) bool { return failed[*m.MessageId] })
	if len(done) < len(batch) {
		q.log.Warn("the function has failed at messages of a batch", "failed", len(batch)-len(done), "of", len(batch))
	}
	if len(done) > 0 {
		q.remove(done)
	}
}

func (q *SQS) remove(messages []types.Message) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	entries := make([]types.DeleteMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
	}
	answer, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err == nil {
		err = refused(answer.Failed)
	}
	if err != nil {
		q.log.Error("messages that are done with could not be deleted, and will come again", "error", err.Error())
	}
}

// keepInvisible extends the visibility timeout of messages until the function that it returns is called.
func (q *SQS) keepInvisible(from source, messages []types.Message) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for pause(ctx, from.visibility/3) {
			q.changeVisibility(ctx, messages, from.visibility)
		}
	}()
	return func() {
		cancel()
		<-stopped
	}
}

func (q *SQS) changeVisibility(parent context.Context, messages []types.Message, to time.Duration) {
	ctx, cancel := context.WithTimeout(parent, callTimeout)
	defer cancel()
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(to / time.Second),
		}
	}
	answer, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
	if err == nil {
		err = refused(answer.Failed)
	}
	if err != nil && parent.Err() == nil {
		q.log.Error("the visibility timeout could not be changed", "error", err.Error(), "to", to.String())
	}
}

// refused is an error that tells why the entries of a batch request failed, nil if there are none.
func refused(entries []types.BatchResultErrorEntry) error {
	var all []error
	for _, e := range entries {
		all = append(all, fmt.Errorf("entry %s: %s %s", aws.ToString(e.Id), aws.ToString(e.Code), aws.ToString(e.Message)))
	}
	return errors.Join(all...)
}

func receiveCount(m types.Message) int {
	count, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)]) // only for the log
	return cmp.Or(count, 1)
}
