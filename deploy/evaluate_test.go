package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What a stack is made in.
const (
	account   = "123456789012"
	region    = "eu-central-1"
	stackName = "pictures"
	stackUUID = "4f1c2d3e-0a1b-11ef-8000-0123456789ab"
	stackID   = "arn:aws:cloudformation:" + region + ":" + account + ":stack/" + stackName + "/" + stackUUID
)

// template is a CloudFormation template. The short forms of functions, as !Ref, are read as the long ones.
type template struct {
	Parameters, Rules, Mappings, Conditions, Resources, Outputs map[string]any
}

func readTemplate(t testing.TB) template { return read(t, "template.yaml") }

// read reads what is all of our templates: no anchors, no key twice, both of which CloudFormation refuses.
func read(t testing.TB, path string) template {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	root := plain(t, document.Content[0]).(map[string]any)
	section := func(name string) map[string]any {
		part, _ := root[name].(map[string]any)
		return part
	}
	return template{section("Parameters"), section("Rules"), section("Mappings"), section("Conditions"), section("Resources"), section("Outputs")}
}

func plain(t testing.TB, n *yaml.Node) (value any) {
	t.Helper()
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				t.Fatalf("line %d: %s is there twice", n.Line, key)
			}
			m[key] = plain(t, n.Content[i+1])
		}
		value = m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plain(t, item))
		}
		value = list
	case yaml.ScalarNode:
		value = n.Value
	default:
		t.Fatalf("line %d: an alias, which CloudFormation does not read", n.Line)
	}
	switch tag, short := strings.CutPrefix(n.Tag, "!"); {
	case !short || strings.HasPrefix(tag, "!"):
		return value
	case tag == "Ref" || tag == "Condition":
		return map[string]any{tag: value}
	default:
		return map[string]any{"Fn::" + tag: value}
	}
}

// stack is what CloudFormation makes of a template and parameters: its resources, and their properties without functions.
type stack struct {
	template
	parameters map[string]any
	conditions map[string]bool
	made       map[string]map[string]any // by logical id
	outputs    map[string]any
}

// evaluate does what CloudFormation does before it makes anything. It fails as that fails: by a parameter that is not
// allowed, a rule that is broken, a reference to what is not there.
func (tmpl template) evaluate(given map[string]string) (s *stack, err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case problem:
			s, err = nil, cause
		default:
			panic(cause)
		}
	}()
	s = &stack{template: tmpl, parameters: map[string]any{}, conditions: map[string]bool{}, made: map[string]map[string]any{}, outputs: map[string]any{}}
	for name, is := range map[string]string{"AccountId": account, "Region": region, "StackName": stackName, "Partition": "aws", "URLSuffix": "amazonaws.com", "StackId": stackID} {
		s.parameters["AWS::"+name] = is
	}
	for name := range given {
		if tmpl.Parameters[name] == nil {
			fail("there is no parameter %s", name)
		}
	}
	for name, declared := range tmpl.Parameters {
		s.parameters[name] = parameter(name, declared.(map[string]any), given)
	}
	for name := range tmpl.Conditions {
		s.condition(name)
	}
	for name, rule := range tmpl.Rules {
		for _, assertion := range rule.(map[string]any)["Assertions"].([]any) {
			if a := assertion.(map[string]any); s.value(a["Assert"]) != true {
				fail("rule %s: %s", name, a["AssertDescription"])
			}
		}
	}
	for id, resource := range tmpl.Resources {
		if r := resource.(map[string]any); s.holds(r["Condition"]) {
			s.made[id] = r
		}
	}
	for id, resource := range s.made {
		properties, _ := s.value(resource["Properties"]).(map[string]any)
		evaluated := map[string]any{"Type": resource["Type"], "Properties": properties}
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if resource[policy] != nil {
				evaluated[policy] = resource[policy]
			}
		}
		if dependence, ok := resource["DependsOn"].(string); ok && s.made[dependence] == nil {
			fail("%s depends on %s, which is not made", id, dependence)
		}
		s.made[id] = evaluated
	}
	for id, output := range tmpl.Outputs {
		if o := output.(map[string]any); s.holds(o["Condition"]) {
			s.outputs[id] = s.value(o["Value"])
		}
	}
	return s, nil
}

type problem struct{ error }

func fail(format string, args ...any) { panic(problem{fmt.Errorf(format, args...)}) }

func parameter(name string, declared map[string]any, given map[string]string) any {
	value, ok := given[name]
	if !ok {
		if value, ok = declared["Default"].(string); !ok {
			fail("the parameter %s has no value", name)
		}
	}
	if allowed, ok := declared["AllowedValues"].([]any); ok && !slices.Contains(allowed, any(value)) {
		fail("the parameter %s is %q, not one of %v", name, value, allowed)
	}
	if pattern, ok := declared["AllowedPattern"].(string); ok && !regexp.MustCompile("^(?:"+pattern+")$").MatchString(value) {
		fail("the parameter %s is %q, which does not match %s", name, value, pattern)
	}
	return value
}

func (s *stack) condition(name string) bool {
	declared, ok := s.Conditions[name]
	if !ok {
		fail("there is no condition %s", name)
	}
	if _, known := s.conditions[name]; !known {
		s.conditions[name] = s.value(declared) == true
	}
	return s.conditions[name]
}

func (s *stack) holds(name any) bool { return name == nil || s.condition(name.(string)) }

// noValue is AWS::NoValue: what has it isn't there.
type noValue struct{}

