package wire_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/wire"
	"s3resizer/internal/wire/wiretest"
)

// What others do at the same time, and AWS's own delays.

// theirs is an entry that somebody else adds meanwhile.
func theirs(c *wiretest.Configuration) {
	c.Topics = append(c.Topics, wiretest.Entry{ID: "meanwhile", Topic: "arn:aws:sns:eu-central-1:123456789012:audit", Events: []string{"s3:ObjectTagging:*"}})
}

const theirLine = `meanwhile arn:aws:sns:eu-central-1:123456789012:audit [s3:ObjectTagging:*] "" ""`

func TestSomebodyElseWritesTheConfigurationToo(t *testing.T) {
	has := func(lines []string, word string) bool {
		return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, word) })
	}
	t.Run("between what was shown and the write: theirs is kept, and told of", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		others(a)
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		a.Before("lambda:AddPermission", func() { a.Edit("photos", theirs) })
		must(t, u.add("holiday/"))
		if lines := a.Notifications("photos"); !slices.Contains(lines, theirLine) || !has(lines, "function:s3resizer") || len(lines) != 5 {
			t.Errorf("there is %q", lines)
		}
		wantWords(t, u.warned.String(), "somebody else has changed the configuration meanwhile", "+ topic    arn:aws:sns:eu-central-1:123456789012:audit  s3:ObjectTagging:*")
	})
	t.Run("between what was shown and the write, in our way: nothing is left behind", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn, faster := a.Function("s3resizer"), a.Function("faster")
		a.Before("lambda:AddPermission", func() {
			a.Edit("photos", func(c *wiretest.Configuration) {
				c.Functions = []wiretest.Entry{{ID: "first", Function: faster, Events: []string{"s3:ObjectCreated:Put"}}}
			})
		})
		wantError(t, at(t, a, functionAt(t, arn)).add(""), `"first"`, "in the way")
		if lines := a.Notifications("photos"); len(lines) != 1 || !has(lines, "first") || a.Policy(arn) != "" {
			t.Errorf("there is %q, and the policy %q", lines, a.Policy(arn))
		}
	})
	t.Run("between the write and the reading back: theirs is kept, and told of", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		a.Topic("audit")
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		a.After("s3:PutBucketNotification", func() { a.Edit("photos", theirs) })
		must(t, u.add(""))
		if lines := a.Notifications("photos"); !slices.Contains(lines, theirLine) || !has(lines, "function:s3resizer") {
			t.Errorf("there is %q", lines)
		}
		wantWords(t, u.warned.String(), "at the same time. This change is in place", "+ topic")
		if strings.Count(strings.Join(a.Calls(), " "), "s3:PutBucketNotification") != 1 {
			t.Errorf("written more than once: %q", a.Calls())
		}
	})
	t.Run("from a reading before the write, so that it loses ours: ours is added to theirs", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		others(a)
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		a.After("s3:PutBucketNotification", func() {
			a.Edit("photos", func(c *wiretest.Configuration) {
				c.Functions = slices.DeleteFunc(c.Functions, func(e wiretest.Entry) bool { return strings.Contains(e.Function, "s3resizer") })
				theirs(c)
			})
		})
		must(t, u.add("holiday/"))
		if lines := a.Notifications("photos"); !slices.Contains(lines, theirLine) || !has(lines, "function:s3resizer") || len(lines) != 5 {
			t.Errorf("there is %q", lines)
		}
		wantWords(t, u.warned.String(), "over this change; trying again", "- function", "+ topic")
	})
	t.Run("again and again: it gives up and says so", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		a.Topic("audit")
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		for i := range 3 {
			a.After("s3:PutBucketNotification", func() {
				a.Edit("photos", func(c *wiretest.Configuration) {
					*c = wiretest.Configuration{}
					theirs(c)
					c.Topics[0].ID = fmt.Sprint("meanwhile ", i)
				})
			})
		}
		wantError(t, u.add(""), "3 times", "Terraform")
		if lines := a.Notifications("photos"); len(lines) != 1 || !has(lines, "meanwhile 2") {
			t.Errorf("there is %q", lines)
		}
	})
	t.Run("while remove does", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		a.Topic("audit")
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		must(t, u.add(""))
		a.After("s3:GetBucketNotification", func() { a.Edit("photos", theirs) })
		must(t, u.remove(""))
		if lines := a.Notifications("photos"); !slices.Equal(lines, []string{theirLine}) {
			t.Errorf("there is %q", lines)
		}
		wantWords(t, u.warned.String(), "meanwhile")
	})
}

func TestAWSTakesItsTime(t *testing.T) {
	for name, lag := range map[string]struct{ reads, validations int }{
		"S3 shows the old configuration for a while": {2, 0},
		"S3 does not see the permission for a while": {0, 2},
		"both": {1, 1},
		"an S3 that is slower than anybody's patience is told of it": {0, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := wiretest.Start(t, "photos")
			arn := a.Function("s3resizer")
			a.Lag(lag.reads, lag.validations)
			u := at(t, a, functionAt(t, arn))
			if lag.validations == 1000 {
				u.patience = 600 * time.Millisecond
				wantError(t, u.add(""), "S3 can't send to the function "+arn, "Not authorized to invoke function")
				if len(a.Notifications("photos")) != 0 || a.Policy(arn) != "" {
					t.Errorf("left behind: %q, and the policy %q", a.Notifications("photos"), a.Policy(arn))
				}
				return
			}
			must(t, u.add(""))
			if lines := a.Notifications("photos"); len(lines) != 1 {
				t.Errorf("there is %q", lines)
			}
			if u.warned.Len() > 0 {
				t.Errorf("nobody else was there: %s", &u.warned)
			}
			must(t, u.remove(""))
			if lines := a.Notifications("photos"); len(lines) != 0 || a.Policy(arn) != "" || u.warned.Len() > 0 {
				t.Errorf("there is %q, %q, %s", lines, a.Policy(arn), &u.warned)
			}
		})
	}
}

