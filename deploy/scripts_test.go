package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	scripts   = []string{"push.sh", "deploy.sh", "destroy.sh"}
	forSource = "SOURCE_BUCKET=" + source
	confirm   = "CONFIRM=yes"
)

func TestScriptsLookBeforeTheyTouchAnything(t *testing.T) {
	for _, script := range scripts {
		for name, c := range map[string]struct {
			spoil   func(*desk)
			environ string
			because string
		}{
			"no AWS CLI":     {func(d *desk) { _ = os.Remove(filepath.Join(d.path, "aws")) }, "", "AWS CLI"},
			"an old CLI":     {func(*desk) {}, "CLI=1.45.11", "version 2"},
			"no Docker":      {func(d *desk) { _ = os.Remove(filepath.Join(d.path, "docker")) }, "", "Docker (https"},
			"no engine":      {func(*desk) {}, "FAIL=info", "engine does not answer"},
			"no credentials": {func(*desk) {}, "FAIL=get-caller-identity", "no good credentials"},
			"no region":      {func(*desk) {}, "REGION=", "AWS_REGION"},
		} {
			t.Run(script+", "+name, func(t *testing.T) {
				d := newDesk(t)
				d.stack("--eventbridge")
				c.spoil(d)
				d.run(script, confirm, forSource, c.environ).refused(t, c.because)
			})
		}
	}
}

func TestScriptsOnlyTellUntilTheyAreConfirmed(t *testing.T) {
	for script, want := range map[string][]string{
		"push.sh":    {"aws ecr create-repository", "--platform linux/arm64", "--platform linux/amd64", "docker push", "make push VERSION=1.2.3 SOURCE_BUCKET=photos PATIENCE=8 CONFIRM=yes"},
		"deploy.sh":  {"aws cloudformation deploy", "s3wire add s3://photos --function", "make deploy VERSION=1.2.3 SOURCE_BUCKET=photos PATIENCE=8 CONFIRM=yes"},
		"destroy.sh": {"s3wire remove s3://photos --function arn", "aws cloudformation delete-stack", "make destroy VERSION=1.2.3 SOURCE_BUCKET=photos PATIENCE=8 CONFIRM=yes"},
	} {
		t.Run(script, func(t *testing.T) {
			d := newDesk(t)
			if script == "destroy.sh" {
				d.stack("--function arn:aws:lambda:eu-central-1:123456789012:function:f")
			}
			r := d.run(script, forSource)
			if !r.ok || len(r.changes()) > 0 || r.out != "" {
				t.Errorf("ok: %v, changed %v, printed %q\n%s", r.ok, r.changes(), r.out, r.errors)
			}
			for _, words := range want {
				if !strings.Contains(r.errors, words) {
					t.Errorf("%q is not in\n%s", words, r.errors)
				}
			}
		})
	}
}

