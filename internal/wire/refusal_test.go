package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"s3resizer/internal/wire"
	"s3resizer/internal/wire/wiretest"
)

func TestTheEntryInTheWayIsNamed(t *testing.T) {
	all := []string{"s3:ObjectCreated:*"}
	rules := func(prefix, suffix string) (rules []wiretest.Rule) {
		if prefix != "" {
			rules = append(rules, wiretest.Rule{Name: "prefix", Value: prefix})
		}
		if suffix != "" {
			rules = append(rules, wiretest.Rule{Name: "suffix", Value: suffix})
		}
		return rules
	}
	for name, test := range map[string]struct {
		theirs         wiretest.Entry
		prefix, suffix string
		inTheWay       bool
	}{
		"everything, everything":                 {wiretest.Entry{Events: all}, "", "", true},
		"one event of them":                      {wiretest.Entry{Events: []string{"s3:ObjectCreated:CompleteMultipartUpload"}}, "", "", true},
		"another event":                          {wiretest.Entry{Events: []string{"s3:ObjectRemoved:*"}}, "", "", false},
		"a prefix of theirs, everything of ours": {wiretest.Entry{Events: all, Rules: rules("logs/", "")}, "", "", true},
		"a prefix within a prefix":               {wiretest.Entry{Events: all, Rules: rules("a/", "")}, "a/b/", "", true},
		"two prefixes":                           {wiretest.Entry{Events: all, Rules: rules("a/", "")}, "b/", "", false},
		"a prefix here, a suffix there":          {wiretest.Entry{Events: all, Rules: rules("a/", "")}, "", ".jpg", true},
		"the same prefix, two suffixes":          {wiretest.Entry{Events: all, Rules: rules("a/", ".png")}, "a/", ".jpg", false},
		"a suffix within a suffix":               {wiretest.Entry{Events: all, Rules: rules("", "pg")}, "", "jpg", true},
		"suffixes of another case":               {wiretest.Entry{Events: all, Rules: rules("", ".JPG")}, "", ".jpg", false},
		"the same prefix, encoded otherwise":     {wiretest.Entry{Events: all, Rules: rules("my%20photos/", "")}, "my photos/", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			test.theirs.ID, test.theirs.Function = "thumbs", a.Function("thumbnails")
			a.SetPolicy(test.theirs.Function, statementOf(test.theirs.Function, "lambda:InvokeFunction"))
			a.Edit("photos", func(c *wiretest.Configuration) { c.Functions = []wiretest.Entry{test.theirs} })
			var suffixes []string
			if test.suffix != "" {
				suffixes = []string{test.suffix}
			}
			err := at(t, a, functionAt(t, a.Function("s3resizer"))).add(test.prefix, suffixes...)
			if !test.inTheWay {
				must(t, err)
				return
			}
			wantError(t, err, `"thumbs"`, test.theirs.Function, test.theirs.Events[0], "a prefix or a suffix", "--eventbridge")
			for _, call := range a.Calls() {
				if !strings.Contains(call, "Get") {
					t.Errorf("%s was called", call)
				}
			}
		})
	}
	t.Run("one of ours", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		u := at(t, a, functionAt(t, a.Function("s3resizer")))
		must(t, u.add("", ".jpg"))
		wantError(t, u.add(""), "s3wire's own", "s3wire remove", `"s3wire-`)
	})
}

func TestWhatIsThereAlreadyIsLeftToItsOwner(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn := a.Function("s3resizer")
	policy := strings.Replace(statementOf(arn, "lambda:InvokeFunction"), `"StringEquals"`, `"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"},"StringEquals"`, 1)
	a.SetPolicy(arn, policy)
	a.Edit("photos", func(c *wiretest.Configuration) {
		c.Functions = []wiretest.Entry{{ID: "by hand", Function: arn, Events: []string{"s3:ObjectCreated:*"}}}
	})
	before := a.Notifications("photos")
	u := at(t, a, functionAt(t, arn))
	must(t, u.add(""))
	wantWords(t, u.out.String(), "Nothing to do")
	must(t, u.remove(""))
	wantWords(t, u.warned.String(), `"by hand"`, "stays")
	if after := a.Notifications("photos"); !slices.Equal(after, before) {
		t.Errorf("there is %q, want %q", after, before)
	}
	same(t, a.Policy(arn), policy)
}

func TestRemoveTakesWhatIsNamedAndThePermissionWithTheLast(t *testing.T) {
	a := wiretest.Start(t, "photos")
	arn := a.Function("s3resizer")
	u := at(t, a, functionAt(t, arn))
	must(t, u.add("a/", ".jpg", ".png"))
	must(t, u.add("b/"))
	other := at(t, a, functionAt(t, a.Function("other")))
	must(t, other.add("c/"))
	for _, step := range []struct {
		prefix   string
		suffixes []string
		left     int
	}{{"z/", nil, 4}, {"", []string{".gif"}, 4}, {"a/", []string{".png"}, 3}, {"a/", nil, 2}, {"", nil, 1}} {
		must(t, u.remove(step.prefix, step.suffixes...))
		if lines := a.Notifications("photos"); len(lines) != step.left {
			t.Errorf("after %+v there is %q", step, lines)
		}
		if allowed := a.Policy(arn) != ""; allowed != (step.left > 1) {
			t.Errorf("after %+v the policy is %q", step, a.Policy(arn))
		}
	}
}

