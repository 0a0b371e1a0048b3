package main_test

import (
	"bufio"
	"bytes"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// server is `s3resizer dev`, and an SDK client that was told nothing but what it printed.
type server struct {
	*s3.Client
	process *exec.Cmd
	lines   chan string // what it prints from now on
	printed []string
	stderr  bytes.Buffer
	ended   bool
}

// serve starts the server on a free port and waits until it says where it is.
func serve(t *testing.T, settings []string, args ...string) *server {
	t.Helper()
	s := &server{lines: make(chan string, 1000)}
	s.process = process(t, binary, t.TempDir(), settings, slices.Concat([]string{"dev", "--addr", "127.0.0.1:0"}, args)...)
	s.process.Stderr = &s.stderr
	output, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		if !s.ended {
			_ = s.process.Process.Kill()
			s.drain()
			_ = s.process.Wait()
		}
		if t.Failed() {
			t.Logf("it printed:\n%s\n%s", strings.Join(s.printed, "\n"), s.stderr.String())
		}
	})
	export := regexp.MustCompile(`^\s*export AWS_ENDPOINT_URL_S3=(\S+) AWS_REGION=(\S+) AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)$`)
	told := export.FindStringSubmatch(s.waitFor(t, "export "))
	if told == nil {
		t.Fatal("it does not print how to reach it")
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s.Client = s3.New(s3.Options{
		BaseEndpoint: &told[1], Region: told[2], Credentials: credentials.NewStaticCredentialsProvider(told[3], told[4], ""),
		UsePathStyle: true, RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: transport},
	})
	s.waitFor(t, "curl ")
	s.waitFor(t, "") // the empty line that ends the greeting
	return s
}
