package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// permission gives and takes the right to call a target.
type permission interface {
	// standing says whether S3 has it.
	standing(context.Context) (standing, error)
	// give adds our statement to the target's policy, or renews it.
	give(context.Context) error
	// withdraw takes our statement away, if it is there.
	withdraw(context.Context) error
}

func newPermission(cfg aws.Config, to Target, bucket, account string) (permission, grant) {
	switch to.kind {
	case function:
		g := newGrant("lambda:InvokeFunction", to, bucket, account)
		return &functionPermission{lambda.NewFromConfig(cfg), g}, g
	case queue:
		g := newGrant("sqs:SendMessage", to, bucket, account)
		return &queuePermission{client: sqs.NewFromConfig(cfg), target: to, grant: g}, g
	}
	return nil, grant{} // EventBridge takes what S3 sends, by itself
}

// functionPermission is a statement of a function's policy, which Lambda adds and removes one by one.
type functionPermission struct {
	client *lambda.Client
	grant  grant
}

func (p *functionPermission) standing(ctx context.Context) (standing, error) {
	out, err := p.client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &p.grant.target})
	if notFound := (*lambdatypes.ResourceNotFoundException)(nil); errors.As(err, &notFound) {
		return missing, nil // it has no policy yet; or isn't there, which giving will tell
	}
	if err != nil {
		return missing, explain(err, "read the policy of the function", "lambda:GetPolicy", p.grant.target)
	}
	current, err := parsePolicy(aws.ToString(out.Policy))
	if err != nil {
		return missing, fmt.Errorf("%s: %w", p.grant.target, err)
	}
	return current.standing(p.grant), nil
}

func (p *functionPermission) give(ctx context.Context) error {
	in := &lambda.AddPermissionInput{
		FunctionName: &p.grant.target, StatementId: &p.grant.sid, Action: &p.grant.action, Principal: aws.String(s3Principal),
		SourceArn: &p.grant.bucket, SourceAccount: &p.grant.account,
	}
	_, err := p.client.AddPermission(ctx, in)
	if taken := (*lambdatypes.ResourceConflictException)(nil); errors.As(err, &taken) { // by our statement, outdated
		if err := p.withdraw(ctx); err != nil {
			return err
		}
		_, err = p.client.AddPermission(ctx, in)
	}
	if notFound := (*lambdatypes.ResourceNotFoundException)(nil); errors.As(err, &notFound) {
		return fmt.Errorf("there is no function %s: see whether its name, its region and its alias are right", p.grant.target)
	}
	return explain(err, "let S3 invoke the function", "lambda:AddPermission", p.grant.target)
}

func (p *functionPermission) withdraw(ctx context.Context) error {
	_, err := p.client.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &p.grant.target, StatementId: &p.grant.sid})
	if notFound := (*lambdatypes.ResourceNotFoundException)(nil); errors.As(err, &notFound) {
		return nil
	}
	return explain(err, "take the permission to invoke the function from S3", "lambda:RemovePermission", p.grant.target)
}

// queuePermission is a statement of a queue's policy, an attribute that is written whole.
type queuePermission struct {
	client *sqs.Client
	target Target
	grant  grant
	url    string // once known
}

// errNoQueue is a queue that isn't there.
var errNoQueue = errors.New("there is no such queue: see whether its name, its region and its account are right")

const policyAttribute = string(sqstypes.QueueAttributeNamePolicy)

func (p *queuePermission) read(ctx context.Context) (policy, error) {
	const doing = "read the policy of the queue"
	if p.url == "" {
		out, err := p.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &p.target.arn.Resource, QueueOwnerAWSAccountId: &p.target.arn.AccountID})
		if isNoQueue(err) {
			return policy{}, fmt.Errorf("%s: %w", p.grant.target, errNoQueue)
		}
		if err != nil {
			return policy{}, explain(err, doing, "sqs:GetQueueUrl", p.grant.target)
		}
		p.url = aws.ToString(out.QueueUrl)
	}
	out, err := p.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &p.url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}})
	if err != nil {
		return policy{}, explain(err, doing, "sqs:GetQueueAttributes", p.grant.target)
	}
	current, err := parsePolicy(out.Attributes[policyAttribute])
	if err != nil {
		return policy{}, fmt.Errorf("%s: %w", p.grant.target, err)
	}
	return current, nil
}

func (p *queuePermission) write(ctx context.Context, changed policy) error {
	document, err := changed.document()
	if err != nil {
		return err
	}
	_, err = p.client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &p.url, Attributes: map[string]string{policyAttribute: document}})
	return explain(err, "change the policy of the queue", "sqs:SetQueueAttributes", p.grant.target)
}

func (p *queuePermission) standing(ctx context.Context) (standing, error) {
	current, err := p.read(ctx)
	if err != nil {
		return missing, err
	}
	return current.standing(p.grant), nil
}

// give and withdraw read the policy once more: nothing says when somebody else writes it, so little time may pass.
func (p *queuePermission) give(ctx context.Context) error {
	current, err := p.read(ctx)
	if err != nil {
		return err
	}
	changed, err := current.with(p.grant)
	if err != nil {
		return err
	}
	return p.write(ctx, changed)
}

func (p *queuePermission) withdraw(ctx context.Context) error {
	current, err := p.read(ctx)
	if err != nil {
		return err
	}
	changed := current.without(p.grant)
	if len(changed.statements) == len(current.statements) {
		return nil
	}
	return p.write(ctx, changed)
}

func isNoQueue(err error) bool {
	code := codeOf(err)
	return strings.HasSuffix(code, "QueueDoesNotExist") || strings.HasSuffix(code, "NonExistentQueue")
}
