package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the scripts say before they do it, and that the same is done then.

// whole is everything that can be set, with what a shell and make would take for their own.
var whole = map[string]string{
	"AWS_PROFILE": "my profile", "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "STACK": "pictures", "REPOSITORY": "team/pictures", "VERSION": "1.2.3-rc.1",
	"SOURCE_BUCKET": "photos", "DESTINATION_BUCKET": "thumbs", "ARCHITECTURE": "x86_64", "KEEP": "yes", "PATIENCE": "8",
	"IMAGE_URI":    "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/pictures:1",
	"PARAMETERS":   `Quality=75 CacheControl='public, max-age=60' SourcePrefix="it's/" Sizes=$HOME,"a b"`,
	"DOCKER":       "podman",
	"DOCKER_FLAGS": "--network host",
}

// The command that a preview ends with is run here, by a shell and make.
func TestThePreviewEndsWithTheWholeCommand(t *testing.T) {
	d := newDesk(t)
	d.link(filepath.Join(d.path, "docker"), "podman")
	var environ []string
	for name, value := range whole {
		environ = append(environ, name+"="+value)
	}
	r := d.run("deploy.sh", environ...)
	if !r.ok {
		t.Fatal(r.errors)
	}
	command := regexp.MustCompile(`(?m)^nothing was changed; this does it: make deploy (.*)$`).FindStringSubmatch(r.errors)
	if command == nil {
		t.Fatal(r.errors)
	}
	makefile, names := filepath.Join(t.TempDir(), "Makefile"), slices.Sorted(maps.Keys(whole))
	recipe := "show:\n\t@for name in " + strings.Join(names, " ") + " CONFIRM; do printf '%s=%s\\n' $$name \"$$(printenv $$name)\"; done\n"
	if err := os.WriteFile(makefile, []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	shown, err := exec.Command("bash", "-c", "make -s -f "+makefile+" show "+command[1]).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, name := range names {
		want += fmt.Sprintf("%s=%s\n", name, whole[name])
	}
	if want += "CONFIRM=yes\n"; string(shown) != want {
		t.Errorf("%s\nsets\n%s\nwant\n%s", command[0], shown, want)
	}
}

func TestParametersMayHaveSpaces(t *testing.T) {
	for given, want := range map[string]map[string]string{
		`CacheControl='public, max-age=60' Quality=75`:         {"CacheControl": "public, max-age=60", "Quality": "75"},
		`"CacheControl=public, max-age=60"`:                    {"CacheControl": "public, max-age=60"},
		"Quality=75\n\n  LogLevel=debug  ":                     {"Quality": "75", "LogLevel": "debug"},
		`SourcePrefix="it's/" Formats=`:                        {"SourcePrefix": "it's/", "Formats": ""},
		`Sizes=small=368,large=1440`:                           {"Sizes": "small=368,large=1440"},
		"CacheControl='$(touch $STATE/stolen) `id` * private'": {"CacheControl": "$(touch $STATE/stolen) `id` * private"},
	} {
		t.Run(given, func(t *testing.T) {
			d := newDesk(t)
			r := d.run("deploy.sh", confirm, forSource, "PARAMETERS="+given)
			if !r.ok || d.text("stolen") != "" {
				t.Fatal(r.errors)
			}
			got := r.passed(t)
			for _, ours := range strings.Fields("SourceBucket DestinationBucket DestinationBucketIs ImageUri Architecture") {
				delete(got, ours)
			}
			if !maps.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if len(want) == 1 && want["CacheControl"] != "" && !strings.Contains(r.errors, `CacheControl=public\,\ max-age=60`) && !strings.Contains(r.errors, `\$\(touch`) {
				t.Errorf("shown without its quotes:\n%s", r.errors)
			}
		})
	}
}

// The file is checked by the function itself, with what it inherits from the command and from the stack, before anything else.
func TestProfilesComeFromAFile(t *testing.T) {
	d := newDesk(t)
	d.stack("--eventbridge")
	d.put("outputs/Quality", "60") // the stand-in has no parameters of their own
	d.put("outputs/Formats", "webp")
	file := filepath.Join(d.state, "my profiles.json")
	d.put("my profiles.json", "[\n{\"prefix\": \"a b/\", \"skip\": true}\n]\n")
	r := d.run("deploy.sh", confirm, forSource, "PROFILES="+file, "PARAMETERS=Formats=source CacheControl='a, b'")
	if !r.ok || r.passed(t)["Profiles"] != `[{"prefix":"a b/","skip":true}]` {
		t.Errorf("%s\n%s", r.parameters, r.errors)
	}
	r.inOrder(t, "docker build --quiet -t s3resizer-settings", "docker run --rm", "cloudformation deploy")
	for _, want := range []string{"--env=RESIZE_QUALITY=60", "--env=RESIZE_FORMATS=source", "--env=RESIZE_CACHE_CONTROL=a, b", "--env=RESIZE_SIZES=", "--env=RESIZE_DEST_BUCKET=" + destination, "--env=RESIZE_PROFILES=["} {
		if !slices.Contains(strings.Split(d.text("settings"), "\n"), want) {
			t.Errorf("%s is not among\n%s", want, d.text("settings"))
		}
	}
	if r := d.run("deploy.sh", forSource, "PROFILES="+file); !r.ok || !strings.Contains(r.errors, `PROFILES=`+strings.ReplaceAll(file, " ", `\ `)) || !strings.Contains(r.errors, `Profiles=\[\{\"prefix\"`) {
		t.Errorf("ok: %v, %s", r.ok, r.errors)
	}
	if r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=Profiles="); !r.ok || r.parameters != strings.TrimSpace(r.parameters) || !strings.Contains(r.parameters, "\nProfiles=") {
		t.Errorf("%s\n%s", r.parameters, r.errors)
	}
	one := newDesk(t)
	r = one.run("deploy.sh", confirm, forSource, "DESTINATION_BUCKET="+source, "PROFILES="+file, "PARAMETERS=SourcePrefix=in/ KeyTemplate=out/{size}/{key}")
	if settings := one.text("settings"); !r.ok || strings.LastIndex(settings, "--env=RESIZE_DEST_BUCKET=") != strings.Index(settings, "--env=RESIZE_DEST_BUCKET={bucket}\n") {
		t.Errorf("one bucket: %s\n%s", settings, r.errors)
	}
	for because, environ := range map[string][]string{
		"are not accepted":                   {"PROFILES=" + file, "FAIL=--profiles"},
		"there is no file":                   {"PROFILES=" + file + ".old"},
		"has some: move it away":             {"PROFILES=" + file, "PARAMETERS=Profiles="},
		"Profiles is for the file: see PROF": {"PARAMETERS=Profiles='[]'"},
	} {
		r := d.run("deploy.sh", slices.Concat([]string{confirm, forSource}, environ)...)
		if r.ok || !strings.Contains(r.errors, because) || r.at("cloudformation deploy") >= 0 || r.at("s3wire") >= 0 {
			t.Errorf("ok: %v, want something about %q: %s", r.ok, because, r.errors)
		}
	}
}

