package deploy_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// statement is one of a policy.
type statement struct {
	Sid, Effect      string
	Principal        any
	Action, Resource list
	Condition        map[string]map[string]list
}

// list is one or several.
type list []string

func (l *list) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

func statements(t testing.TB, document any) (out []statement) {
	t.Helper()
	data, err := json.Marshal(dig(document, "Statement"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return out
}

// allows evaluates statements as IAM does, as far as ours go: an unknown operator allows nothing.
func allows(all []statement, n need, about map[string]string) bool {
	allowed := false
	for _, s := range all {
		applies := slices.ContainsFunc(s.Action, func(p string) bool { return like(p, n.action) }) &&
			slices.ContainsFunc(s.Resource, func(p string) bool { return like(p, n.resource) })
		for operator, conditions := range s.Condition {
			for key, values := range conditions {
				is, known := about[key]
				applies = applies && known && slices.ContainsFunc(values, func(value string) bool {
					return slices.Contains([]string{"StringEquals", "ArnEquals", "Bool"}, operator) && value == is || operator == "ArnLike" && like(value, is)
				})
			}
		}
		if applies && s.Effect == "Deny" {
			return false
		}
		allowed = allowed || applies && s.Effect == "Allow"
	}
	return allowed
}

// like matches a pattern of IAM's; ours have a star at their end alone.
func like(pattern, value string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return value == pattern || star && strings.HasPrefix(value, prefix)
}

// about is what IAM knows of a call by our function.
func about(n need) map[string]string {
	switch service, _, _ := strings.Cut(n.action, ":"); service {
	case "s3":
		return map[string]string{"s3:ResourceAccount": account}
	case "kms":
		by := "s3."
		if n.resource != sourceKey && n.resource != destKey {
			by = "sns." // the stack's own, for its topic
		}
		return map[string]string{"kms:ViaService": by + region + ".amazonaws.com"}
	}
	return nil
}

func without(all list, one string) list {
	return slices.DeleteFunc(slices.Clone(all), func(other string) bool { return other == one })
}
