package wire_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/wire"
	"s3resizer/internal/wire/wiretest"
)

func TestWhatAddDidRemoveUndoesAndOthersEntriesStay(t *testing.T) {
	for name, test := range map[string]struct {
		target    func(*testing.T, *wiretest.AWS) wire.Target
		prefix    string
		suffixes  []string
		deletions bool
		want      []string // parts of the new lines
		action    string
	}{
		"a function, for all that is below a prefix": {
			func(t *testing.T, a *wiretest.AWS) wire.Target { return functionAt(t, a.Function("s3resizer")) },
			"holiday/", nil, false, []string{`function:s3resizer [s3:ObjectCreated:*] "holiday/" ""`}, "lambda:InvokeFunction",
		},
		"an alias of a function, by suffix": {
			func(t *testing.T, a *wiretest.AWS) wire.Target { return functionAt(t, a.Function("s3resizer:live")) },
			"", []string{".jpg", ".JPG", ".png", ".jpg"}, false, []string{
				`function:s3resizer:live [s3:ObjectCreated:*] "" ".JPG"`, `function:s3resizer:live [s3:ObjectCreated:*] "" ".jpg"`, `function:s3resizer:live [s3:ObjectCreated:*] "" ".png"`,
			}, "lambda:InvokeFunction",
		},
		"a queue, deletions too, a prefix with a space, a plus and a letter beyond ASCII": {
			func(t *testing.T, a *wiretest.AWS) wire.Target {
				return queueAt(t, a.Queue("uploads", `{"Version":"2008-10-17","Statement":{"Sid":"them","Effect":"Allow","Principal":"*","Action":"SQS:*","Resource":"x"}}`))
			},
			"my photos/1+1 é/", []string{".jpg"}, true, []string{`:uploads [s3:LifecycleExpiration:* s3:ObjectCreated:* s3:ObjectRemoved:*] "my+photos/1%2B1+%C3%A9/" ".jpg"`}, "sqs:SendMessage",
		},
		"several prefixes and suffixes": {
			func(t *testing.T, a *wiretest.AWS) wire.Target { return queueAt(t, a.Queue("uploads", "")) },
			"b/,a/,b/", []string{".jpg", ".JPG"}, false, []string{
				`:uploads [s3:ObjectCreated:*] "a/" ".JPG"`, `:uploads [s3:ObjectCreated:*] "a/" ".jpg"`, `:uploads [s3:ObjectCreated:*] "b/" ".JPG"`, `:uploads [s3:ObjectCreated:*] "b/" ".jpg"`,
			}, "sqs:SendMessage",
		},
		"a queue without a policy": {
			func(t *testing.T, a *wiretest.AWS) wire.Target { return queueAt(t, a.Queue("uploads", "")) },
			"a/", nil, false, []string{`:uploads [s3:ObjectCreated:*] "a/" ""`}, "sqs:SendMessage",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			others(a)
			if test.deletions { // the audit's topic is told of them
				a.Edit("photos", func(c *wiretest.Configuration) { c.Topics = nil })
			}
			if test.prefix == "" { // the backlog is told of everything below logs/
				a.Edit("photos", func(c *wiretest.Configuration) { c.Queues = nil })
			}
			u := at(t, a, test.target(t, a))
			arn := strings.TrimPrefix(strings.TrimPrefix(u.target.String(), "the function "), "the queue ")
			before, policy := a.Notifications("photos"), a.Policy(arn)

			must(t, u.addFor(test.prefix, test.suffixes, test.deletions))
			lines := added(t, before, a.Notifications("photos"))
			if len(lines) != len(test.want) {
				t.Errorf("added %q, want %q", lines, test.want)
			}
			for _, want := range test.want {
				if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "s3wire-") && strings.HasSuffix(line, want) }) {
					t.Errorf("%q is not among %q", want, lines)
				}
			}
			wantWords(t, a.Policy(arn), test.action, `:SourceArn":"arn:aws:s3:::photos"`, `:SourceAccount":"`+wiretest.Account+`"`, `"s3wire-photos"`)

			calls := len(a.Calls())
			must(t, u.addFor(test.prefix, test.suffixes, test.deletions))
			for _, call := range a.Calls()[calls:] {
				if !strings.Contains(call, ":Get") {
					t.Errorf("a second add calls %s", call)
				}
			}
			wantWords(t, u.out.String(), "Nothing to do")

			must(t, u.remove(""))
			if after := a.Notifications("photos"); !slices.Equal(after, before) {
				t.Errorf("after it all: %q\nwant: %q", after, before)
			}
			if strings.HasPrefix(policy, `{"Version":"2008`) {
				policy = strings.Replace(strings.Replace(policy, `"Statement":{`, `"Statement":[{`, 1), "}}", "}]}", 1)
			}
			same(t, a.Policy(arn), policy)
			must(t, u.remove(""))
			wantWords(t, u.out.String(), "Nothing to do")
		})
	}
}

func TestEventBridgeIsASwitchForAll(t *testing.T) {
	a := wiretest.Start(t, "photos")
	others(a)
	before := a.Notifications("photos")
	u := at(t, a, wire.Target{})
	must(t, u.add(""))
	if lines := added(t, before, a.Notifications("photos")); !slices.Equal(lines, []string{"EventBridge"}) {
		t.Errorf("added %q", lines)
	}
	wantWords(t, u.out.String(), "+ EventBridge", "five minutes")

	must(t, u.remove(""))
	if lines := added(t, before, a.Notifications("photos")); !slices.Equal(lines, []string{"EventBridge"}) {
		t.Errorf("off, though nobody said so: %q", lines)
	}
	wantWords(t, u.warned.String(), "EventBridge stays on", "--disable-eventbridge")

	w, err := u.open()
	must(t, err)
	must(t, w.Remove(t.Context(), filter(t, "", nil, false), true))
	if after := a.Notifications("photos"); !slices.Equal(after, before) {
		t.Errorf("after it all: %q, want %q", after, before)
	}
}