func TestPush(t *testing.T) {
	const registry = account + ".dkr.ecr." + region + ".amazonaws.com"
	t.Run("into a new repository", func(t *testing.T) {
		d := newDesk(t)
		r := d.run("push.sh", confirm)
		r.inOrder(t, "ecr create-repository --repository-name s3resizer --image-scanning-configuration scanOnPush=true", "put-lifecycle-policy", "set-repository-policy",
			"docker login --username AWS --password-stdin "+registry,
			"docker build --platform linux/arm64", "docker push --quiet "+registry+"/s3resizer:1.2.3-arm64",
			"docker build --platform linux/amd64", "docker push --quiet "+registry+"/s3resizer:1.2.3-amd64")
		if password := d.text("password"); password != "pass-word" || r.at("pass-word") >= 0 || strings.Contains(r.errors, "pass-word") {
			t.Errorf("the password is %q, or is shown", password)
		}
		if rules, ok := dig(decoded(t, d.text("lifecycle")), "rules").([]any); !ok || len(rules) != 2 {
			t.Errorf("the lifecycle is %v", rules)
		}
		policy := statements(t, decoded(t, d.text("repository-policy")))
		if len(policy) != 1 || !slices.Equal(policy[0].Condition["StringEquals"]["aws:SourceAccount"], list{account}) || len(policy[0].Condition["ArnLike"]["aws:SourceArn"]) != 1 {
			t.Errorf("%+v", policy)
		}
		if builds := d.text("builds"); builds != "BuildKit 1, no attestations 1\nBuildKit 1, no attestations 1" {
			t.Errorf("built with %s", builds)
		}
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		if !r.ok || len(lines) != 2 {
			t.Fatalf("%s\n%s", r.out, r.errors)
		}
		pattern := dig(readTemplate(t).Parameters, "ImageUri", "AllowedPattern").(string)
		for i, platform := range []string{"arm64", "amd64"} {
			uri, of, _ := strings.Cut(lines[i], " ")
			if of != platform || !regexp.MustCompile("^"+pattern+"$").MatchString(uri) {
				t.Errorf("%s is no image that the template takes, for %s", lines[i], platform)
			}
		}
	})
	t.Run("into one that is there", func(t *testing.T) {
		d := newDesk(t)
		d.put("repository", "")
		if r := d.run("push.sh", confirm); !r.ok || r.at("create-repository") >= 0 || r.at("put-lifecycle-policy") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	for name, c := range map[string]struct {
		environ, because, never string
	}{
		"what can't be built is not pushed":     {"FAIL=build", "", "docker push"},
		"without a login nothing is built":      {"FAIL=login", "", "docker build --"},
		"a repository that can't be looked at":  {"FAIL=describe-repositories", "can't be looked at", "create-repository"},
		"an index of images is refused":         {"MANIFEST=application/vnd.oci.image.index.v1+json", "which Lambda refuses", "linux/amd64"},
		"a push that fails is the end of it":    {"FAIL=push", "", "linux/amd64"},
		"a repository that can't be made":       {"FAIL=create-repository", "", "docker"},
		"a digest that ECR does not know of it": {"FAIL=describe-images", "which digest", "linux/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDesk(t).run("push.sh", confirm, c.environ)
			if never := r.at(c.never); c.never == "docker" {
				never = slices.IndexFunc(r.changes(), func(call string) bool { return strings.HasPrefix(call, "docker") })
				if never >= 0 {
					t.Errorf("%v", r.calls)
				}
			} else if never >= 0 {
				t.Errorf("%s is called: %v", c.never, r.calls)
			}
			if r.ok || !strings.Contains(r.errors, c.because) || r.out != "" {
				t.Errorf("ok: %v, %q\n%s", r.ok, r.out, r.errors)
			}
		})
	}
}

func TestDeploy(t *testing.T) {
	const function, queue = "--function arn:aws:lambda:eu-central-1:123456789012:function:f", "--queue arn:aws:sqs:eu-central-1:123456789012:q"
	t.Run("for the first time", func(t *testing.T) {
		d := newDesk(t)
		r := d.run("deploy.sh", confirm, forSource)
		r.inOrder(t, "cloudformation deploy --stack-name s3resizer", "docker build --quiet --target cli", "docker run", "s3 cp --quiet", "s3://photos-resized/.s3resizer/",
			"s3 presign s3://photos-resized/small-k.jpg", "s3 presign s3://photos-resized/medium-k.jpg", "s3 presign s3://photos-resized/large-k.jpg",
			"s3 rm --quiet s3://photos/s3resizer-smoke-test/", "s3 rm --quiet s3://photos-resized/.s3resizer/s3resizer-smoke-test/",
			"s3 rm --quiet s3://photos-resized/small-k.jpg", "s3 rm --quiet s3://photos-resized/medium-k.jpg", "s3 rm --quiet s3://photos-resized/large-k.jpg")
		if r.at("s3wire add s3://photos "+function) < 0 || r.at("s3wire add s3://photos-resized") >= 0 {
			t.Errorf("wired by %v", r.calls)
		}
		if !r.ok || strings.Count(r.out, "https://presigned.example/") != 3 || !strings.Contains(r.out, `"status":"resized"`) {
			t.Errorf("%s\n%s", r.out, r.errors)
		}
		if given := r.passed(t); given["DestinationBucketIs"] != "new" || given["SourceBucket"] != source || given["DestinationBucket"] != destination || !strings.HasPrefix(given["ImageUri"], account) {
			t.Errorf("%v", given)
		}
		if got := d.text("environment"); got != "AKID\nsecret\n"+region || strings.Contains(strings.Join(r.calls, " "), "secret") {
			t.Errorf("s3wire has %q, or everybody who lists processes", got)
		}
	})
	t.Run("over a bucket that an earlier stack left", func(t *testing.T) {
		d := newDesk(t)
		d.put("buckets/"+destination, "")
		r := d.run("deploy.sh", confirm, forSource)
		if given := r.passed(t); !r.ok || given["DestinationBucketIs"] != "existing" || r.at("s3wire add s3://photos-resized --eventbridge") < 0 {
			t.Errorf("%v\n%v\n%s", given, r.calls, r.errors)
		}
	})
	t.Run("again", func(t *testing.T) {
		d := newDesk(t)
		d.stack(function)
		d.put("buckets/"+destination, "")
		d.put("owned", destination)
		r := d.run("deploy.sh", confirm, forSource)
		if given := r.passed(t); !r.ok || given["DestinationBucketIs"] != "new" || r.at("s3wire remove") >= 0 {
			t.Errorf("%v\n%v\n%s", given, r.calls, r.errors)
		}
	})
	t.Run("in one bucket, which it remembers", func(t *testing.T) {
		d := newDesk(t)
		one := "DESTINATION_BUCKET=" + source
		r := d.run("deploy.sh", confirm, forSource, one, "PARAMETERS=SourcePrefix=in/ KeyTemplate=out/{size}/{key} Originals=delete")
		if given := r.passed(t); !r.ok || given["DestinationBucketIs"] != "existing" || r.at("s3wire add s3://photos/in/ "+function) < 0 || r.at("s3wire add s3://photos --eventbridge") < 0 {
			t.Errorf("%v\n%v\n%s", given, r.calls, r.errors)
		}
		d.put("outputs/KeyTemplateUsed", "out/{size}/{key}")
		if r := d.run("deploy.sh", confirm, forSource, one); !r.ok {
			t.Errorf("again: %s", r.errors)
		}
	})
	t.Run("with another trigger, the old entry goes first", func(t *testing.T) {
		d := newDesk(t)
		d.stack(function)
		r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=Trigger=sqs Quality=75")
		r.inOrder(t, "s3wire remove s3://photos "+function, "cloudformation deploy", "s3wire add s3://photos "+queue)
		if given := r.passed(t); given["Trigger"] != "sqs" || given["Quality"] != "75" {
			t.Errorf("%v", given)
		}
	})
	t.Run("deletions are told of while they are asked for", func(t *testing.T) {
		d := newDesk(t)
		if r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=DeleteRenditions=yes"); !r.ok || r.at("s3wire add s3://photos "+function+" --delete") < 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
		if r := d.run("deploy.sh", confirm, forSource); !r.ok || r.at("s3wire add s3://photos "+function+" --delete") < 0 {
			t.Errorf("again, unsaid: %v\n%s", r.calls, r.errors)
		}
		if r := d.run("deploy.sh", forSource, "PARAMETERS=DeleteRenditions=yes Trigger=eventbridge"); strings.Contains(r.out+r.errors, "--delete") {
			t.Errorf("EventBridge, as a trial: %s%s", r.out, r.errors)
		}
		if r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=DeleteRenditions=no"); !r.ok || r.at("s3wire add s3://photos "+function) < 0 || r.at("s3wire add s3://photos "+function+" --delete") >= 0 {
			t.Errorf("no more: %v\n%s", r.calls, r.errors)
		}
	})
	t.Run("a prefix stays, and goes, as it is said", func(t *testing.T) {
		d := newDesk(t)
		if r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=SourcePrefix=in/"); r.at("s3wire add s3://photos/in/ --function") < 0 || r.at("s3 cp", "s3://photos/in/s3resizer-smoke-test/") < 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
		if r := d.run("deploy.sh", confirm, forSource); r.at("s3wire add s3://photos/in/ --function") < 0 || r.at("s3wire remove") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
		d.run("deploy.sh", confirm, forSource, "PARAMETERS=SourcePrefix=").inOrder(t, "s3wire remove s3://photos --function", "cloudformation deploy", "s3wire add s3://photos --function")
	})
	t.Run("through EventBridge, whose rule has the prefix", func(t *testing.T) {
		r := newDesk(t).run("deploy.sh", confirm, forSource, "PARAMETERS=Trigger=eventbridge SourcePrefix=in/")
		if !r.ok || r.at("s3wire add s3://photos --eventbridge") < 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("with a distribution, the pictures are shown through it", func(t *testing.T) {
		if r := newDesk(t).run("deploy.sh", confirm, forSource, "PARAMETERS=CloudFront=yes"); !strings.Contains(r.out, "https://d111.cloudfront.net/large-k.jpg\n") || r.at("presign") >= 0 {
			t.Errorf("%s\n%s", r.out, r.errors)
		}
	})
	t.Run("what the test made stays if it shall", func(t *testing.T) {
		if r := newDesk(t).run("deploy.sh", confirm, forSource, "KEEP=yes"); !r.ok || r.at("s3 rm") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("where there is Go, s3wire is not run in its image", func(t *testing.T) {
		d := newDesk(t)
		d.link(filepath.Join(d.path, "env"), "go") // env build … fails, and so does what waits for it
		if r := d.run("deploy.sh", confirm, forSource); r.ok || r.at("docker run") >= 0 || r.at("s3 cp") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
}

func TestDeployRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*desk)
		environ []string
		because string
	}{
		"no bucket":                       {nil, []string{"SOURCE_BUCKET="}, "which bucket"},
		"one bucket for both":             {nil, []string{"DESTINATION_BUCKET=" + source}, "give the uploads and the renditions a folder each"},
		"one bucket, renditions anywhere": {nil, []string{"DESTINATION_BUCKET=" + source, "PARAMETERS=SourcePrefix=in/ KeyTemplate={size}/{key}"}, "a folder each"},
		"one bucket, uploads anywhere":    {nil, []string{"DESTINATION_BUCKET=" + source, "PARAMETERS=KeyTemplate=out/{size}/{key}"}, "a folder each"},
		"one bucket, one in the other":    {nil, []string{"DESTINATION_BUCKET=" + source, "PARAMETERS=SourcePrefix=in/ KeyTemplate=in/r-{size}/{key}"}, "SourcePrefix=in/: the function writes into in/"},
		"one bucket, uploads as records":  {nil, []string{"DESTINATION_BUCKET=" + source, "PARAMETERS=SourcePrefix=.s KeyTemplate=out/{size}/{key}"}, "writes into .s3resizer/"},
		"a bucket that isn't there":       {nil, []string{"SOURCE_BUCKET=nothing"}, "there is no bucket nothing"},
		"a bucket of another account":     {func(d *desk) { d.put("buckets/"+source, "another account's") }, nil, "another account's"},
		"a destination that is another's": {func(d *desk) { d.put("buckets/"+destination, "another account's") }, nil, destination + " can't be looked at"},
		"a bucket in another region":      {func(d *desk) { d.put("locations/"+source, "None") }, nil, "in us-east-1, not in eu-central-1"},
		"a destination in another region": {
			func(d *desk) { d.put("buckets/"+destination, ""); d.put("locations/"+destination, "EU") }, nil, destination + " is in eu-west-1, not in eu-central-1",
		},
		"no image":                              {nil, []string{"FAIL=describe-images"}, "make push"},
		"an architecture of Docker's":           {nil, []string{"ARCHITECTURE=amd64"}, "x86_64"},
		"a stack of another bucket":             {func(d *desk) { d.stack(""); d.put("outputs/SourceBucketName", "others") }, nil, "is for others"},
		"a parameter that has its own variable": {nil, []string{"PARAMETERS=SourceBucket=x"}, "SOURCE_BUCKET"},
		"a parameter without a value":           {nil, []string{"PARAMETERS=Quality 75"}, "Name=value"},
		"a quote without its other one":         {nil, []string{"PARAMETERS=CacheControl='public, max-age=60"}, "PARAMETERS has a quote without"},
		"more than the quota":                   {nil, []string{"PARAMETERS=ReservedConcurrency=50", "QUOTA=10 10"}, "at most 0: of the account's 10"},
		"more than Lambda leaves of the quota":  {nil, []string{"PARAMETERS=ReservedConcurrency=50", "QUOTA=1000 149"}, "at most 49: of the account's 1000"},
		"a bucket with a policy, for CloudFront": {
			func(d *desk) { d.put("buckets/"+destination, ""); d.put("policy", "") }, []string{"PARAMETERS=CloudFront=yes"}, "a policy of its own",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			if c.spoil != nil {
				c.spoil(d)
			}
			d.run("deploy.sh", slices.Concat([]string{confirm, forSource}, c.environ)...).refused(t, c.because)
		})
	}
}

func TestDeployStopsWhereAStepFails(t *testing.T) {
	for name, c := range map[string]struct{ fail, never string }{
		"a stack that fails is not wired": {"cloudformation deploy", "docker run"},
		"without a wire nothing is put":   {"s3wire add", "s3 cp"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := newDesk(t).run("deploy.sh", confirm, forSource, "FAIL="+c.fail); r.ok || r.at(c.never) >= 0 {
				t.Errorf("ok: %v, %v\n%s", r.ok, r.calls, r.errors)
			}
		})
	}
	for name, c := range map[string]struct{ record, because string }{
		"no record comes":             {"", "no s3://photos-resized/.s3resizer/"},
		"the picture was not resized": {`{"status":"rejected","class":"corrupt"}`, "rejected"},
	} {
		t.Run(name+": what was put is taken away", func(t *testing.T) {
			d := newDesk(t)
			if d.put("record", c.record); c.record == "" {
				_ = os.Remove(filepath.Join(d.state, "record"))
			}
			r := d.run("deploy.sh", confirm, forSource)
			if r.ok || !strings.Contains(r.errors, c.because) || r.at("s3 rm", "s3://photos/s3resizer-smoke-test/") < 0 || r.at("s3 rm", "s3://photos-resized/.s3resizer/") < 0 {
				t.Errorf("ok: %v, %v\n%s", r.ok, r.calls, r.errors)
			}
		})
	}
}

func TestDestroy(t *testing.T) {
	const function = "--function arn:aws:lambda:eu-central-1:123456789012:function:f"
	t.Run("unwires before it deletes, and keeps what is in the buckets", func(t *testing.T) {
		d := newDesk(t)
		d.stack(function)
		d.put("buckets/"+destination, "")
		r := d.run("destroy.sh", confirm)
		r.inOrder(t, "s3wire remove s3://photos "+function, "cloudformation delete-stack", "cloudformation wait stack-delete-complete")
		if !r.ok || r.at("s3 rm") >= 0 || r.at("delete-bucket") >= 0 || r.at("delete-object") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("leaves EventBridge on, to which others may listen", func(t *testing.T) {
		d := newDesk(t)
		d.stack("--eventbridge")
		d.put("buckets/"+destination, "")
		if r := d.run("destroy.sh", confirm); !r.ok || r.at("docker run") >= 0 || r.at("delete-stack") < 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("a stack that never came to be has nothing to unwire", func(t *testing.T) {
		d := newDesk(t)
		d.stack("")
		d.put("buckets/"+destination, "")
		if r := d.run("destroy.sh", confirm); !r.ok || r.at("docker run") >= 0 || r.at("delete-stack") < 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("what can't be unwired stays", func(t *testing.T) {
		d := newDesk(t)
		d.stack(function)
		if r := d.run("destroy.sh", confirm, "FAIL=s3wire remove"); r.ok || r.at("delete-stack") >= 0 {
			t.Errorf("%v\n%s", r.calls, r.errors)
		}
	})
	t.Run("no stack", func(t *testing.T) {
		newDesk(t).run("destroy.sh", confirm).refused(t, "there is no stack s3resizer")
	})
}

// What a script asks the stack for, the template has to say.
func TestTheScriptsAskForOutputsThatThereAre(t *testing.T) {
	outputs, asked := readTemplate(t).Outputs, 0
	for _, script := range scripts {
		data, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\$\(output ([A-Za-z]+)`).FindAllSubmatch(data, -1) {
			if asked++; outputs[string(found[1])] == nil {
				t.Errorf("%s asks for %s", script, found[1])
			}
		}
	}
	if asked < 8 {
		t.Errorf("%d questions found", asked)
	}
}