func TestAPreviewBeforeTheFirstPush(t *testing.T) {
	r := newDesk(t).run("deploy.sh", forSource, "FAIL=describe-images")
	for _, words := range []string{"make push first", "ImageUri=" + account + ".dkr.ecr." + region + ".amazonaws.com/s3resizer:1.2.3-arm64", "s3wire add s3://photos"} {
		if !strings.Contains(r.errors, words) {
			t.Errorf("%q is not in\n%s", words, r.errors)
		}
	}
	if !r.ok || len(r.changes()) > 0 {
		t.Errorf("ok: %v, changed %v", r.ok, r.changes())
	}
}

// An update from one stack keeps what it has reserved already.
func TestConcurrencyIsHeldAgainstTheQuota(t *testing.T) {
	d := newDesk(t)
	d.stack("--eventbridge")
	d.put("outputs/FunctionName", "f")
	for name, environ := range map[string][]string{
		"there is enough":                         {"PARAMETERS=ReservedConcurrency=50", "QUOTA=1000 150"},
		"there is enough with what is our own":    {"PARAMETERS=ReservedConcurrency=50", "QUOTA=1000 110", "RESERVED=40"},
		"0 takes nothing":                         {"PARAMETERS=ReservedConcurrency=0", "QUOTA=10 10"},
		"none is asked for":                       {"PARAMETERS=Quality=75", "QUOTA=10 10"},
		"who may not look is told, and may go on": {"PARAMETERS=ReservedConcurrency=50", "FAIL=get-account-settings"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := d.run("deploy.sh", slices.Concat([]string{forSource}, environ)...); !r.ok || strings.Contains(r.errors, "GetAccountSettings") != strings.Contains(environ[1], "FAIL") {
				t.Errorf("%v\n%s", r.calls, r.errors)
			}
		})
	}
}

