package backfill

import (
	"errors"
	"fmt"

	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Failure says why an object could not be done.
type Failure struct {
	Class     report.Class
	Reason    string // for people
	Op        string // what S3 was asked for, as in [s3io.Error]; or ""
	Bucket    string // of which bucket
	Temporary bool   // it may go better the next time
	Fatal     bool   // to the process that did it: another time could end as badly
}

func (f *Failure) Error() string { return string(f.Class) + ": " + f.Reason }

// FailureOf is an error of S3's, or of the handler's, as a failure.
func FailureOf(err error) Failure {
	f := Failure{Class: report.ClassInternal, Reason: err.Error()}
	var failed *report.Failure
	if errors.As(err, &failed) {
		f.Class, f.Reason, f.Temporary = failed.Class, failed.Err.Error(), failed.Temporary()
	}
	var fault *s3io.Error
	if errors.As(err, &fault) {
		f.Op, f.Bucket = fault.Op, fault.Bucket
		if failed == nil {
			f.Class = report.Class(fault.Class)
		}
	}
	return f
}

// Remedy says what would help, as far as the class tells, or is "".
func (f *Failure) Remedy() string {
	switch s3io.Class(f.Class) {
	case s3io.Denied:
		action, resource := "s3:GetObject and s3:ListBucket", fmt.Sprintf("arn:aws:s3:::%[1]s/* and arn:aws:s3:::%[1]s", f.Bucket)
		switch f.Op {
		case "list":
			action, resource = "s3:ListBucket", "arn:aws:s3:::"+f.Bucket
		case "put":
			action, resource = "s3:PutObject", "arn:aws:s3:::"+f.Bucket+"/*"
		case "delete":
			action, resource = "s3:DeleteObject", "arn:aws:s3:::"+f.Bucket+"/*"
		}
		return fmt.Sprintf("see whether the credentials are right and still good; allow them %s on %s; the bucket must be of the account in RESIZE_BUCKET_OWNER, by default the caller's own", action, resource)
	case s3io.KMS:
		return "allow the credentials kms:Decrypt and kms:GenerateDataKey with the bucket's key, and see whether the key is enabled"
	case s3io.NoSuchBucket:
		return fmt.Sprintf("see whether the name %s is right, or create the bucket; --dest names another destination", f.Bucket)
	case s3io.WrongRegion:
		return fmt.Sprintf("set AWS_REGION to the region of the bucket %s (aws s3api get-bucket-location)", f.Bucket)
	case s3io.Archived:
		return "restore the object first"
	case s3io.Transient:
		return "see whether S3 can be reached from here (AWS_ENDPOINT_URL_S3, proxies), and run it again"
	}
	return ""
}
