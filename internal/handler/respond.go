package handler

import (
	"fmt"

	"s3resizer/internal/report"

	"github.com/aws/aws-lambda-go/events"
)

// outcome is what came of one object: a result, or a failure.
type outcome struct {
	object
	result  report.Result
	failure *report.Failure
}

// respondReport answers whoever invoked the function itself: the results, and one error for all that failed.
func respondReport(outcomes []outcome) (any, error) {
	return reportOf(outcomes), join(outcomes)
}

func reportOf(outcomes []outcome) report.Report {
	r := report.Report{Results: []report.Result{}}
	for _, o := range outcomes {
		if o.failure == nil {
			r.Results = append(r.Results, o.result)
		}
	}
	return r
}

// join makes one error of the failures, or nil if there are none.
func join(outcomes []outcome) error {
	var failures []*report.Failure
	for _, o := range outcomes {
		if o.failure != nil {
			failures = append(failures, o.failure)
		}
	}
	return report.Join(failures)
}

// respondQueue answers an SQS event source: the messages that are to come again, a partial batch response. The results
// stand in the log and in the records.
func respondQueue(outcomes []outcome) (any, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	failed := map[string]bool{}
	for _, o := range outcomes {
		if o.failure != nil && !failed[o.part] {
			failed[o.part] = true
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: o.part})
		}
	}
	return response, nil
}

// respondBatch answers S3 Batch Operations. It invokes again after a TemporaryFailure; everything else goes into its
// completion report.
func respondBatch(schema, invocation string, outcomes []outcome) events.S3BatchJobResponse {
	response := events.S3BatchJobResponse{InvocationSchemaVersion: schema, InvocationID: invocation, TreatMissingKeysAs: "PermanentFailure"}
	for _, o := range outcomes {
		code, text := "Succeeded", string(o.result.Status)
		switch {
		case o.failure != nil && o.failure.Temporary():
			code, text = "TemporaryFailure", o.failure.Error()
		case o.failure != nil:
			code, text = "PermanentFailure", o.failure.Error()
		case o.result.Status == report.Rejected:
			code, text = "PermanentFailure", fmt.Sprintf("rejected: %s: %s", o.result.Class, o.result.Reason)
		case o.result.Status == report.Gone:
			code = "PermanentFailure"
		}
		response.Results = append(response.Results, events.S3BatchJobResult{TaskID: o.part, ResultCode: code, ResultString: text})
	}
	return response
}