func (s *stack) value(of any) any {
	switch of := of.(type) {
	case []any:
		list := []any{}
		for _, item := range of {
			if v := s.value(item); v != (noValue{}) {
				list = append(list, v)
			}
		}
		return list
	case map[string]any:
		if len(of) == 1 {
			for name, argument := range of {
				if name == "Ref" || name == "Condition" && isString(argument) || strings.HasPrefix(name, "Fn::") {
					return s.call(name, argument)
				}
			}
		}
		m := map[string]any{}
		for key, item := range of {
			if v := s.value(item); v != (noValue{}) {
				m[key] = v
			}
		}
		return m
	}
	return of
}

func isString(v any) bool {
	_, ok := v.(string)
	return ok
}

func (s *stack) call(function string, argument any) any {
	switch function {
	case "Ref":
		return s.ref(argument.(string))
	case "Condition":
		return s.condition(argument.(string))
	case "Fn::GetAtt":
		return s.attribute(argument.(string))
	case "Fn::Sub":
		return s.substitute(argument)
	}
	args, ok := argument.([]any)
	if !ok {
		fail("%s wants a list", function)
	}
	switch function {
	case "Fn::If":
		if s.condition(args[0].(string)) {
			return s.value(args[1])
		}
		return s.value(args[2])
	case "Fn::Equals":
		return s.value(args[0]) == s.value(args[1])
	case "Fn::Not":
		return s.value(args[0]) == false
	case "Fn::And":
		return !slices.Contains(s.value(args).([]any), any(false))
	case "Fn::Or":
		return slices.Contains(s.value(args).([]any), any(true))
	case "Fn::Join":
		var parts []string
		for _, part := range s.value(args[1]).([]any) {
			parts = append(parts, fmt.Sprint(part))
		}
		return strings.Join(parts, args[0].(string))
	case "Fn::Split":
		parts := []any{}
		for part := range strings.SplitSeq(s.value(args[1]).(string), args[0].(string)) {
			parts = append(parts, part)
		}
		return parts
	case "Fn::Select":
		index, err := strconv.Atoi(args[0].(string))
		if list, ok := s.value(args[1]).([]any); ok && err == nil && index < len(list) {
			return list[index]
		}
		fail("there is no %v", args)
	case "Fn::FindInMap":
		var found any = s.Mappings
		for _, key := range args {
			m, ok := found.(map[string]any)
			if !ok || m[s.value(key).(string)] == nil {
				fail("there is no %v in the mappings", args)
			}
			found = m[s.value(key).(string)]
		}
		return found
	}
	fail("the function %s is not known", function)
	return nil
}

var variable = regexp.MustCompile(`\$\{([^}]+)\}`)

func (s *stack) substitute(argument any) string {
	text, own := argument, map[string]any{}
	if list, ok := argument.([]any); ok {
		text, own = list[0], list[1].(map[string]any)
	}
	return variable.ReplaceAllStringFunc(text.(string), func(found string) string {
		name := found[2 : len(found)-1]
		if v, ok := own[name]; ok {
			return fmt.Sprint(s.value(v))
		}
		if strings.Contains(name, ".") {
			return s.attribute(name)
		}
		return fmt.Sprint(s.ref(name))
	})
}

func (s *stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return noValue{}
	}
	if v, ok := s.parameters[name]; ok {
		return v
	}
	return s.attribute(name + ".Ref")
}

// attribute is a resource's attribute, or what Ref gives of it.
func (s *stack) attribute(of string) string {
	id, attribute, _ := strings.Cut(of, ".")
	resource := s.made[id]
	if resource == nil {
		fail("%s: there is no such resource in this stack", of)
	}
	name := stackName + "-" + id
	arn := func(service, resource string) string {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource
	}
	known := map[string]map[string]string{
		"AWS::Lambda::Function":                {"Ref": name, "Arn": arn("lambda", "function:"+name)},
		"AWS::IAM::Role":                       {"Ref": name, "Arn": "arn:aws:iam::" + account + ":role/" + name},
		"AWS::Logs::LogGroup":                  {"Ref": name, "Arn": arn("logs", "log-group:"+name+":*")},
		"AWS::S3::Bucket":                      {"Ref": fmt.Sprint(s.parameters["DestinationBucket"])},
		"AWS::SQS::Queue":                      {"Ref": "https://sqs." + region + ".amazonaws.com/" + account + "/" + name, "Arn": arn("sqs", name), "QueueName": name},
		"AWS::SNS::Topic":                      {"Ref": arn("sns", name)},
		"AWS::KMS::Key":                        {"Ref": name, "Arn": arn("kms", "key/"+name)},
		"AWS::Events::Rule":                    {"Ref": name, "Arn": arn("events", "rule/"+name)},
		"AWS::Events::Connection":              {"Ref": name, "Arn": arn("events", "connection/"+name+"/1")},
		"AWS::Events::ApiDestination":          {"Ref": name, "Arn": arn("events", "api-destination/"+name+"/1")},
		"AWS::CloudWatch::Dashboard":           {"Ref": stackName + "-" + region},
		"AWS::CloudFront::Distribution":        {"Ref": "E1DISTRIBUTION", "DomainName": "d111.cloudfront.net"},
		"AWS::CloudFront::OriginAccessControl": {"Ref": "E1CONTROL", "Id": "E1CONTROL"},
	}
	value, ok := known[resource["Type"].(string)][attribute]
	if !ok {
		fail("%s: a %s has no such attribute, or this test does not know it", of, resource["Type"])
	}
	return value
}

// properties are those of a resource that is made.
func (s *stack) properties(id string) map[string]any {
	if s.made[id] == nil {
		return nil
	}
	return s.made[id]["Properties"].(map[string]any)
}

// ofType lists the resources of a type, by their logical ids in order.
func (s *stack) ofType(kind string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.made)), func(id string) bool { return s.made[id]["Type"] != kind })
}

// dig walks down maps and, by number, lists.
func dig(in any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := in.(map[string]any)
			in = m[step]
		case int:
			in = in.([]any)[step]
		}
	}
	return in
}
