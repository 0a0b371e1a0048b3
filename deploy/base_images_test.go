package deploy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Whatever the Dockerfile builds on from elsewhere is an argument, and a release gives each a digest.
func TestAReleasePinsEveryBaseImage(t *testing.T) {
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := []string{"scratch"}
	var bases []string
	for _, from := range regexp.MustCompile(`(?m)^FROM (?:--platform=\S+ )?(\S+) AS (\S+)$`).FindAllStringSubmatch(string(dockerfile), -1) {
		if !slices.Contains(stages, from[1]) && !slices.Contains(bases, from[1]) {
			bases = append(bases, from[1])
		}
		stages = append(stages, from[2])
	}
	if all := strings.Count("\n"+string(dockerfile), "\nFROM "); len(bases) != 3 || len(stages) != all+1 {
		t.Fatalf("%v in %d of %d stages", bases, len(stages)-1, all)
	}
	d := newDesk(t)
	r := d.run("base-images.sh")
	digest := "sha256:" + strings.Repeat("0", 63) + "2"
	for _, base := range bases {
		name := strings.TrimPrefix(base, "$")
		image := regexp.MustCompile(`(?m)^ARG ` + name + `=(\S+)$`).FindSubmatch(dockerfile)
		if name == base || image == nil || !strings.Contains(r.out, "--build-arg="+name+"="+string(image[1])+"@"+digest) {
			t.Errorf("%s is not pinned by\n%s%s", base, r.out, r.errors)
		}
	}
	if r := d.run("base-images.sh", "DIGEST=<no value>"); r.ok || r.out != "" || !strings.Contains(r.errors, "digest of node") {
		t.Errorf("without a digest: %s", r.out)
	}
	if r := d.run("base-images.sh", "FAIL=golang"); r.ok || r.out != "" {
		t.Errorf("of an image that isn't there: %s", r.out)
	}
	if release, err := os.ReadFile("../.github/workflows/release.yml"); err != nil || !strings.Contains(string(release), "bases=$(deploy/base-images.sh)\n") || !strings.Contains(string(release), "docker build --pull $bases ") {
		t.Errorf("the release builds on something else, or %v", err)
	}
}