// The events of uploads, through the embedded S3, as the wiring has them.
func TestUploadsReachWhatIsWired(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn, pending := a.Function("s3resizer"), a.Queue("uploads", "")
	must(t, at(t, a, functionAt(t, arn)).add("my photos/", ".jpg"))
	must(t, at(t, a, queueAt(t, pending)).add("logs/"))
	client := s3.NewFromConfig(a.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	for _, key := range []string{"my photos/cat.JPG", "my+photos/cat.jpg", "cat.jpg", "my photos/cat.jpg", "logs/1"} {
		bucket := "photos"
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(key)})
		must(t, err)
	}
	for _, want := range []wiretest.Delivery{{Target: arn, Key: "my photos/cat.jpg"}, {Target: pending, Key: "logs/1"}} {
		select {
		case got := <-a.Delivered:
			if got.EntryID = ""; got != want {
				t.Errorf("delivered %+v, want %+v", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%+v was not delivered", want)
		}
	}
}

// Random configurations of others, and random wishes: what S3 would refuse is refused before it is asked, and named; what
// it takes is added, and gone after remove, with everything else as it was.
func TestRandomConfigurations(t *testing.T) {
	const rounds = 120
	random := rand.New(rand.NewPCG(6, 1))
	a := wiretest.Start(t, "photos")
	var topics, queues, functions []string
	for i := range 3 {
		topics, queues, functions = append(topics, a.Topic(fmt.Sprint("t", i))), append(queues, a.Queue(fmt.Sprint("q", i), "")), append(functions, a.Function(fmt.Sprint("f", i)))
	}
	for i := range 3 {
		a.SetPolicy(queues[i], statementOf(queues[i], "sqs:SendMessage"))
		a.SetPolicy(functions[i], statementOf(functions[i], "lambda:InvokeFunction"))
	}
	one := func(from []string) string { return from[random.IntN(len(from))] }
	prefixes, suffixes := []string{"", "", "a/", "a/b/", "c+d/", "logs"}, []string{"", "", ".jpg", ".JPG", "x.jpg", ".p%2Bg"}
	allEvents := []string{"s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRestore:*", "s3:LifecycleExpiration:*"}
	entry := func() wiretest.Entry {
		e := wiretest.Entry{Events: []string{one(allEvents)}}
		if second := one(allEvents); second[:10] != e.Events[0][:10] {
			e.Events = append(e.Events, second)
		}
		for name, value := range map[string]string{"prefix": one(prefixes), "suffix": one(suffixes)} {
			if value != "" || random.IntN(4) == 0 {
				e.Rules = append(e.Rules, wiretest.Rule{Name: name, Value: value})
			}
		}
		if random.IntN(2) == 0 {
			e.ID = fmt.Sprintf("theirs %d", random.Uint64())
		}
		return e
	}
	target := func(e *wiretest.Entry) {
		switch random.IntN(3) {
		case 0:
			e.Topic = one(topics)
		case 1:
			e.Queue = one(queues)
		default:
			e.Function = one(functions)
		}
	}
	did := map[string]int{}
	for round := range rounds {
		// What S3 takes of some entries is what somebody has.
		a.Edit("photos", func(c *wiretest.Configuration) { *c = wiretest.Configuration{} })
		for range random.IntN(6) {
			e := entry()
			target(&e)
			_ = put(t, a, e)
		}
		if random.IntN(3) == 0 {
			a.Edit("photos", func(c *wiretest.Configuration) { c.EventBridge = &struct{}{} })
		}
		before := a.Notifications("photos")

		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		if random.IntN(2) == 0 {
			u.target = queueAt(t, a.Queue("uploads", ""))
		}
		prefix, suffix, deletions := strings.ReplaceAll(one(prefixes), "+", " "), strings.ReplaceAll(one(suffixes), "%2B", "+"), random.IntN(3) == 0
		var wanted []string
		if suffix != "" {
			wanted = []string{suffix}
		}
		err := u.addFor(prefix, wanted, deletions)

		if conflict := (*wire.ConflictError)(nil); errors.As(err, &conflict) {
			did["refused"]++
			if after := a.Notifications("photos"); !slices.Equal(after, before) {
				t.Fatalf("round %d: refused, but changed: %q, want %q", round, after, before)
			}
			e := wiretest.Entry{Topic: topics[0], Events: []string{"s3:ObjectCreated:*"}}
			if deletions {
				e.Events = append(e.Events, "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*")
			}
			e.Rules = []wiretest.Rule{{Name: "prefix", Value: strings.ReplaceAll(prefix, " ", "+")}, {Name: "suffix", Value: strings.ReplaceAll(suffix, "+", "%2B")}}
			if put(t, a, e) == nil {
				t.Fatalf("round %d: S3 takes what was refused: %v beside %q", round, err, before)
			}
			continue
		}
		did["added"]++
		if err != nil {
			t.Fatalf("round %d: %v; there was %q", round, err, before)
		}
		if lines := added(t, before, a.Notifications("photos")); len(lines) != 1 || !strings.HasPrefix(lines[0], "s3wire-") {
			t.Fatalf("round %d: added %q to %q", round, lines, before)
		}
		must(t, u.remove(""))
		if after := a.Notifications("photos"); !slices.Equal(after, before) {
			t.Fatalf("round %d: after it all: %q, want %q", round, after, before)
		}
	}
	if t.Logf("%v", did); did["added"] < rounds/5 || did["refused"] < rounds/5 {
		t.Errorf("%v of %d rounds: too one-sided to show anything", did, rounds)
	}
}