func TestWhereThereIsGoDockerIsForImagesAlone(t *testing.T) {
	d := newDesk(t)
	d.link(filepath.Join(d.path, "env"), "go")
	if err := os.Remove(filepath.Join(d.path, "docker")); err != nil {
		t.Fatal(err)
	}
	d.stack("--eventbridge")
	for _, script := range []string{"deploy.sh", "destroy.sh"} {
		if r := d.run(script, forSource); !r.ok {
			t.Errorf("%s: %s", script, r.errors)
		}
	}
	d.run("push.sh", forSource).refused(t, "missing:\n  Docker")
}

func TestDockerWithoutBuildKitIsToldBeforeAnythingIsBuilt(t *testing.T) {
	d := newDesk(t)
	d.run("push.sh", forSource, "FAIL=buildx", "DOCKER_VERSION=27.1.2").refused(t, "missing: Docker's plugin buildx, without which Docker 27.1.2 has no BuildKit")
	if r := d.run("push.sh", forSource, "FAIL=buildx", "DOCKER_VERSION=20.10.24"); !r.ok { // which has it built in
		t.Error(r.errors)
	}
	d.run("push.sh", forSource, "FAIL=info").refused(t, "Docker's engine does not answer")
}

func TestOtherPartitions(t *testing.T) {
	for partition, c := range map[string]struct{ region, domain string }{
		"aws-cn":     {"cn-north-1", "amazonaws.com.cn"},
		"aws-us-gov": {"us-gov-west-1", "amazonaws.com"},
	} {
		t.Run(partition, func(t *testing.T) {
			d := newDesk(t)
			environ := []string{confirm, forSource, "PARTITION=" + partition, "REGION=" + c.region}
			registry := account + ".dkr.ecr." + c.region + "." + c.domain
			r := d.run("push.sh", environ...)
			policy := statements(t, decoded(t, d.text("repository-policy")))
			if !r.ok || r.at("docker login", registry) < 0 || !strings.HasPrefix(r.out, registry+"/s3resizer@sha256:") ||
				!slices.Equal(policy[0].Condition["ArnLike"]["aws:SourceArn"], list{"arn:" + partition + ":lambda:" + c.region + ":" + account + ":function:*"}) {
				t.Errorf("%s%s\n%+v", r.out, r.errors, policy)
			}
			if r := d.run("deploy.sh", environ...); !r.ok || !strings.HasPrefix(r.passed(t)["ImageUri"], registry+"/") {
				t.Errorf("%s", r.errors)
			}
		})
	}
}

// EventBridge never hears of what was uploaded before it was switched on, so one upload would be waited for in vain.
func TestTheSmokeTestWaitsAsLongAsTheTriggerTakes(t *testing.T) {
	for trigger, want := range map[string]struct {
		uploads int
		said    string
	}{
		"direct":      {1, "up to 120 s"},
		"sqs":         {1, "up to 120 s"},
		"eventbridge": {10, "up to 600 s"},
	} {
		t.Run(trigger, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			if err := os.Remove(filepath.Join(d.state, "record")); err != nil {
				t.Fatal(err)
			}
			r := d.run("deploy.sh", confirm, forSource, "PATIENCE=", "PARAMETERS=Trigger="+trigger)
			uploads := 0
			for _, call := range r.calls {
				if strings.Contains(call, "docs/demo.jpg s3://photos/") {
					uploads++
				}
			}
			if r.ok || uploads != want.uploads || !strings.Contains(r.errors, want.said) || r.at("s3 rm", "s3://photos/s3resizer-smoke-test/") < 0 {
				t.Errorf("%d uploads, want %d\n%s", uploads, want.uploads, r.errors)
			}
		})
	}
}
