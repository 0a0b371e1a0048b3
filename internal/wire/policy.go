package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// grant is the permission for S3 to call a target, for one bucket of one account. Without the account, whoever
// registers the bucket's name after it was deleted could call too.
type grant struct {
	sid, action, target string
	bucket              string // ARN
	account             string
}

func newGrant(action string, to Target, bucket, account string) grant {
	return grant{
		sid: idPrefix + strings.ReplaceAll(bucket, ".", "_"), action: action, target: to.arn.String(),
		bucket: "arn:" + to.arn.Partition + ":s3:::" + bucket, account: account,
	}
}

func (g grant) String() string {
	return fmt.Sprintf("%s for %s of account %s  (%s)", g.action, g.bucket, g.account, g.sid)
}

// standing is what a policy says of a grant.
type standing int

const (
	missing standing = iota
	outdated
	inPlace   // by our statement
	otherwise // by somebody else's statement, to the same effect
)

// policy is a resource's policy. Statements are kept as they are, byte by byte.
type policy struct {
	fields     map[string]json.RawMessage // all but the statements
	statements []json.RawMessage
}

// parsePolicy reads a policy; "" is one without statements.
func parsePolicy(document string) (policy, error) {
	p := policy{fields: map[string]json.RawMessage{"Version": json.RawMessage(`"2012-10-17"`)}}
	if document == "" {
		return p, nil
	}
	p.fields = nil
	if err := json.Unmarshal([]byte(document), &p.fields); err != nil {
		return policy{}, fmt.Errorf("read the policy: %w", err)
	}
	raw := p.fields["Statement"]
	delete(p.fields, "Statement")
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") { // one may stand without its list
		p.statements = []json.RawMessage{raw}
		return p, nil
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &p.statements); err != nil {
			return policy{}, fmt.Errorf("read the policy's statements: %w", err)
		}
	}
	return p, nil
}

// document is the policy as JSON, or "" if it states nothing.
func (p policy) document() (string, error) {
	if len(p.statements) == 0 {
		return "", nil
	}
	all := map[string]any{"Statement": p.statements}
	for name, value := range p.fields {
		all[name] = value
	}
	document, err := json.Marshal(all)
	return string(document), err
}

// standing finds the grant, in our statement or in somebody else's.
func (p policy) standing(g grant) standing {
	found := missing
	for _, raw := range p.statements {
		s := parseStatement(raw)
		switch {
		case s.Sid == g.sid && s.gives(g):
			return inPlace
		case s.Sid == g.sid:
			return outdated
		case s.gives(g):
			found = otherwise
		}
	}
	return found
}

// with returns the policy with the grant's statement, in the place of an older one.
func (p policy) with(g grant) (policy, error) {
	raw, err := json.Marshal(map[string]any{
		"Sid": g.sid, "Effect": "Allow", "Principal": map[string]string{"Service": s3Principal}, "Action": g.action, "Resource": g.target,
		"Condition": map[string]any{
			"ArnLike":      map[string]string{"aws:SourceArn": g.bucket},
			"StringEquals": map[string]string{"aws:SourceAccount": g.account},
		},
	})
	p = p.without(g)
	p.statements = append(p.statements, raw)
	return p, err
}

// without returns the policy without the grant's statement.
func (p policy) without(g grant) policy {
	others := slices.DeleteFunc(slices.Clone(p.statements), func(raw json.RawMessage) bool { return parseStatement(raw).Sid == g.sid })
	return policy{p.fields, others}
}

const s3Principal = "s3.amazonaws.com"

// statement is what is read of a policy's statement.
type statement struct {
	Sid, Effect string
	Principal   principal
	Action      list
	Resource    list
	Condition   map[string]map[string]list // operator, key
	// With any of these it says something else than we do.
	NotPrincipal, NotAction, NotResource json.RawMessage
}

// parseStatement gives what can't be read an effect that is none.
func parseStatement(raw json.RawMessage) statement {
	var s statement
	if json.Unmarshal(raw, &s) != nil {
		s.Effect = ""
	}
	return s
}

// gives reports whether the statement is the grant, no less and on no other condition.
func (s statement) gives(g grant) bool {
	if s.Effect != "Allow" || s.NotPrincipal != nil || s.NotAction != nil || s.NotResource != nil ||
		!slices.Equal(s.Principal, principal{s3Principal}) || len(s.Action) != 1 || !strings.EqualFold(s.Action[0], g.action) ||
		!slices.Equal(s.Resource, list{g.target}) {
		return false
	}
	wanted := map[string]string{"aws:sourcearn": g.bucket, "aws:sourceaccount": g.account}
	met := 0
	for operator, conditions := range s.Condition {
		for key, values := range conditions {
			if !slices.Contains([]string{"ArnLike", "ArnEquals", "StringEquals", "StringLike"}, operator) ||
				!slices.Equal(values, list{wanted[strings.ToLower(key)]}) {
				return false
			}
			met++
		}
	}
	return met == len(wanted)
}

// list is a JSON string, or several.
type list []string

func (l *list) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// principal is the services of a principal that is nothing but services.
type principal []string

func (p *principal) UnmarshalJSON(raw []byte) error {
	var by map[string]list
	if json.Unmarshal(raw, &by) == nil && len(by) == 1 {
		*p = principal(by["Service"])
	}
	return nil // "*", accounts, users: none of ours
}