func TestAddAgainWithOtherEventsReplacesTheEntry(t *testing.T) {
	a := wiretest.Start(t, "photos")
	u := at(t, a, functionAt(t, a.Function("s3resizer")))
	must(t, u.add(""))
	must(t, u.addFor("", nil, true))
	wantWords(t, u.out.String(), "  - function", "  + function", "s3:LifecycleExpiration:*,s3:ObjectCreated:*,s3:ObjectRemoved:*")
	if lines := a.Notifications("photos"); len(lines) != 1 || !strings.Contains(lines[0], "[s3:LifecycleExpiration:* s3:ObjectCreated:* s3:ObjectRemoved:*]") {
		t.Errorf("there is %q", lines)
	}
}

// Whoever had the bucket's name before is not let in by what an older statement says.
func TestAnOutdatedPermissionIsRenewed(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *wiretest.AWS) (wire.Target, string){
		"function": func(t *testing.T, a *wiretest.AWS) (wire.Target, string) {
			arn := a.Function("s3resizer")
			return functionAt(t, arn), arn
		},
		"queue": func(t *testing.T, a *wiretest.AWS) (wire.Target, string) {
			arn := a.Queue("uploads", "")
			return queueAt(t, arn), arn
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			target, arn := make(t, a)
			u := at(t, a, target)
			must(t, u.add(""))
			good := a.Policy(arn)
			a.SetPolicy(arn, strings.ReplaceAll(good, wiretest.Account, "210987654321"))
			must(t, u.add(""))
			same(t, strings.ReplaceAll(a.Policy(arn), "aws:", "AWS:"), strings.ReplaceAll(good, "aws:", "AWS:"))
			wantWords(t, u.out.String(), "+ ", "s3wire-photos")
		})
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	a := wiretest.Start(t, "photos")
	others(a)
	u := at(t, a, queueAt(t, a.Queue("uploads", "")))
	before := a.Notifications("photos")
	u.dryRun = true
	must(t, u.add("holiday/", ".jpg"))
	wantWords(t, u.out.String(), "  + queue ", "holiday/*.jpg", "    topic ", "+ sqs:SendMessage for arn:aws:s3:::photos of account 123456789012", "Dry run")
	if after := a.Notifications("photos"); !slices.Equal(after, before) || a.Policy("arn:aws:sqs:eu-central-1:123456789012:uploads") != "" {
		t.Errorf("there is %q", after)
	}

	u.dryRun = false
	must(t, u.add("holiday/"))
	before = a.Notifications("photos")
	u.dryRun = true
	must(t, u.remove(""))
	wantWords(t, u.out.String(), "  - queue ", "- sqs:SendMessage", "Dry run")
	if after := a.Notifications("photos"); !slices.Equal(after, before) {
		t.Errorf("there is %q", after)
	}
}

// What the SDK does not know it leaves out, and written back without it somebody's entry would be lost.
func TestAConfigurationFromTheFutureIsNotTouched(t *testing.T) {
	a := wiretest.Start(t, "photos")
	a.Edit("photos", func(c *wiretest.Configuration) {
		c.Future = "<StreamConfiguration><Id>theirs</Id><Stream>arn:aws:kinesis:x</Stream></StreamConfiguration>"
	})
	wantError(t, at(t, a, functionAt(t, a.Function("s3resizer"))).add(""), "<StreamConfiguration>", "newer version")
}

