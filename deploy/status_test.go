package deploy_test

import (
	"strings"
	"testing"
)

// What is left of a stack that something went wrong with.
func TestDeployLooksAtWhatIsLeft(t *testing.T) {
	t.Run("of a first deployment that failed, which is deleted, and its bucket taken", func(t *testing.T) {
		d := newDesk(t)
		d.stack("")
		d.put("buckets/"+destination, "")
		d.put("owned", destination)
		r := d.run("deploy.sh", forSource, "STATUS=ROLLBACK_COMPLETE")
		if !r.ok || len(r.changes()) > 0 || !strings.Contains(r.errors, "would run: aws cloudformation delete-stack") || !strings.Contains(r.errors, "was never finished") {
			t.Errorf("a preview: %v\n%s", r.changes(), r.errors)
		}
		r = d.run("deploy.sh", forSource, confirm, "STATUS=ROLLBACK_COMPLETE")
		r.inOrder(t, "cloudformation delete-stack", "cloudformation wait stack-delete-complete", "cloudformation deploy", "s3wire add s3://photos --function")
		if given := r.passed(t); !r.ok || given["DestinationBucketIs"] != "existing" {
			t.Errorf("%v\n%s", given, r.errors)
		}
	})
	for status, because := range map[string]string{
		"UPDATE_IN_PROGRESS":     "wait until it is done",
		"UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
		"DELETE_FAILED":          "make destroy",
	} {
		t.Run(status, func(t *testing.T) {
			d := newDesk(t)
			d.stack("")
			d.run("deploy.sh", forSource, confirm, "STATUS="+status).refused(t, because)
		})
	}
	t.Run("of a change set that was never executed, which is no matter", func(t *testing.T) {
		d := newDesk(t)
		d.stack("")
		if r := d.run("deploy.sh", forSource, confirm, "STATUS=REVIEW_IN_PROGRESS"); !r.ok {
			t.Error(r.errors)
		}
	})
}

func TestAnUpdateLosesNoUploadUnsaid(t *testing.T) {
	const function, queue = "--function arn:aws:lambda:eu-central-1:123456789012:function:f", "--queue arn:aws:sqs:eu-central-1:123456789012:q"
	const announced = "raise no event"
	t.Run("a queue that goes is empty first", func(t *testing.T) {
		d := newDesk(t)
		d.stack(queue)
		d.put("queue", "2")
		r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=Trigger=direct", "PATIENCE=60")
		r.inOrder(t, "s3wire remove s3://photos "+queue, "sqs get-queue-attributes", "cloudformation deploy", "s3wire add s3://photos "+function)
		if asked := strings.Count(strings.Join(r.calls, "\n"), "get-queue-attributes"); !r.ok || asked != 2+5 || d.text("queue") != "0" {
			t.Errorf("asked %d times, %s are left\n%s", asked, d.text("queue"), r.errors)
		}
	})
	t.Run("or the bucket is wired to it again", func(t *testing.T) {
		d := newDesk(t)
		d.stack(queue)
		d.put("outputs/WiringOfDeletions", "--delete")
		d.put("outputs/SourcePrefixUsed", "in/")
		d.put("queue", "1000")
		r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=Trigger=direct")
		r.inOrder(t, "s3wire remove s3://photos "+queue, "s3wire add s3://photos/in/ "+queue+" --delete")
		if r.ok || r.at("cloudformation deploy") >= 0 || !strings.Contains(r.errors, "still uploads in the queue") {
			t.Errorf("ok: %v\n%s", r.ok, r.errors)
		}
	})
	t.Run("and if the queue can't be looked at", func(t *testing.T) {
		d := newDesk(t)
		d.stack(queue)
		r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=Trigger=direct", "FAIL=get-queue-url")
		r.inOrder(t, "s3wire remove s3://photos "+queue, "s3wire add s3://photos "+queue)
		if r.ok || r.at("cloudformation deploy") >= 0 || !strings.Contains(r.errors, "can't be looked at") {
			t.Errorf("ok: %v\n%s", r.ok, r.errors)
		}
	})
	t.Run("so it is when the deployment fails, and that says why", func(t *testing.T) {
		d := newDesk(t)
		d.stack(function)
		r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=Trigger=sqs", "FAIL=cloudformation deploy")
		r.inOrder(t, "s3wire remove s3://photos "+function, "cloudformation deploy", "s3wire add s3://photos "+function)
		if r.ok || !strings.Contains(r.errors, "Source image does not exist") || !strings.Contains(r.errors, "give the same command again") {
			t.Errorf("ok: %v\n%s", r.ok, r.errors)
		}
	})
	t.Run("EventBridge's rule goes too, before another entry is there", func(t *testing.T) {
		d := newDesk(t)
		d.stack("--eventbridge")
		if r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=Trigger=sqs"); !r.ok || !strings.Contains(r.errors, announced) || r.at("s3wire remove") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
		d.put("outputs/Wiring", "--eventbridge")
		if r := d.run("deploy.sh", forSource, confirm, "PARAMETERS=SourcePrefix=in/ Trigger=eventbridge"); !r.ok || strings.Contains(r.errors, announced) {
			t.Errorf("a prefix in the rule: %v\n%s", r.calls, r.errors)
		}
	})
}

func TestDestroyLooksBeforeItSays(t *testing.T) {
	const queue = "--queue arn:aws:sqs:eu-central-1:123456789012:q"
	d := newDesk(t)
	d.stack(queue)
	d.put("queue", "3")
	if r := d.run("destroy.sh"); !r.ok || len(r.changes()) > 0 || !strings.Contains(r.errors, "uploads that wait in q, and go with it: 3") {
		t.Errorf("%v\n%s", r.changes(), r.errors)
	}
	if r := d.run("destroy.sh", confirm); r.ok || !strings.Contains(r.errors, "s3://photos stays") || !strings.Contains(r.errors, "s3://photos-resized is not there") {
		t.Errorf("ok: %v, though the bucket is gone\n%s", r.ok, r.errors)
	}
	d.stack(queue)
	d.put("buckets/"+destination, "")
	if r := d.run("destroy.sh", confirm); !r.ok || !strings.Contains(r.errors, "s3://photos-resized stays") {
		t.Errorf("ok: %v\n%s", r.ok, r.errors)
	}
}