func TestFailuresLeaveNothingHalfDone(t *testing.T) {
	t.Run("S3 refuses the write: the permission is taken back", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.Deny("s3:PutBucketNotification")
		wantError(t, at(t, a, functionAt(t, arn)).add(""), "s3:PutBucketNotification", "s3://photos")
		if policy := a.Policy(arn); policy != "" {
			t.Errorf("left behind: %s", policy)
		}
	})
	t.Run("somebody else registers the bucket's name before the write: it is not written to", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.Before("s3:PutBucketNotification", func() { a.Take("photos", "210987654321") })
		wantError(t, at(t, a, functionAt(t, arn)).add(""), "AccessDenied", "--bucket-owner")
		if len(a.Notifications("photos")) != 0 || a.Policy(arn) != "" {
			t.Errorf("there is %q, %q", a.Notifications("photos"), a.Policy(arn))
		}
	})
	t.Run("a permission from before is left", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		u := at(t, a, functionAt(t, arn))
		must(t, u.add("a/"))
		policy := a.Policy(arn)
		a.Deny("s3:PutBucketNotification")
		wantError(t, u.add("b/"), "s3:PutBucketNotification")
		same(t, a.Policy(arn), policy)
	})
	t.Run("whether S3 has written is not known: the permission stays, and another run completes it", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.Break("s3:PutBucketNotification", 3) // the SDK's tries
		u := at(t, a, functionAt(t, arn))
		wantError(t, u.add(""), http.StatusText(http.StatusServiceUnavailable)[:7])
		if a.Policy(arn) == "" {
			t.Error("an entry that was written could not be served")
		}
		must(t, u.add(""))
		must(t, u.remove(""))
		if len(a.Notifications("photos")) != 0 || a.Policy(arn) != "" {
			t.Errorf("there is %q, %q", a.Notifications("photos"), a.Policy(arn))
		}
	})
	t.Run("it was written, and may not be read back: the permission stays", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.After("s3:PutBucketNotification", func() { a.Deny("s3:GetBucketNotification") })
		wantError(t, at(t, a, functionAt(t, arn)).add(""), "was written, but can't be read back")
		if len(a.Notifications("photos")) != 1 || a.Policy(arn) == "" {
			t.Errorf("there is %q, %q", a.Notifications("photos"), a.Policy(arn))
		}
	})
	t.Run("the permission could not be taken away: another remove does", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		u := at(t, a, functionAt(t, arn))
		must(t, u.add(""))
		a.Break("lambda:RemovePermission", 3)
		if u.remove("") == nil || a.Policy(arn) == "" {
			t.Fatal("no failure")
		}
		must(t, u.remove(""))
		if a.Policy(arn) != "" {
			t.Errorf("there is %s", a.Policy(arn))
		}
	})
}

// An entry of somebody else's whose topic is gone makes S3 refuse every configuration that has it.
func TestABrokenTargetOfOthersIsNotInTheWay(t *testing.T) {
	a := wiretest.Start(t, "photos")
	others(a)
	before := a.Notifications("photos")
	a.Drop("arn:aws:sns:eu-central-1:123456789012:audit")
	arn := a.Function("s3resizer")
	u := at(t, a, functionAt(t, arn))
	must(t, u.add("holiday/"))
	wantWords(t, u.warned.String(), "S3 can't send to arn:aws:sns:eu-central-1:123456789012:audit", "The destination topic does not exist")
	if lines := added(t, before, a.Notifications("photos")); len(lines) != 1 {
		t.Errorf("added %q", lines)
	}
	u.target = wire.Target{}
	must(t, u.add(""))

	u.target = functionAt(t, arn)
	a.Drop(arn) // as when a stack was deleted before it was unwired
	must(t, u.remove(""))
	if after := a.Notifications("photos"); !slices.Equal(after, append(before, "EventBridge")) {
		t.Errorf("there is %q, want %q", after, before)
	}
}

func TestAnotherOperationOnTheBucketIsWaitedFor(t *testing.T) {
	t.Run("and what it has changed is kept", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.Busy(2)
		a.After("s3:PutBucketNotification", func() { others(a) })
		u := at(t, a, functionAt(t, arn))
		must(t, u.add("holiday/"))
		wantWords(t, u.warned.String(), "S3 is at another change of s3://photos: trying again for up to 10s", "meanwhile")
		if warned := strings.Count(u.warned.String(), "another change"); warned != 1 {
			t.Errorf("told %d times", warned)
		}
		with := a.Notifications("photos")
		a.Busy(1)
		must(t, u.remove(""))
		if lines := added(t, a.Notifications("photos"), with); len(lines) != 1 || len(with) != 4 {
			t.Errorf("added %q, in all %q", lines, with)
		}
	})
	t.Run("but not for ever, and the permission goes again", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		arn := a.Function("s3resizer")
		a.Busy(1000)
		u := at(t, a, functionAt(t, arn))
		u.patience = 600 * time.Millisecond
		wantError(t, u.add(""), "OperationAborted", "keeps changing the bucket", "s3://photos")
		if len(a.Notifications("photos")) != 0 || a.Policy(arn) != "" {
			t.Errorf("there is %q, %q", a.Notifications("photos"), a.Policy(arn))
		}
	})
}