func TestSuffixesOfOneCaseAreWarnedOf(t *testing.T) {
	for name, test := range map[string]struct {
		suffixes []string
		want     []string
	}{
		"lower alone":  {[]string{".jpg"}, []string{"IMG_0001.JPG", "--suffix .JPG"}},
		"upper alone":  {[]string{".PNG"}, []string{"IMG_0001.png", "--suffix .png"}},
		"both":         {[]string{".jpg", ".JPG"}, nil},
		"no letters":   {[]string{".1"}, nil},
		"any, so none": {nil, nil},
		"one of two":   {[]string{".jpg", ".JPG", ".png"}, []string{"--suffix .PNG"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			u := at(t, a, functionAt(t, a.Function("s3resizer")))
			must(t, u.add("", test.suffixes...))
			wantWords(t, u.warned.String(), test.want...)
			if test.want == nil && u.warned.Len() > 0 || strings.Count(u.warned.String(), "\n") > 1 {
				t.Errorf("it warns:\n%s", &u.warned)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const function = "arn:aws:lambda:eu-central-1:123456789012:function:s3resizer"
	for name, test := range map[string]struct {
		action string // denied
		target wire.Target
		words  []string
	}{
		"no s3:GetBucketNotification": {"s3:GetBucketNotification", functionAt(t, function), []string{"s3:GetBucketNotification", "s3://photos", "--bucket-owner"}},
		"no lambda:GetPolicy":         {"lambda:GetPolicy", functionAt(t, function), []string{"allow the caller lambda:GetPolicy on " + function}},
		"no lambda:AddPermission":     {"lambda:AddPermission", functionAt(t, function), []string{"allow the caller lambda:AddPermission on " + function}},
		"no sts:GetCallerIdentity":    {"sts:GetCallerIdentity", functionAt(t, function), []string{"allow the caller sts:GetCallerIdentity"}},
		"no sqs:GetQueueUrl":          {"sqs:GetQueueUrl", queueAt(t, "arn:aws:sqs:eu-central-1:123456789012:uploads"), []string{"allow the caller sqs:GetQueueUrl on arn:aws:sqs:"}},
		"no sqs:GetQueueAttributes":   {"sqs:GetQueueAttributes", queueAt(t, "arn:aws:sqs:eu-central-1:123456789012:uploads"), []string{"allow the caller sqs:GetQueueAttributes"}},
		"no sqs:SetQueueAttributes":   {"sqs:SetQueueAttributes", queueAt(t, "arn:aws:sqs:eu-central-1:123456789012:uploads"), []string{"allow the caller sqs:SetQueueAttributes"}},
		"no such function":            {"", functionAt(t, function+"2"), []string{"there is no function " + function + "2", "region"}},
		"no such queue":               {"", queueAt(t, "arn:aws:sqs:eu-central-1:123456789012:upload"), []string{"there is no such queue", ":upload"}},
		"a function elsewhere":        {"", functionAt(t, strings.Replace(function, "eu-central-1", "us-east-1", 1)), []string{"the bucket is in eu-central-1", "own region"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			a.Function("s3resizer")
			a.Queue("uploads", "")
			a.Deny(test.action)
			wantError(t, at(t, a, test.target).add(""), test.words...)
			if lines := a.Notifications("photos"); len(lines) > 0 {
				t.Errorf("there is %q", lines)
			}
		})
	}
	t.Run("somebody else's bucket", func(t *testing.T) {
		a := wiretest.Start(t, "photos")
		u := at(t, a, functionAt(t, function))
		u.owner = "210987654321"
		wantError(t, u.add(""), "AccessDenied", "--bucket-owner")
	})
	for name, test := range map[string]struct {
		change func(*aws.Config)
		bucket string
		words  []string
	}{
		"no region":          {func(c *aws.Config) { c.Region = "" }, "photos", []string{"AWS_REGION"}},
		"another region":     {func(c *aws.Config) { c.Region = "us-east-1" }, "photos", []string{"the bucket is in eu-central-1", "AWS_REGION"}},
		"no such bucket":     {func(*aws.Config) {}, "photo", []string{"NoSuchBucket", "s3://photo", "name"}},
		"unknown access key": {func(c *aws.Config) { c.Credentials = credentials.NewStaticCredentialsProvider("AKID", "x", "") }, "photos", []string{"InvalidClientTokenId", "AWS_PROFILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := wiretest.Start(t, "photos")
			cfg := a.Config()
			test.change(&cfg)
			u := at(t, a, wire.Target{})
			w, err := wire.Open(t.Context(), cfg, wire.Options{Bucket: test.bucket, Out: &u.out, Warnings: &u.warned})
			if err == nil {
				err = w.Show(t.Context())
			}
			wantError(t, err, test.words...)
		})
	}
}

func TestWhatCanNotBeATargetOrAFilter(t *testing.T) {
	for _, arn := range []string{"", "s3resizer", "arn:aws:lambda:eu-central-1:123456789012:function:s3resizer:$LATEST", "arn:aws:lambda::123456789012:function:a", "arn:aws:sqs:eu-central-1:123456789012:a", "arn:aws:lambda:eu-central-1:123456789012:layer:a"} {
		if _, err := wire.Function(arn); err == nil || !strings.Contains(err.Error(), "arn:aws:lambda:REGION:ACCOUNT:function:NAME") {
			t.Errorf("%q: %v", arn, err)
		}
	}
	for arn, want := range map[string]string{
		"": "arn:aws:sqs:REGION", "https://sqs.eu-central-1.amazonaws.com/123456789012/a": "arn:aws:sqs:REGION", "arn:aws:sqs:eu-central-1:123456789012:a.fifo": "no FIFO queue",
	} {
		if _, err := wire.Queue(arn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", arn, err)
		}
	}
	for _, test := range []struct {
		prefixes []string
		suffixes []string
		want     string
	}{
		{nil, []string{"*.jpg"}, "no wildcards"}, {[]string{"a/*/"}, nil, "no wildcards"}, {[]string{strings.Repeat("é", 200)}, nil, "1024"},
		{nil, []string{".jpg", "jpg"}, `--suffix "jpg" covers --suffix ".jpg", and S3 does not take both: leave the longer one out`},
		{[]string{"a/b/", "a/"}, nil, `--prefix "a/" covers --prefix "a/b/"`},
	} {
		if _, err := wire.NewFilter(test.prefixes, test.suffixes, false); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
