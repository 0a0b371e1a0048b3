package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"s3resizer/internal/commandtest"
)

// binary is lambda-local, built as it ships. The function is this test binary, started again.
var binary string

const asFunction = "LAMBDA_LOCAL_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asFunction); dir != "" {
		lambda.Start(functionIn(dir)) // returns never
	}
	os.Exit(commandtest.Main(m, func(dir string) (err error) {
		binary, err = commandtest.Build(dir, "lambda-local", []string{"CGO_ENABLED=0"}) // it has to do without
		return err
	}))
}

type teapotError struct{}

func (teapotError) Error() string { return "short and stout" }

// functionIn returns a function that does what its events say, and notes each key that S3 tells it of in a file.
func functionIn(dir string) func(context.Context, json.RawMessage) (any, error) {
	return func(_ context.Context, event json.RawMessage) (any, error) {
		var e struct {
			Do      string
			Records []struct {
				Body string
				S3   struct{ Object struct{ Key string } }
			}
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		switch e.Do {
		case "echo":
			return event, nil
		case "fail":
			return nil, teapotError{}
		case "sleep":
			time.Sleep(time.Second)
			return "slept", nil
		case "die":
			return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		for _, r := range e.Records {
			switch key := r.S3.Object.Key; key {
			case "fail":
				return nil, teapotError{}
			case "deadly":
				// Deadly once: the mark survives the process.
				if err := os.Mkdir(filepath.Join(dir, "died"), 0o755); err == nil {
					return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
				fallthrough
			default:
				if err := note(dir, key+r.Body); err != nil {
					return nil, err
				}
			}
		}
		return nil, nil
	}
}

func note(dir, key string) error {
	f, err := os.OpenFile(filepath.Join(dir, "noted"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(key + "\n")
	return errors.Join(err, f.Close())
}

// noted counts how often the function was told of each key.
func noted(t *testing.T, dir string) map[string]int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "noted"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for line := range strings.Lines(string(content)) {
		keys[strings.TrimSpace(line)]++
	}
	return keys
}

// container runs the function until the test ends, again and again as a container with a restart policy does.
func container(t *testing.T, runtimeAddr string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			command := exec.CommandContext(ctx, os.Args[0])
			command.Env = append(os.Environ(), asFunction+"="+dir, "AWS_LAMBDA_RUNTIME_API="+runtimeAddr)
			_ = command.Run() // it ends whenever the Runtime API does
			time.Sleep(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return dir
}

// logged collects lines of JSON.
type logged struct {
	mu    sync.Mutex
	lines []map[string]any
	raw   bytes.Buffer
}

func (l *logged) read(r io.Reader) {
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		var line map[string]any
		err := json.Unmarshal(scanner.Bytes(), &line)
		l.mu.Lock()
		fmt.Fprintln(&l.raw, scanner.Text())
		if err == nil {
			l.lines = append(l.lines, line)
		}
		l.mu.Unlock()
	}
}

// find returns the lines in which each of the given keys has the value that follows it.
func (l *logged) find(pairs ...any) []map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for _, line := range l.lines {
		match := true
		for i := 0; i+1 < len(pairs); i += 2 {
			match = match && line[pairs[i].(string)] == pairs[i+1]
		}
		if match {
			found = append(found, line)
		}
	}
	return found
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.String()
}

// local is a lambda-local.
type local struct {
	url, runtime string // its addresses
	dir          string // the spool
	log          *logged
}

func (l *local) awaitAddresses(t *testing.T) {
	t.Helper()
	eventually(t, "listening", func() bool { return len(l.log.find("msg", "listening")) == 2 })
	l.runtime = l.log.find("msg", "listening", "for", "runtime")[0]["addr"].(string)
	l.url = "http://" + l.log.find("msg", "listening", "for", "http")[0]["addr"].(string)
}

// newLocal serves in this process, where the race detector watches. stop does what a signal does, and waits.
func newLocal(t *testing.T, change func(*options)) (l *local, stop func()) {
	t.Helper()
	dir := t.TempDir()
	o := options{
		runtimeAddr: "127.0.0.1:0", httpAddr: "127.0.0.1:0", hosts: []string{"lambda-local"}, batchSize: 1, timeout: 20 * time.Second, retries: 2, retryAfter: 10 * time.Millisecond,
		spool: dir, deadLetters: filepath.Join(dir, "dead-letters.jsonl"), logLevel: slog.LevelInfo,
	}
	if change != nil {
		change(&o)
	}
	l = &local{dir: dir, log: &logged{}}
	reader, writer := io.Pipe()
	go l.log.read(reader)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o, slog.New(slog.NewJSONHandler(writer, nil))) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
		writer.Close()
		if t.Failed() {
			t.Logf("logged:\n%s", l.log.text())
		}
	})
	t.Cleanup(stop)
	l.awaitAddresses(t)
	return l, stop
}

// answer is what an HTTP request came to.
type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	a, err := trySend(method, url, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func trySend(method, url, body string, header ...string) (answer, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	response, err := (&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, strings.TrimSpace(string(content))}, err
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// notification is what a gateway posts of one object.
func notification(key string) string {
	return `{"Records":[{"eventSource":"aws:s3","eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"photos"},"object":{"key":"` + key + `","size":1,"eTag":"\"0\""}}}]}`
}
