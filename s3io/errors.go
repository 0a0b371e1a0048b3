package s3io

import (
	"errors"
	"fmt"
	"net/http"
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
	Op          string // "open", "read", "head", "put", "delete", "list"
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

func wrap(op, bucket, key string, err error) error {
	return &Error{classify(err), op, bucket, key, err}
}

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
		case "BadRequest":
			return Transient // a HEAD's 400, which has no body to say why; a GET or PUT will
		}
		if strings.HasPrefix(code, "KMS.") {
			return KMS
		}
	}
	if notImplemented(err) {
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
