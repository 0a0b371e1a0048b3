//go:build image

// What must be true of the image as it ships, in IMAGE; `make image-test` builds it and runs this, beside the function's
// own tests in it.

package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/runtimeapi"
	"s3resizer/s3io"
)

// maxImageBytes, uncompressed.
func maxImageBytes() int64 {
	if os.Getenv("HEIC") != "" {
		return 60_000_000
	}
	return 45_000_000
}

func setting(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func imageName() string { return setting("IMAGE", "s3resizer") }

func docker(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(setting("DOCKER", "docker"), args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("docker %s: %s", args, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImageSaysWhatItIs(t *testing.T) {
	var all []struct {
		Size         int64
		Os           string
		Architecture string
		Config       struct {
			User       string
			Entrypoint []string
			Cmd        []string
			Env        []string
			Labels     map[string]string
		}
	}
	if err := json.Unmarshal(docker(t, "image", "inspect", imageName()), &all); err != nil {
		t.Fatal(err)
	}
	got := all[0]
	t.Logf("%.1f MB", float64(got.Size)/1e6)
	if most := maxImageBytes(); got.Size > most {
		t.Errorf("%d bytes, want at most %d", got.Size, most)
	}
	if got.Os != "linux" || got.Config.User != "65532:65532" || !slices.Equal(got.Config.Entrypoint, []string{"/var/runtime/bootstrap"}) || len(got.Config.Cmd) > 0 {
		t.Errorf("%+v", got)
	}
	for _, setting := range imageEnvironment {
		if !slices.Contains(got.Config.Env, setting) {
			t.Errorf("no %s in %v", setting, got.Config.Env)
		}
	}
	version := strings.Fields(string(docker(t, "run", "--rm", "--read-only", "--cap-drop", "ALL", imageName(), "--version")))
	if label := got.Config.Labels["org.opencontainers.image.version"]; len(version) < 4 || label+"," != version[1] || version[2] != "libvips" {
		t.Errorf("prints %q, is labelled %q", version, label)
	}
	for _, label := range []string{"title", "description", "licenses", "revision", "base.name"} {
		if got.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("no label org.opencontainers.image.%s", label)
		}
	}
}

// files lists what a container of the image would see.
func files(t *testing.T) map[string]*tar.Header {
	t.Helper()
	container := strings.TrimSpace(string(docker(t, "create", imageName())))
	defer docker(t, "rm", container)
	all := map[string]*tar.Header{}
	for archive := tar.NewReader(bytes.NewReader(docker(t, "export", container))); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all["/"+strings.TrimSuffix(header.Name, "/")] = header
	}
}

func TestImageHoldsNothingToBreakInWith(t *testing.T) {
	all := files(t)
	for name, file := range all {
		mode := file.FileInfo().Mode()
		regular := file.Typeflag == tar.TypeReg && file.Size > 0 // Docker's mount points are empty
		isLibrary := strings.Contains(filepath.Base(name), ".so")
		switch {
		case regular && mode&0o111 != 0 && name != "/var/runtime/bootstrap" && !isLibrary:
			t.Errorf("a program: %s", name)
		case mode&(os.ModeSetuid|os.ModeSetgid) != 0 && regular:
			t.Errorf("runs as another user: %s", name)
		case mode&os.ModeSymlink == 0 && name != "/tmp" && name != "/var/tmp" && !strings.HasPrefix(name, "/dev") && (mode&0o002 != 0 || file.Uid == 65532 && name != "/home/nonroot"):
			t.Errorf("can be written by the function's user: %s %v", name, mode)
		}
	}
	wanted := []string{"/licenses/LICENSE", "/licenses/NOTICE", "/licenses/libvips.md", "/licenses/github.com/davidbyttow/govips/v2/LICENSE", "/licenses/golang.org/x/net/LICENSE", "/licenses/libjpeg62-turbo-dev.txt", "/licenses/libzimg-dev.txt", "/licenses/linked-versions.txt", "/usr/share/common-licenses/LGPL-3", "/etc/ssl/certs/ca-certificates.crt"}
	if heic := []string{"/licenses/libheif1.txt", "/licenses/libde265-0.txt", "/licenses/libsharpyuv0.txt", "/licenses/zlib1g.txt"}; os.Getenv("HEIC") != "" {
		wanted = append(wanted, heic...)
	} else if all[heic[0]] != nil {
		t.Errorf("%s is in the image that has no HEIC", heic[0])
	}
	for _, want := range wanted {
		if all[want] == nil {
			t.Errorf("%s is missing", want)
		}
	}
}

// tagged names one image: without a tag, `docker save` takes all that have the name.
func tagged(name string) string {
	if strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		return name
	}
	return name + ":latest"
}

// Lambda refuses an image index, and the attestations that make one.
func TestImageIsOneManifestForOnePlatform(t *testing.T) {
	contents := map[string][]byte{}
	archive := tar.NewReader(bytes.NewReader(docker(t, "save", tagged(imageName()))))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Size < 1<<20 {
			if contents[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exported []struct{ Config string }
	if err := json.Unmarshal(contents["manifest.json"], &exported); err != nil || len(exported) != 1 {
		t.Errorf("manifest.json: %v, %s", err, contents["manifest.json"])
	}
	raw, ok := contents["index.json"]
	if !ok {
		return // an engine before 25 exports no OCI layout, and keeps no index
	}
	var index struct {
		Manifests []struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatalf("index.json: %v", err)
	}
	if len(index.Manifests) != 1 || index.Manifests[0].MediaType != "application/vnd.oci.image.manifest.v1+json" {
		t.Errorf("%+v, want one image manifest", index.Manifests)
	}
}

// start is one start of a Lambda function: when it was executed, polled, and had finished its first picture.
type startup struct{ poll, picture time.Duration }

// startOnce runs a command that executes stamp, which executes a function, against a Runtime API and an S3.
func startOnce(t *testing.T, world world, command func(environ []string) *exec.Cmd) startup {
	t.Helper()
	api := runtimeapi.New(runtimeapi.Config{FunctionARN: "arn:aws:lambda:us-east-1:" + account + ":function:s3resizer"})
	polled := make(chan time.Time, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			select {
			case polled <- time.Now():
			default:
			}
		}
		api.ServeHTTP(w, r)
	}))
	defer web.Close()
	defer api.Close()

	process := command(append(world.environ, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(web.URL, "http://")))
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	nanoseconds, parseErr := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err := errors.Join(err, parseErr); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	executed := time.Unix(0, nanoseconds)
	var poll time.Time
	select {
	case poll = <-polled:
	case <-time.After(30 * time.Second): // what can't start never polls
		_ = process.Process.Kill()
		t.Fatal("no poll within half a minute of the start")
	}
	if _, err := api.Invoke(t.Context(), world.event, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	done := time.Now()
	_ = process.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, lines)
	_ = process.Wait()
	return startup{poll.Sub(executed), done.Sub(executed)}
}

