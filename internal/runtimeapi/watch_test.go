package runtimeapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wantExit checks that err is what Lambda says of a runtime that is gone.
func wantExit(t *testing.T, err error) {
	t.Helper()
	failure, ok := errors.AsType[*FunctionError](err)
	if !ok || failure.Type != "Runtime.ExitError" || failure.Message != "RequestId: "+failure.RequestID+" Error: Runtime exited without providing a reason" {
		t.Errorf("Invoke returned %#v", err)
	}
}

func TestRealRuntimeIsKilled(t *testing.T) {
	t.Run("in its first invocation", func(t *testing.T) {
		s, server := serve(t, Config{})
		ended := start(t, server)
		_, err := call(t, s, time.Minute, "die", "")
		wantExit(t, err)
		awaitEnd(t, ended)
	})
	t.Run("in a later one, and another takes over", func(t *testing.T) {
		s, server := serve(t, Config{})
		start(t, server)
		if got, err := call(t, s, time.Minute, "echo", "x"); got != `"x"` || err != nil {
			t.Fatalf("got %s, %v", got, err)
		}
		_, err := call(t, s, time.Minute, "die", "")
		wantExit(t, err)
		start(t, server)
		if got, err := call(t, s, time.Minute, "echo", "y"); got != `"y"` || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
	})
	t.Run("with less time left than the grace", func(t *testing.T) {
		s, server := serve(t, Config{})
		start(t, server)
		if err := s.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := call(t, s, exitGrace/2, "die", "")
		if _, ok := errors.AsType[*TimeoutError](err); !ok {
			t.Errorf("Invoke returned %v", err)
		}
	})
}

// fetch polls with a client of the given name and answers from another connection, later.
func fetch(t *testing.T, server *httptest.Server, client *http.Client, userAgent string) (answer func() int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+apiRoot+"/invocation/next", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", userAgent)
	next, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, next.Body); err != nil { // or else it is not delivered
		t.Fatal(err)
	}
	next.Body.Close()
	client.CloseIdleConnections()
	return func() int {
		posted, err := http.Post(server.URL+apiRoot+"/invocation/"+next.Header.Get(headerRequestID)+"/response", "application/json", strings.NewReader(`"late"`))
		if err != nil {
			t.Fatal(err)
		}
		posted.Body.Close()
		return posted.StatusCode
	}
}

func TestConnectionsThatCloseInGoodHealth(t *testing.T) {
	for name, test := range map[string]struct {
		client    *http.Client
		userAgent string
		pause     time.Duration // long enough for a crash to have been noticed
	}{
		"a client that says so":                 {&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "curl/8.14.1", exitGrace + 300*time.Millisecond},
		"a pool that gives up its connection":   {&http.Client{Transport: &http.Transport{}}, "node", exitGrace + 300*time.Millisecond},
		"aws-lambda-go, with an answer on time": {&http.Client{Transport: &http.Transport{}}, "aws-lambda-go/go1.26", exitGrace / 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, server := serveQuietly(t)
			result := make(chan outcome, 1)
			go func() {
				response, err := s.Invoke(t.Context(), nil, time.Minute)
				result <- outcome{response, err}
			}()
			answer := fetch(t, server, test.client, test.userAgent)
			time.Sleep(test.pause)
			if status := answer(); status != http.StatusAccepted {
				t.Errorf("the answer was refused: %d", status)
			}
			if got := <-result; string(got.response) != `"late"` || got.err != nil {
				t.Errorf("Invoke returned %s, %v", got.response, got.err)
			}
		})
	}
}

// serveQuietly is serve without its check for goroutines, which parallel tests disturb.
func serveQuietly(t *testing.T) (*Server, *httptest.Server) {
	t.Helper()
	s := New(Config{})
	server := httptest.NewUnstartedServer(s)
	s.Watch(server.Config)
	server.Start()
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return s, server
}

// A runtime made of curl, as in AWS's tutorial for custom runtimes.
func TestCurlAsRuntime(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here; a client like it is in the test above")
	}
	s, server := serve(t, Config{})
	command := exec.Command("sh", "-euc", `
		id=$(curl -sS -D - -o /dev/null "$API/next" | tr -d '\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
		sleep 1.3
		curl -sS -o /dev/null -d '"from curl"' "$API/$id/response"`)
	command.Env = append(os.Environ(), "API="+server.URL+apiRoot+"/invocation")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := call(t, s, 20*time.Second, "", ""); got != `"from curl"` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}

// pollOver is poll over a connection that can be seen to close.
func pollOver(s *Server, c net.Conn) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.WithValue(context.Background(), connectionKey{}, c), http.MethodGet, "/2018-06-01/runtime/invocation/next", nil)
	r.Header.Set("User-Agent", "aws-lambda-go/go1.26")
	s.ServeHTTP(w, r)
	return w
}

func TestConnectionIsWatchedForAsLongAsItsPoolKeepsIt(t *testing.T) {
	for name, test := range map[string]struct {
		idle time.Duration
		want time.Duration // from the start to the end of the invocation
	}{
		"at once": {0, exitGrace},
		"within":  {80 * time.Second, 80*time.Second + exitGrace},
		"beyond":  {90 * time.Second, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Config{})
				defer s.Close()
				c, _ := net.Pipe()
				start := time.Now()
				result := invoke(t.Context(), s, "1", 5*time.Minute)
				pollOver(s, c)
				time.Sleep(test.idle)
				s.lose(c)
				got := <-result
				if took := time.Since(start); took != test.want {
					t.Errorf("ended after %v: %v", took, got.err)
				}
				if len(s.held) != 0 || len(s.inflight) != 0 {
					t.Errorf("%d connections, %d invocations are remembered", len(s.held), len(s.inflight))
				}
			})
		})
	}
}

func TestConnectionOfAnAnsweredInvocationMayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		c, _ := net.Pipe()
		first := invoke(t.Context(), s, "1", time.Minute)
		respond(s, requestID(pollOver(s, c)), "done")
		if got := <-first; got.err != nil {
			t.Fatal(got.err)
		}
		second := invoke(t.Context(), s, "2", time.Minute)
		w := poll(t.Context(), s) // over another connection
		s.lose(c)
		time.Sleep(2 * exitGrace)
		expect(t, respond(s, requestID(w), "done"), http.StatusAccepted, accepted)
		if got := <-second; got.err != nil {
			t.Error(got.err)
		}
	})
}
