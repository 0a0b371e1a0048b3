package queue

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// batchEvent is the event that Lambda makes of messages:
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func batchEvent(batch []types.Message, from source) []byte {
	type attribute struct {
		StringValue      *string  `json:"stringValue,omitempty"`
		BinaryValue      []byte   `json:"binaryValue,omitempty"`
		StringListValues []string `json:"stringListValues"` // reserved by SQS, always empty
		BinaryListValues [][]byte `json:"binaryListValues"`
		DataType         string   `json:"dataType"`
	}
	type record struct {
		MessageID              string               `json:"messageId"`
		ReceiptHandle          string               `json:"receiptHandle"`
		Body                   string               `json:"body"`
		Attributes             map[string]string    `json:"attributes"`
		MessageAttributes      map[string]attribute `json:"messageAttributes"`
		MD5OfMessageAttributes *string              `json:"md5OfMessageAttributes,omitempty"`
		MD5OfBody              string               `json:"md5OfBody"`
		EventSource            string               `json:"eventSource"`
		EventSourceARN         string               `json:"eventSourceARN"`
		AWSRegion              string               `json:"awsRegion"`
	}
	records := make([]record, len(batch))
	for i, m := range batch {
		attributes := make(map[string]attribute, len(m.MessageAttributes))
		for name, a := range m.MessageAttributes {
			attributes[name] = attribute{a.StringValue, a.BinaryValue, []string{}, [][]byte{}, aws.ToString(a.DataType)}
		}
		records[i] = record{
			MessageID:              aws.ToString(m.MessageId),
			ReceiptHandle:          aws.ToString(m.ReceiptHandle),
			Body:                   aws.ToString(m.Body),
			Attributes:             m.Attributes,
			MessageAttributes:      attributes,
			MD5OfMessageAttributes: m.MD5OfMessageAttributes,
			MD5OfBody:              aws.ToString(m.MD5OfBody),
			EventSource:            "aws:sqs",
			EventSourceARN:         from.arn,
			AWSRegion:              from.region,
		}
	}
	event, _ := encode(map[string]any{"Records": records}) // strings and bytes always have a JSON form
	return event
}

// batchFailures reads the function's answer to a batch as Lambda does under ReportBatchItemFailures
// and returns the ids of the messages that failed. An error means that all of them did:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func batchFailures(answer []byte, batch []types.Message) (map[string]bool, error) {
	var report struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(bytes.TrimSpace(answer)) > 0 {
		if err := json.Unmarshal(answer, &report); err != nil {
			return nil, err
		}
	}
	failed, known := map[string]bool{}, map[string]bool{}
	for _, m := range batch {
		known[aws.ToString(m.MessageId)] = true
	}
	for _, item := range report.BatchItemFailures {
		if !known[item.ItemIdentifier] {
			return nil, fmt.Errorf("itemIdentifier %q is none of the batch", item.ItemIdentifier)
		}
		failed[item.ItemIdentifier] = true
	}
	return failed, nil
}

// encode is json.Marshal without its escapes for HTML, which AWS's events do not have either.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
