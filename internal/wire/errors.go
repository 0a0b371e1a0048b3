package wire

import (
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// credentialCodes are the ways in which AWS's services say that they don't know the caller.
var credentialCodes = map[string]bool{
	"InvalidClientTokenId": true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true, "UnrecognizedClientException": true, "InvalidSignatureException": true,
	"ExpiredToken": true, "ExpiredTokenException": true, "InvalidToken": true, "TokenRefreshRequired": true, "MissingAuthenticationToken": true, "IncompleteSignature": true,
}

// busy is S3's code while a conflicting operation is in progress on the bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const busy = "OperationAborted"

// explain says what could not be done and, where AWS's code tells, what would help: action is what the caller must be
// allowed, on resource. A nil err stays nil.
func explain(err error, doing, action, resource string) error {
	if err == nil {
		return nil
	}
	help := ""
	switch code, status := codeOf(err), statusOf(err); {
	case credentialCodes[code]:
		help = credentialsHelp
	case code == "NoSuchBucket":
		help = "see whether the bucket's name is right"
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException", code == "MovedPermanently",
		status == http.StatusMovedPermanently:
		help = regionHelp(err)
	case code == busy:
		help = "something else keeps changing the bucket: see what (another deployment, Terraform, CDK), and run this again when it is at rest"
	case status == http.StatusForbidden, code == "AccessDenied", code == "AccessDeniedException":
		help = fmt.Sprintf("allow the caller %s on %s; where it is a bucket, its owner has to be the account named (see --bucket-owner)", action, resource)
	}
	if help != "" {
		help = "; " + help
	}
	return fmt.Errorf("%s %s: %w%s", doing, resource, err, help)
}

const credentialsHelp = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again (aws sso login)"

// regionHelp names the bucket's region, if S3 did.
func regionHelp(err error) string {
	where := "another region"
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) && response.Response != nil {
		if named := response.Response.Header.Get("X-Amz-Bucket-Region"); named != "" {
			where = named
		}
	}
	return "the bucket is in " + where + ": S3 sends to functions and queues of the bucket's own region alone; for EventBridge and show, set AWS_REGION to it"
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// statusOf returns the HTTP status of AWS's answer, or 0 where there was none.
func statusOf(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
