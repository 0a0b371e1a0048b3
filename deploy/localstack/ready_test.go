//go:build localstack

package localstack_test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// showsPages shows, where results go to EventBridge as notify.yaml needs it, that a page is told of its upload, by what the trigger has to tell.
func (s *stack) showsPages(shows func(string, func(*testing.T))) {
	if s.told == s.bus {
		shows("a page is told, with "+s.trigger, s.tellsAPage)
	}
}

// tellsAPage goes the whole way: a browser puts a picture by a presigned URL, the function resizes it, notify.yaml tells
// the service of docs/ready.md, and its page shows the picture. The page says how the stack and the service are started.
func (s *stack) tellsAPage(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
		t.Fatal(err)
	}
	renditions := os.Getenv("AWS_ENDPOINT_URL") + "/" + s.destination
	command := func(from string) string {
		return strings.NewReplacer(
			"s3resizer-notify", s.name+"-notify", "my-uploads-resized", s.destination, "my-uploads", s.source,
			"Trigger=direct", "Trigger="+s.trigger, "cat token", "cat "+token, "https://d111.cloudfront.net", renditions,
			"java -jar", "exec java -jar", "--server.port=8080", "--server.port=0 --server.ssl.certificate=$WORK/certificate.pem --server.ssl.certificate-private-key=$WORK/key.pem",
		).Replace("cd " + root + "\n" + part(t, "docs/ready.md", from, "\n```"))
	}
	address := service(t, command("PICTURES_BUCKET="), "PICTURES_PREFIX="+prefix+"told-by-"+s.trigger+"/")
	rules, err := os.ReadFile(root + "/docs/ready/cors.json")
	if err != nil {
		t.Fatal(err)
	}
	cli(t, nil, "s3api", "put-bucket-cors", "--bucket", s.source, "--cors-configuration", strings.Replace(string(rules), "https://example.com", address, 1))

	notify := strings.Replace(command("aws cloudformation deploy --stack-name s3resizer-notify"), "https://example.com", address, 1)
	if said, err := run(t, []string{"function=" + s.outputs["FunctionArn"]}, "bash", "-euc", notify); err != nil {
		t.Fatalf("%s\n%v\n%v", notify, err, said)
	}
	defer s.tellsNoPage(t)

	data := photo(t, 1600, 1200, 3)
	picture, broken := filepath.Join(t.TempDir(), "picture.jpg"), filepath.Join(t.TempDir(), "broken.jpg")
	for file, content := range map[string][]byte{picture: data, broken: data[:len(data)/2]} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	said, err := run(t, nil, "node", "ready.mjs", address, picture, broken, renditions)
	if err != nil {
		t.Fatalf("%v\n%v", err, said)
	}
	t.Logf("both told of within %v, Chromium's start included; shown:\n%v", time.Since(begun), said)
}

// service starts that of docs/ready.md, and returns its address when it answers.
func service(t *testing.T, command string, environ ...string) string {
	t.Helper()
	java := exec.CommandContext(t.Context(), "bash", "-euc", command)
	java.Env = append(os.Environ(), environ...)
	out, err := java.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	said, ready := make(chan string), regexp.MustCompile(`Tomcat started on port (\d+) \(https\)`)
	go func() {
		defer close(said)
		var all strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			if found := ready.FindStringSubmatch(lines.Text()); found != nil {
				said <- "https://127.0.0.1:" + found[1]
			}
		}
		t.Logf("the service said:\n%s", &all)
	}()
	t.Cleanup(func() {
		_ = java.Process.Kill()
		for range said {
		}
		_ = java.Wait()
	})
	select {
	case address, ok := <-said:
		if !ok {
			t.Fatalf("the service did not start: %s", command)
		}
		return address
	case <-time.After(patience):
		t.Fatalf("the service does not answer within %v: %s", patience, command)
		return ""
	}
}

// tellsNoPage takes the stack of notify.yaml away.
func (s *stack) tellsNoPage(t *testing.T) {
	t.Helper()
	cli(t, nil, "cloudformation", "delete-stack", "--stack-name", s.name+"-notify")
	until(t, "that "+s.name+"-notify goes", func() bool {
		var names []string
		cli(t, &names, "cloudformation", "list-stacks", "--query", "StackSummaries[?StackStatus!='DELETE_COMPLETE'].StackName")
		return !slices.Contains(names, s.name+"-notify")
	})
}