// world is what a function that starts finds: an S3 with a picture.
type world struct {
	environ []string
	event   json.RawMessage
}

// From the execution of the program in its container to its first poll, beside the Node.js handler that this function
// replaces, started in turn on the same machine outside a container.
func TestImageStartsFast(t *testing.T) {
	const (
		starts      = 20
		limit       = 30 * time.Millisecond
		limitToNode = 0.08
		tries       = 3 // other programs on the machine slow a start down, and nothing speeds it up
	)
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}, Owner: account})
	s3 := s3io.New(cfg, s3io.Options{})
	if _, err := s3.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "cat.jpg", ContentType: "image/jpeg", Data: photo(t, 4032, 2268)}); err != nil {
		t.Fatal(err)
	}
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := world{event: <-events, environ: []string{
		"PATH=" + os.Getenv("PATH"), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_ENDPOINT_URL_S3=" + *cfg.BaseEndpoint,
	}}
	stamp := filepath.Join(t.TempDir(), "stamp")
	build := exec.Command("go", "build", "-o", stamp, "./testdata/stamp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours := func(environ []string) *exec.Cmd {
		args := []string{"run", "--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-v", stamp + ":/stamp:ro", "--entrypoint", "/stamp"}
		for _, variable := range environ {
			if !strings.HasPrefix(variable, "PATH=") {
				args = append(args, "-e", variable)
			}
		}
		return exec.Command(setting("DOCKER", "docker"), append(args, imageName(), "/var/runtime/bootstrap")...)
	}
	reference := func(environ []string) *exec.Cmd {
		process := exec.Command(stamp, "node", filepath.Join("..", "..", "bench", "reference", "runtime.mjs"))
		process.Env = append(environ, "NODE_NO_WARNINGS=1")
		return process
	}
	for try := 1; ; try++ {
		var shipped, node []startup
		for range starts {
			shipped = append(shipped, startOnce(t, w, ours))
			node = append(node, startOnce(t, w, reference))
		}
		poll, nodePoll := median(shipped, startup.toPoll), median(node, startup.toPoll)
		picture, nodePicture := median(shipped, startup.toPicture), median(node, startup.toPicture)
		t.Logf("medians of %d: first poll after %v (Node.js %v: %.3f of it), first picture after %v (Node.js %v: %.2f of it)",
			starts, poll, nodePoll, ratio(poll, nodePoll), picture, nodePicture, ratio(picture, nodePicture))
		if poll <= limit && ratio(poll, nodePoll) <= limitToNode {
			return
		}
		if try == tries {
			t.Fatalf("first poll after %v, want at most %v and %g of Node.js's %v", poll, limit, limitToNode, nodePoll)
		}
	}
}

func (s startup) toPoll() time.Duration    { return s.poll }
func (s startup) toPicture() time.Duration { return s.picture }

func median(starts []startup, of func(startup) time.Duration) time.Duration {
	var all []time.Duration
	for _, s := range starts {
		all = append(all, of(s))
	}
	slices.Sort(all)
	return ((all[(len(all)-1)/2] + all[len(all)/2]) / 2).Round(100 * time.Microsecond)
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

// NOTICE names what is in the library, in the version that is pinned.
func TestNoticeNamesEveryLibrary(t *testing.T) {
	notice, err := os.ReadFile("../../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../libvips/node_modules/@img/platform/versions.json")
	if err != nil {
		t.Fatal(err)
	}
	var versions map[string]string
	if err := json.Unmarshal(raw, &versions); err != nil {
		t.Fatal(err)
	}
	if len(versions) < 20 {
		t.Fatalf("only %d libraries: %s", len(versions), raw)
	}
	words := strings.Join(strings.Fields(string(notice)), " ")
	for name, version := range versions {
		name = strings.Replace(name, "vips", "libvips", 1)
		if want := fmt.Sprintf("%s %s", name, version); !strings.Contains(words, want) {
			t.Errorf("NOTICE does not say %q", want)
		}
	}
}
