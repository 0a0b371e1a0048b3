//go:build localstack

package localstack_test

import (
	"testing"
)

// step is a deployment. Three stacks at the same time take three steps each, and so go from each trigger to each other
// one, with each kind of results for each trigger.
type step struct{ trigger, results string }

func TestTheStackWithEachTrigger(t *testing.T) {
	for name, steps := range map[string][]step{
		"one": {{"direct", "eventbridge"}, {"eventbridge", "sns"}, {"direct", "sqs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, "deploytest-"+name)
			s.deploy(t, steps[0].trigger, steps[0].results)
			s.works(t, "first")
		})
	}
}

// works puts pictures through the stack.
func (s *stack) works(t *testing.T, named string) {
	t.Helper()
	s.wired(t)
	good, bad := prefix+named+"/my photo+1.jpg", prefix+named+"/broken.jpg"
	data := photo(t, 800, 600, 1)
	put(t, s.source, good, data)
	put(t, s.source, bad, data[:len(data)/2])
	s.resized(t, good)
	s.tells(t, good, "resized")
	if r := s.record(t, bad); r.Status != "rejected" || r.Class != "corrupt" || len(r.Renditions) > 0 {
		t.Errorf("%s: %+v", bad, r)
	}
	s.tells(t, bad, "rejected")
}
