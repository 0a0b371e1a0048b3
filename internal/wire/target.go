package wire

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Target is where a bucket's events shall go. The zero value is EventBridge.
type Target struct {
	kind kind
	arn  arn.ARN
}

// functionResource is a function, and a version or alias of it if there is one. $LATEST is not: no permission can be
// given for it by name.
var (
	functionResource = regexp.MustCompile(`^function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$`)
	queueResource    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}(\.fifo)?$`)
)

// Function is the Lambda function, version or alias with the given ARN.
func Function(name string) (Target, error) {
	parsed, err := arn.Parse(name)
	if err != nil || parsed.Service != "lambda" || parsed.Region == "" || parsed.AccountID == "" || !functionResource.MatchString(parsed.Resource) {
		return Target{}, errors.New("want arn:aws:lambda:REGION:ACCOUNT:function:NAME, with :ALIAS or :VERSION behind it if need be")
	}
	return Target{function, parsed}, nil
}

// Queue is the SQS queue with the given ARN.
func Queue(name string) (Target, error) {
	parsed, err := arn.Parse(name)
	if err != nil || parsed.Service != "sqs" || parsed.Region == "" || parsed.AccountID == "" || !queueResource.MatchString(parsed.Resource) {
		return Target{}, errors.New("want arn:aws:sqs:REGION:ACCOUNT:NAME")
	}
	if strings.HasSuffix(parsed.Resource, ".fifo") {
		return Target{}, errors.New("S3 sends to no FIFO queue: use a standard one")
	}
	return Target{queue, parsed}, nil
}

// Region is the target's, and so the bucket's: S3 sends to no other. It is "" for EventBridge.
func (t Target) Region() string { return t.arn.Region }

func (t Target) eventBridge() bool { return t.kind == "" }

func (t Target) String() string {
	if t.eventBridge() {
		return "EventBridge"
	}
	return fmt.Sprintf("the %s %s", t.kind, t.arn)
}
