//go:build localstack

package localstack_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// Three stacks at the same time take three steps each, and so go from each trigger to each other one. Each tells its results
// in one way: LocalStack does not update a rule's targets (docs/tested.md).
var ways = map[string]struct {
	triggers [3]string
	results  string
}{
	"direct-first":      {[3]string{"direct", "eventbridge", "direct"}, "sqs"},
	"eventbridge-first": {[3]string{"eventbridge", "sqs", "eventbridge"}, "eventbridge"},
	"sqs-first":         {[3]string{"sqs", "direct", "sqs"}, "sns"},
}

func TestStacks(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, name)
			shows := func(what string, test func(*testing.T)) {
				if !t.Run(what, test) {
					t.FailNow() // what follows would wait for what does not come
				}
			}
			shows("deployed with "+way.triggers[0], func(t *testing.T) {
				s.deploy(t, "Trigger="+way.triggers[0], "ResultsTo="+way.results, "SourcePrefix="+prefix, "Timeout=30")
				s.works(t, "first")
			})
			s.showsPages(shows)
			shows("deployed again", s.stays)
			shows("from "+way.triggers[0]+" to "+way.triggers[1], func(t *testing.T) {
				s.changes(t, "Trigger="+way.triggers[1], "DeleteRenditions=yes")
				s.works(t, "second")
				s.deletes(t, "second")
			})
			s.showsPages(shows)
			shows("from "+way.triggers[1]+" to "+way.triggers[2], func(t *testing.T) {
				s.changes(t, "Trigger="+way.triggers[2])
				s.works(t, "third")
				s.deletes(t, "third")
			})
			shows("the destination gone", s.recovers)
			shows("destroyed", s.destroyed)
		})
	}
}

