package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/commandtest"
)

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// startBinary starts lambda-local as it ships.
func startBinary(t *testing.T, l *local, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(binary, append([]string{"--spool", l.dir, "--retry-after", "10ms"}, args...)...)
	output, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		l.log.read(output)
		close(read)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-read
		_ = command.Wait()
		if t.Failed() {
			t.Logf("logged:\n%s", l.log.text())
		}
	})
	return command
}

func TestKilledAgainAndAgainItLosesNothing(t *testing.T) {
	l := &local{dir: t.TempDir(), log: &logged{}, runtime: freeAddr(t)}
	addr := freeAddr(t)
	l.url = "http://" + addr
	dirs := []string{container(t, l.runtime), container(t, l.runtime)}

	const events = 50
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range events {
			for { // until it is accepted; an attempt that was cut off may have been, too
				if a, err := trySend(http.MethodPost, l.url+"/webhook", notification(fmt.Sprint(i))); err == nil && a.status == http.StatusOK {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	kills := 0
	command := startBinary(t, l, "--http", addr, "--runtime", l.runtime)
	for life := 40 * time.Millisecond; ; life += 7 * time.Millisecond {
		select {
		case <-done:
		case <-time.After(life):
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			kills++
			_, _ = command.Process.Wait()
			command = startBinary(t, l, "--http", addr, "--runtime", l.runtime)
			continue
		}
		break
	}
	if kills < 5 {
		t.Errorf("killed %d times: too few to show anything", kills)
	}
	keys := map[string]int{}
	eventually(t, "all that was accepted has arrived", func() bool {
		for _, dir := range dirs {
			maps.Copy(keys, noted(t, dir))
		}
		return len(keys) == events
	})
	t.Logf("killed %d times", kills)
	eventually(t, "the spool is empty", func() bool {
		left, err := filepath.Glob(filepath.Join(l.dir, "*.json"))
		return err == nil && len(left) == 0
	})
}

func TestSignals(t *testing.T) {
	l := &local{dir: t.TempDir(), log: &logged{}}
	command := startBinary(t, l, "--http", "127.0.0.1:0", "--runtime", "127.0.0.1:0")
	l.awaitAddresses(t)
	dir := container(t, l.runtime)
	slept := make(chan answer, 1)
	go func() {
		a, _ := trySend(http.MethodPost, l.url+"/invoke", `{"do":"sleep"}`)
		slept <- a
	}()
	eventually(t, "busy", func() bool {
		return strings.Contains(send(t, http.MethodGet, l.url+"/health", "").body, `"running":1`)
	})
	if a := send(t, http.MethodPost, l.url+"/webhook", notification("waiting")); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "refusing what wants a result", func() bool {
		return send(t, http.MethodPost, l.url+"/invoke", `{"do":"nothing"}`).status == http.StatusServiceUnavailable
	})
	// Its sender does not repeat itself, and the spool outlives this process.
	if a := send(t, http.MethodPost, l.url+"/webhook", notification("late")); a.status != http.StatusOK {
		t.Errorf("a webhook is answered with %d %s", a.status, a.body)
	}
	if a := <-slept; a.status != http.StatusOK || a.body != `"slept"` {
		t.Errorf("what ran was answered with %d %s", a.status, a.body)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if keys := noted(t, dir); len(keys) != 0 {
		t.Errorf("started while stopping: %v", keys)
	}

	again := &local{dir: l.dir, log: &logged{}}
	command = startBinary(t, again, "--http", "127.0.0.1:0", "--runtime", "127.0.0.1:0")
	again.awaitAddresses(t)
	dir = container(t, again.runtime)
	eventually(t, "delivered after all", func() bool {
		return noted(t, dir)["waiting"] == 1 && noted(t, dir)["late"] == 1 && strings.Contains(send(t, http.MethodGet, again.url+"/health", "").body, `"running":0,"spooled":0`)
	})

	go func() { _, _ = trySend(http.MethodPost, again.url+"/invoke", `{"do":"sleep"}`) }()
	eventually(t, "busy", func() bool {
		return strings.Contains(send(t, http.MethodGet, again.url+"/health", "").body, `"running":1`)
	})
	start := time.Now()
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	eventually(t, "stopping", func() bool { return len(again.log.find("msg", "stopping")) == 1 })
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	eventually(t, "ended", func() bool { // the first signal's handler may not have let go yet
		_ = command.Process.Signal(os.Interrupt)
		return len(ended) == 1
	})
	var exit *exec.ExitError
	if err := <-ended; !errors.As(err, &exit) || time.Since(start) > 800*time.Millisecond {
		t.Errorf("the second signal: %v after %v", err, time.Since(start))
	}
}

func TestEveryMistakeIsNamed(t *testing.T) {
	t.Setenv("LAMBDA_LOCAL_RETRIES", "many")
	t.Setenv("LAMBDA_LOCAL_SPOOL", "")            // as compose files leave it
	t.Setenv("LAMBDA_LOCAL_LOG_LEVEL", "verbose") // the flag goes before it
	err := run(t.Context(), []string{
		"--runtime", "9001", "--http", "127.0.0.1:http", "--hosts", "lambda-local:9001", "--queue-url", "uploads", "--batch-size", "11", "--timeout", "16m", "--retry-after", "-1s",
		"--function-arn", "arn:aws:s3:::photos", "--log-level", "loud", "--dead-letters=",
	})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{
		`--runtime "9001": want host:port`, `--http "127.0.0.1:http": want host:port`, `--hosts "lambda-local:9001": want names alone`, `--queue-url "uploads": want the URL of a queue`,
		`--batch-size "11": want a number from 1 to 10`, `--timeout "16m": want a duration from 1ms to 15m0s`, `--retry-after "-1s": want a duration`,
		`LAMBDA_LOCAL_RETRIES "many": want a number from 0 to 10`, `--function-arn "arn:aws:s3:::photos": want arn:aws:lambda:`, `--log-level "loud": want debug`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 10 {
		t.Errorf("%d mistakes:\n%v", n, err)
	}
}

func TestWhatCanNotBeginSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--http":              {"--runtime", "127.0.0.1:0", "--http", taken.Addr().String()},
		"--runtime":           {"--runtime", taken.Addr().String(), "--http", "127.0.0.1:0"},
		"spool folder":        {"--spool", file},
		"AWS_REGION":          {"--queue-url", "http://127.0.0.1:1/1/q"},
		"unknown command":     {"serve"},
		"unknown flag: --foo": {"--foo"},
	} {
		command := exec.Command(binary, append([]string{"--spool", t.TempDir()}, args...)...)
		command.Env = []string{"HOME=" + t.TempDir()}
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if err := command.Run(); err == nil || !strings.Contains(stderr.String(), "lambda-local: ") || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: %v, %s", args, err, &stderr)
		}
	}
}

func TestItNeedsNeitherPicturesNorCgo(t *testing.T) {
	commandtest.WantNoneOf(t, []string{"CGO_ENABLED=0"}, nil, []string{
		"govips", "gofakes3", "s3resizer/resize", "s3resizer/s3io", "s3resizer/bench", "s3resizer/internal/devserver", "s3resizer/internal/handler", "service/s3", "testing", "runtime/cgo",
	})
}
