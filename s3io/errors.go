package s3io

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Class says what went wrong, in a word that stays the same.
type Class string

// The classes of an [Error]. All but Transient stay until somebody changes something.
const (
	NotFound     Class = "not-found"      // no such object
	NoSuchBucket Class = "no-such-bucket" // on a HEAD, S3 says not-found for this too
	Changed      Class = "changed"        // the object was replaced while it was read, or before it was replaced or removed
	Denied       Class = "access-denied"  // by policy, by credentials, or because another account owns the bucket
	KMS          Class = "kms"            // the object's key can't be used
	Archived     Class = "archived"       // in a storage class that must be restored first
	WrongRegion  Class = "wrong-region"   // the bucket is in another region
	Invalid      Class = "invalid"        // S3 does not accept the request as it is, or does not know what it asks for
	Transient    Class = "transient"      // may pass: the network, time-outs, throttling, S3's own faults
)

// Error is what every failure of this package is.
type Error struct {
	Class       Class
	Op          string // "open", "read", "head", "tags", "put", "delete", "list"
	Bucket, Key string // of a listing, the prefix
	Err         error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s s3://%s/%s: %s: %v", e.Op, e.Bucket, e.Key, e.Class, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the [*Error] that err is or wraps, or "".
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// What S3 wants of a bucket's name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. There are
// buckets from before 2018 that are called otherwise, and access points, by their ARNs; S3 knows whether it has such a one.
var (
	nameNow       = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	everName      = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{2,254}|arn:[a-z-]+:s3[a-z-]*:[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9/:._-]+)$`)
	errBucketName = errors.New("no bucket can have this name: S3 wants 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends")
)

func wrap(op, bucket, key string, err error) error {
	class := classify(err)
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "InvalidBucketName" || api.ErrorCode() == badRequest && !nameNow.MatchString(bucket)) {
		class, err = Invalid, fmt.Errorf("%w: %w", errBucketName, err)
	}
	return &Error{class, op, bucket, key, err}
}

// badRequest is the SDK's word for a HEAD's 400, which has no body to say more.
const badRequest = "BadRequest"

// classify goes by S3's error code and, where a HEAD has none, by the status.
func classify(err error) Class {
	if class := ClassOf(err); class != "" {
		return class
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code := api.ErrorCode()
		switch code {
		case "NoSuchKey":
			return NotFound
		case "NoSuchBucket":
			return NoSuchBucket
		case "ConditionalRequestConflict": // another write of the key came between
			return Changed
		case "InvalidObjectState":
			return Archived
		case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
			return WrongRegion
		case "RequestTimeout", "RequestTimeTooSkewed", "BadDigest", "IncompleteBody":
			return Transient // 4xx in name only: another attempt may do
		case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
			return Denied
		case badRequest:
			return Transient // a GET or PUT will say why
		}
		if strings.HasPrefix(code, "KMS.") {
			return KMS
		}
	}
	if notImplemented(err) || errors.As(err, new(*smithy.SerializationError)) { // such as an empty key's
		return Invalid
	}
	switch status := statusOf(err); status {
	case http.StatusNotFound:
		return NotFound
	case http.StatusPreconditionFailed:
		return Changed
	case http.StatusUnauthorized, http.StatusForbidden:
		return Denied
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return WrongRegion
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return Transient
	case http.StatusHTTPVersionNotSupported:
		return Invalid
	default:
		if status >= 400 && status < 500 {
			return Invalid
		}
		return Transient
	}
}

// notImplemented tells whether S3 has said that it does not know what it was asked for, such as a condition.
func notImplemented(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NotImplemented" || statusOf(err) == http.StatusNotImplemented
}

// statusOf returns the HTTP status of S3's answer, or 0 where there was none.
func statusOf(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