// works puts pictures through the stack.
func (s *stack) works(t *testing.T, named string) {
	t.Helper()
	s.wired(t)
	good, bad := s.key(named+"/my photo+1.jpg"), s.key(named+"/broken.jpg")
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

// resources are those of the stack, each with its physical id and when it was last touched.
func (s *stack) resources(t *testing.T) (all []string) {
	t.Helper()
	var resources [][]string
	cli(t, &resources, "cloudformation", "describe-stack-resources", "--stack-name", s.name, "--query", "StackResources[].[LogicalResourceId,PhysicalResourceId,Timestamp]")
	for _, resource := range resources {
		all = append(all, strings.Join(resource, " "))
	}
	slices.Sort(all)
	return all
}

// stays shows that a second deployment, which names no parameter, changes nothing.
func (s *stack) stays(t *testing.T) {
	resources, outputs := s.resources(t), s.outputs
	said, err := run(t, s.environ(), "../deploy.sh")
	if err != nil {
		t.Fatalf("%v\n%v", err, said)
	}
	said.says(t, "No changes to deploy", `"status":"resized"`)
	if again := s.resources(t); !slices.Equal(again, resources) {
		t.Errorf("the resources were %q, and are %q", resources, again)
	}
	if again := s.readOutputs(t); !maps.Equal(again, outputs) {
		t.Errorf("the outputs were %v, and are %v", outputs, again)
	}
	s.wired(t)
}

// changes updates the stack while pictures are uploaded, and shows that those, but for what was announced, are resized.
func (s *stack) changes(t *testing.T, parameters ...string) {
	t.Helper()
	uploads := s.uploading(t, "since-"+s.trigger)
	said := s.deploy(t, parameters...)
	made := uploads()
	from, announced := said.when("from here until it is wired again")
	end, wired := said.when("uploading s3://" + s.source)
	if !announced || !wired {
		t.Fatalf("no stretch is announced in\n%v", said)
	}
	before, within, after := 0, 0, 0
	for _, u := range made {
		switch {
		case u.done.Before(from):
			before++
			s.resized(t, u.key)
		case u.begun.After(end):
			after++
			s.resized(t, u.key)
		default:
			within++
		}
	}
	t.Logf("%d uploads before the stretch, %d in it (%v), %d after it", before, within, end.Sub(from), after)
	if before == 0 || after == 0 {
		t.Error("nothing is shown by it")
	}
}

// deletes shows that renditions go with their upload, and nothing else does.
func (s *stack) deletes(t *testing.T, named string) {
	t.Helper()
	gone, left := s.key(named+"/goes & is gone.jpg"), s.key(named+"/stays.jpg")
	for i, key := range []string{gone, left} {
		put(t, s.source, key, photo(t, 400, 300, uint8(i)))
		s.resized(t, key)
	}
	cli(t, nil, "s3api", "delete-object", "--bucket", s.source, "--key", gone)
	until(t, "that the renditions of "+gone+" go", func() bool {
		return !slices.ContainsFunc(keys(t, s.destination), func(key string) bool { return strings.Contains(key, gone) })
	})
	if s.trigger != "sqs" {
		s.tells(t, gone, "deleted")
	}
	s.resized(t, left)
}

// recovers shows what becomes of an upload when the destination is gone, and how it is sent again when it is back.
func (s *stack) recovers(t *testing.T) {
	dead := s.outputs["DeadLettersUrl"]
	if s.trigger == "sqs" { // tried again when it is visible again, three minutes later each time: not here
		queue := s.outputs["Wiring"][strings.LastIndex(s.outputs["Wiring"], ":")+1:]
		cli(t, nil, "sqs", "set-queue-attributes", "--queue-url", strings.Replace(dead, dead[strings.LastIndex(dead, "/")+1:], queue, 1), "--attributes", "VisibilityTimeout=1")
	}
	cli(t, nil, "s3", "rb", "--force", "s3://"+s.destination) // with all that is in it

	key := s.key("the fault+of an operator.jpg")
	put(t, s.source, key, photo(t, 400, 300, 7))
	until(t, "one dead letter, no more", func() bool { return waiting(t, dead) == 1 })
	event, attempts := peek(t, dead)
	if !strings.Contains(event, s.source) || !strings.Contains(event, "operator.jpg") {
		t.Errorf("the dead letter is %s", event)
	}
	if s.trigger == "sqs" {
		if attempts < 5 {
			t.Errorf("given up after %d attempts", attempts)
		}
	} else {
		for _, ear := range []*ear{s.bus, s.told} {
			failure := decode(ear.hears(t, "that "+key+" failed", func(body string) bool {
				m := decode(body)
				came := string(m.RequestPayload) // on the bus, those of others are heard as well
				return m.RequestContext.Condition == "RetriesExhausted" && strings.Contains(came, s.source) && strings.Contains(came, "operator.jpg")
			}))
			if failure.RequestContext.ApproximateInvokeCount != 3 || failure.ResponsePayload.ErrorType != "no-such-bucket" {
				t.Errorf("told is %+v", failure)
			}
			if !sameJSON(t, string(failure.RequestPayload), event) {
				t.Errorf("the dead letter is %s\nwhat came was %s", event, failure.RequestPayload)
			}
		}
	}

	cli(t, nil, "s3api", "create-bucket", "--bucket", s.destination, "--create-bucket-configuration", "LocationConstraint="+region)
	cli(t, nil, "s3api", "put-bucket-notification-configuration", "--bucket", s.destination, "--notification-configuration", `{"EventBridgeConfiguration": {}}`)
	s.sendAgain(t)
	s.resized(t, key)
	s.tells(t, key, "resized")
	until(t, "that no dead letter is left", func() bool { return waiting(t, dead) == 0 })
}

// sendAgain does with the dead letters what docs/deploy.md says.
func (s *stack) sendAgain(t *testing.T) {
	t.Helper()
	command := part(t, "docs/deploy.md", "while read -r receipt event", "```")
	environ := []string{"dead=" + s.outputs["DeadLettersUrl"], "function=" + s.outputs["FunctionName"]}
	if s.trigger == "sqs" {
		command = strings.ReplaceAll(part(t, "docs/deploy.md", "aws sqs start-message-move-task", "`"), "<DeadLettersArn>", s.outputs["DeadLettersArn"])
		// Debian 12's CLI is too old for it; LocalStack's image has a newer one.
		command = strings.Replace(command, "aws ", os.Getenv("DOCKER")+" exec "+os.Getenv("LOCALSTACK_CONTAINER")+" awslocal --endpoint-url $AWS_ENDPOINT_URL --region $AWS_REGION ", 1)
	}
	if said, err := run(t, environ, "bash", "-euc", command); err != nil {
		t.Fatalf("%s\n%v\n%v", command, err, said)
	}
}
