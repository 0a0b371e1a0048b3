package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// desk is a machine with docker, the AWS CLI and an account behind it, all of which are stand-ins: see testdata.
type desk struct {
	t       *testing.T
	state   string
	path    string
	environ []string
}

// coreutils are what the scripts take for granted.
var coreutils = strings.Fields("bash env git cat cut date dirname grep mkdir printenv printf rm sed sleep touch xargs")

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, state: t.TempDir(), path: t.TempDir(), environ: []string{"REGION=" + region, "PAUSE=0", "PATIENCE=8", "VERSION=1.2.3"}}
	for _, name := range coreutils {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		d.link(found, name)
	}
	for _, name := range []string{"aws", "docker"} {
		standIn, err := filepath.Abs(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		d.link(standIn, name)
	}
	for _, folder := range []string{"buckets", "locations", "outputs"} {
		if err := os.Mkdir(filepath.Join(d.state, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.put("buckets/"+source, "")
	d.put("calls", "")
	d.put("record", `{"status":"resized","source":{"bucket":"photos","key":"k.jpg","etag":"e"},"renditions":[`+
		`{"size":"small","key":"small-k.jpg"},{"size":"medium","key":"medium-k.jpg"},{"size":"large","key":"large-k.jpg"}]}`)
	return d
}

func (d *desk) link(from, name string) {
	d.t.Helper()
	if err := os.Symlink(from, filepath.Join(d.path, name)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) put(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.state, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) text(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.state, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// stack makes one of before.
func (d *desk) stack(wiring string) {
	d.put("stack", "")
	d.put("outputs/Wiring", wiring)
	d.put("outputs/SourceBucketName", source)
	d.put("outputs/DestinationBucketName", destination)
}

// ran is a script that has.
type ran struct {
	ok          bool
	out, errors string
	calls       []string
	parameters  string
}

func (d *desk) run(script string, environ ...string) ran {
	d.t.Helper()
	d.put("calls", "")
	command := exec.Command(filepath.Join(d.path, "bash"), script)
	command.Env = slices.Concat([]string{"PATH=" + d.path, "STATE=" + d.state, "HOME=" + d.state}, d.environ, environ)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	return ran{err == nil, out.String(), problems.String(), strings.Split(d.text("calls"), "\n"), d.text("parameters")}
}

// at is where the first call with these words is, or -1.
func (r ran) at(words ...string) int {
	return slices.IndexFunc(r.calls, func(call string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(call, word) })
	})
}

// inOrder checks that there are such calls, each behind the one before it.
func (r ran) inOrder(t *testing.T, calls ...string) {
	t.Helper()
	last := -1
	for _, words := range calls {
		at := slices.IndexFunc(r.calls[last+1:], func(call string) bool { return strings.Contains(call, words) })
		if at < 0 {
			t.Errorf("%q is not called behind %v, in\n%s\n%s", words, calls, strings.Join(r.calls, "\n"), r.errors)
			return
		}
		last += 1 + at
	}
}

// reads are the calls that change nothing.
var reads = regexp.MustCompile(`^$|^aws (--version|sts get-caller-identity|configure (get|export-credentials)|ecr describe-|s3api (head|get)-|cloudformation describe-|(lambda|sqs) get-)|^docker (info|buildx version|version .*)$`)

func (r ran) changes() []string {
	return slices.DeleteFunc(slices.Clone(r.calls), reads.MatchString)
}

func (r ran) refused(t *testing.T, because string) {
	t.Helper()
	if r.ok || !strings.Contains(r.errors, because) || len(r.changes()) > 0 {
		t.Errorf("ok: %v, changed %v, and said\n%s\nwant something about %q", r.ok, r.changes(), r.errors, because)
	}
}

func decoded(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// passed are the parameters that the template was given.
func (r ran) passed(t *testing.T) map[string]string {
	t.Helper()
	if r.at("cloudformation deploy") < 0 {
		t.Fatalf("no stack is made: %v\n%s", r.calls, r.errors)
	}
	given := map[string]string{}
	for pair := range strings.SplitSeq(r.parameters, "\n") {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	if _, err := readTemplate(t).evaluate(given); err != nil {
		t.Error(err)
	}
	return given
}
