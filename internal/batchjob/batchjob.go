// Package batchjob hands what is to be done of a bucket to S3 Batch Operations, which invokes the function for each object
// of a manifest: that is for hundreds of millions of objects, with nothing of ours running meanwhile.
//
// The one idea: a job is a value. The request that creates it and the command that would create it are both made of that
// one, so that what is shown is what is done; and the same job, created twice, is one.
package batchjob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"s3resizer/internal/naming"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/smithy-go"
)

// schema is that of the function's input that names the bucket by its name. The handler reads 1.0 as well.
const schema = "2.0"

// Job is what S3 Batch Operations is to do.
type Job struct {
	Region       string
	Function     string // ARN
	Role         string // ARN, of which S3 Batch Operations is to make use; its account is the job's
	Bucket       string // of the manifest and the reports
	Manifest     string // its key
	ETag         string // of the manifest, without quotes
	Reports      string // folder, without a slash at its end
	Priority     int32  // the higher of two goes first
	Confirmation bool   // it waits until somebody confirms it
	Description  string // at most 256 characters
}

// Line is an object's line of a manifest. Its key is percent-encoded, as S3 wants it; so none has to be quoted.
func Line(bucket, key string) string {
	return bucket + "," + naming.Percent(key) + "\n"
}

// Check returns what is wrong with the ARNs, before anything is written.
func (j Job) Check() error {
	var mistakes []error
	function, err := arn.Parse(j.Function)
	if err != nil || function.Service != "lambda" || !strings.HasPrefix(function.Resource, "function:") {
		mistakes = append(mistakes, fmt.Errorf("the function %q: want its ARN, such as arn:aws:lambda:eu-central-1:123456789012:function:s3resizer", j.Function))
	} else if function.Region != j.Region {
		mistakes = append(mistakes, fmt.Errorf("the function %q is in %s, and the job would be in %s: set AWS_REGION to the buckets' region; the function must be in it, too", j.Function, function.Region, j.Region))
	}
	if role, err := arn.Parse(j.Role); err != nil || role.Service != "iam" || !strings.HasPrefix(role.Resource, "role/") {
		mistakes = append(mistakes, fmt.Errorf("the role %q: want its ARN, such as arn:aws:iam::123456789012:role/batch", j.Role))
	}
	if j.Priority < 0 {
		mistakes = append(mistakes, fmt.Errorf("the priority %d: want 0 or more", j.Priority))
	}
	return errors.Join(mistakes...)
}

// Account is the one that the job is in.
func (j Job) Account() string {
	role, _ := arn.Parse(j.Role) // see Check
	return role.AccountID
}

// object is the ARN of what is in a bucket, in the partition of the function.
func (j Job) object(path string) string {
	function, _ := arn.Parse(j.Function) // see Check
	return arn.ARN{Partition: function.Partition, Service: "s3", Resource: path}.String()
}

func (j Job) request() *s3control.CreateJobInput {
	in := &s3control.CreateJobInput{
		AccountId: aws.String(j.Account()), RoleArn: &j.Role, Priority: &j.Priority, ConfirmationRequired: &j.Confirmation, Description: &j.Description,
		Operation: &types.JobOperation{LambdaInvoke: &types.LambdaInvokeOperation{FunctionArn: &j.Function, InvocationSchemaVersion: aws.String(schema)}},
		Manifest: &types.JobManifest{
			Spec:     &types.JobManifestSpec{Format: types.JobManifestFormatS3BatchOperationsCsv20180820, Fields: []types.JobManifestFieldName{types.JobManifestFieldNameBucket, types.JobManifestFieldNameKey}},
			Location: &types.JobManifestLocation{ObjectArn: aws.String(j.object(j.Bucket + "/" + j.Manifest)), ETag: &j.ETag},
		},
		Report: &types.JobReport{
			Enabled: true, Bucket: aws.String(j.object(j.Bucket)), Prefix: &j.Reports,
			Format: types.JobReportFormatReportCsv20180820, ReportScope: types.JobReportScopeFailedTasksOnly,
		},
	}
	in.ClientRequestToken = aws.String(j.token())
	return in
}

// token is the same for the same job, so that it is created once.
func (j Job) token() string {
	text, _ := json.Marshal(j) // of strings and numbers
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// Create creates the job and returns its id.
func (j Job) Create(ctx context.Context, cfg aws.Config) (id string, err error) {
	out, err := s3control.NewFromConfig(cfg).CreateJob(ctx, j.request())
	if err != nil {
		return "", j.explain(err)
	}
	return aws.ToString(out.JobId), nil
}

func (j Job) explain(err error) error {
	var fault smithy.APIError
	if errors.As(err, &fault) && strings.HasPrefix(fault.ErrorCode(), "AccessDenied") {
		return fmt.Errorf("create the job: %w; allow the caller s3:CreateJob, and iam:PassRole on %s", err, j.Role)
	}
	return fmt.Errorf("create the job: %w", err)
}

// Command is what creates the same job with the AWS CLI, in a shell.
func (j Job) Command() string {
	in := j.request()
	confirmation := "--confirmation-required"
	if !j.Confirmation {
		confirmation = "--no-confirmation-required"
	}
	return strings.Join([]string{
		"aws s3control create-job --region " + quoted(j.Region) + " --account-id " + quoted(*in.AccountId),
		"--role-arn " + quoted(*in.RoleArn),
		"--operation " + quoted(structure(in.Operation)),
		"--manifest " + quoted(structure(in.Manifest)),
		"--report " + quoted(structure(in.Report)),
		"--priority " + strconv.Itoa(int(*in.Priority)) + " " + confirmation,
		"--description " + quoted(*in.Description),
		"--client-request-token " + *in.ClientRequestToken,
	}, " \\\n  ")
}

// structure is a part of the request as the AWS CLI reads it: its members by name, those that are not set left out.
func structure(part any) string {
	text, _ := json.Marshal(part) // of strings, numbers and structures
	var members any
	_ = json.Unmarshal(text, &members)
	text, _ = json.Marshal(set(members))
	return string(text)
}

// set leaves out what is null.
func set(value any) any {
	members, ok := value.(map[string]any)
	if !ok {
		return value
	}
	out := map[string]any{}
	for name, member := range members {
		if member != nil {
			out[name] = set(member)
		}
	}
	return out
}

// quoted is a word of a shell's command.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Confirm is the command that lets a job begin that waits for it.
func (j Job) Confirm(id string) string {
	return fmt.Sprintf("aws s3control update-job-status --region %s --account-id %s --job-id %s --requested-job-status Ready", quoted(j.Region), quoted(j.Account()), quoted(id))
}

// Trust and Permissions are the policies that the role needs, as JSON.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
func (j Job) Trust() string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"batchoperations.s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
}

// Permissions are what the role may do; see [Job.Trust].
func (j Job) Permissions() string {
	type statement struct{ Effect, Action, Resource string }
	policy, _ := json.Marshal(struct { // of strings
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{
		{"Allow", "s3:GetObject", j.object(j.Bucket + "/" + j.Manifest)},
		{"Allow", "s3:PutObject", j.object(j.Bucket + "/" + j.Reports + "/*")},
		{"Allow", "lambda:InvokeFunction", j.Function},
	}})
	return string(policy)
}
