package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// matches tells whether an event is what an EventBridge pattern asks for: of its language, what is used here. Another
// operator is a panic. (AWS's own matcher, event-ruler, is written in Java and published for Maven alone.)
//
// A pattern's leaf is a list, of which one is enough; so it is with a list in the event. Of a list of objects, one has to
// be all that the pattern asks for.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
func matches(pattern, event any) bool {
	if list, ok := event.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return matches(pattern, one) })
	}
	if fields, ok := pattern.(map[string]any); ok {
		for name, asked := range fields {
			if !matches(asked, dig(event, name)) {
				return false
			}
		}
		return true
	}
	return slices.ContainsFunc(pattern.([]any), func(one any) bool { return is(one, event) })
}

// is compares a leaf, nil where the event has none, with one of a pattern's.
func is(asked, leaf any) bool {
	operator, ok := asked.(map[string]any)
	if !ok {
		return asked == leaf
	}
	text, isText := leaf.(string)
	for name, operand := range operator {
		switch name {
		case "prefix":
			return isText && strings.HasPrefix(text, operand.(string))
		case "anything-but":
			return leaf != nil && !slices.Contains(operand.([]any), leaf)
		case "exists":
			return (leaf != nil) == operand.(bool)
		default:
			panic(fmt.Sprintf("the operator %s is not known here", name))
		}
	}
	return false
}

func TestPatterns(t *testing.T) {
	event := decoded(t, `{"a":"x","list":["p","q"],"things":[{"k":1,"s":"one"},{"k":2,"s":"two"}],"empty":{}}`)
	for pattern, want := range map[string]bool{
		`{"a":["x"]}`:                             true,
		`{"a":["y","x"]}`:                         true,
		`{"a":["y"]}`:                             false,
		`{"b":["x"]}`:                             false,
		`{"a":[{"prefix":"x"}]}`:                  true,
		`{"a":[{"prefix":"y"}]}`:                  false,
		`{"b":[{"prefix":""}]}`:                   false,
		`{"list":["q"]}`:                          true,
		`{"list":["r"]}`:                          false,
		`{"things":{"s":["two"]}}`:                true,
		`{"things":{"s":["two"],"k":[2]}}`:        true,
		`{"things":{"s":["two"],"k":[1]}}`:        false, // of one thing the one, of another the other
		`{"a":[{"anything-but":["y"]}]}`:          true,
		`{"a":[{"anything-but":["x"]}]}`:          false,
		`{"b":[{"anything-but":["x"]}]}`:          false, // there has to be one
		`{"b":[{"exists":false}]}`:                true,
		`{"empty":{"deep":[{"exists":false}]}}`:   true,
		`{"missing":{"deep":[{"exists":false}]}}`: true,
		`{"a":[{"exists":false}]}`:                false,
		`{"a":["x"],"list":["r"]}`:                false,
	} {
		if matches(decoded(t, pattern), event) != want {
			t.Errorf("%s is not %v", pattern, want)
		}
	}
}
