//go:build localstack

package localstack_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// destroyed shows that both buckets, with all that is in them, and what others have at the source stay, and nothing else.
func (s *stack) destroyed(t *testing.T) {
	uploads, renditions := keys(t, s.source), keys(t, s.destination)
	if len(renditions) == 0 {
		t.Fatal("there is nothing to lose")
	}
	said, err := run(t, s.environ(), "../destroy.sh")
	if err != nil {
		t.Fatalf("%v\n%v", err, said)
	}
	said.says(t, "s3://"+s.source+" stays", "s3://"+s.destination+" stays")
	if now := keys(t, s.source); !slices.Equal(now, uploads) {
		t.Errorf("the uploads were %q, and are %q", uploads, now)
	}
	if now := keys(t, s.destination); !slices.Equal(now, renditions) {
		t.Errorf("the renditions were %q, and are %q", renditions, now)
	}
	s.trigger = "eventbridge" // of which nothing is seen at the bucket but that it is on, if it ever was
	ours, others := s.notifications(t)
	if others != s.others || len(ours) > 1 || (len(ours) == 1) != s.listened {
		t.Errorf("%s tells %v and %s, want %s", s.source, ours, others, s.others)
	}
	key := "others/theirs.jpg"
	put(t, s.source, key, photo(t, 40, 30, 1))
	s.someoneElse.hears(t, "somebody else of "+key, func(body string) bool { return strings.Contains(body, key) })
	s.nothingIsLeft(t)
}

// nothingIsLeft looks for what has the stack's name, as all has that the template makes.
func (s *stack) nothingIsLeft(t *testing.T) {
	t.Helper()
	for _, list := range []string{
		"cloudformation list-stacks --query StackSummaries[?StackStatus!='DELETE_COMPLETE'].StackName",
		"lambda list-functions --query Functions[].FunctionName",
		"lambda list-event-source-mappings --query EventSourceMappings[].FunctionArn",
		"sqs list-queues --query QueueUrls", "sns list-topics --query Topics[].TopicArn",
		"events list-rules --query Rules[].Name", "iam list-roles --query Roles[].RoleName",
		"logs describe-log-groups --query logGroups[].logGroupName", "cloudwatch describe-alarms --query MetricAlarms[].AlarmName",
	} {
		var names []string
		cli(t, &names, strings.Fields(list)...)
		for _, name := range names {
			if strings.Contains(name, s.name) && !isOfTheTest(name, s.name) {
				t.Errorf("%s: %s is left", list, name)
			}
		}
	}
	containers, err := exec.Command(os.Getenv("DOCKER"), "ps", "-q", "--filter", "name="+s.name+"-Function").Output()
	if err != nil || len(containers) > 0 {
		t.Errorf("containers that still run: %s, %v", containers, err)
	}
}

func isOfTheTest(name, stack string) bool {
	return slices.ContainsFunc([]string{"others-of-", "bus-of-", "topic-of-", "test-"}, func(prefix string) bool { return strings.HasSuffix(name, prefix+stack) })
}

// A first deployment that fails is recognised by the next one, which deletes what it left and makes it anew.
func TestADeploymentThatFails(t *testing.T) {
	t.Parallel()
	s := newStack(t, "fails-first")
	said, err := run(t, s.environ("IMAGE_URI="+account+".dkr.ecr."+region+".amazonaws.com/s3resizer:nothing"), "../deploy.sh")
	if err == nil {
		t.Fatalf("an image that isn't there was deployed\n%v", said)
	}
	said.says(t, "Source image", "does not exist", "ROLLBACK_COMPLETE", "give the same command again")
	if ours, others := s.notifications(t); len(ours) > 0 || others != s.others {
		t.Errorf("%s tells %v and %s", s.source, ours, others)
	}
	s.deploy(t, "SourcePrefix="+prefix).says(t, "was never finished", "+ aws cloudformation delete-stack", "+ aws cloudformation deploy")
	s.works(t, "mended")
	s.destroyed(t)
}
