package runtimeapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatTheAPIDoesNotHave(t *testing.T) {
	s := New(Config{})
	for _, test := range []struct {
		method, path string
		status       int
		errorType    string
	}{
		{http.MethodGet, "/", http.StatusNotFound, "NotFound"},
		{http.MethodGet, "/2018-06-01/runtime/restore/next", http.StatusNotFound, "NotFound"},
		{http.MethodPost, "/2018-06-01/runtime/invocation/next", http.StatusMethodNotAllowed, "MethodNotAllowed"},
		{http.MethodGet, "/2018-06-01/runtime/invocation/1/response", http.StatusMethodNotAllowed, "MethodNotAllowed"},
		{http.MethodPut, "/2018-06-01/runtime/init/error", http.StatusMethodNotAllowed, "MethodNotAllowed"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(test.method, test.path, strings.NewReader("body")))
		var body struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != test.status || body.ErrorType != test.errorType || body.ErrorMessage == "" {
			t.Errorf("%s %s: %d %s", test.method, test.path, w.Code, w.Body)
		}
	}
}

func TestOversizedRequestIsNotQueued(t *testing.T) {
	s := New(Config{})
	if _, err := s.Invoke(t.Context(), make([]byte, MaxRequestBytes+1), time.Second); !errors.Is(err, ErrRequestTooLarge) {
		t.Errorf("Invoke returned %v", err)
	}
	if _, err := s.Invoke(t.Context(), nil, 0); err == nil {
		t.Error("a timeout of 0 was accepted")
	}
}

func TestResponseSizeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		result := invoke(t.Context(), s, "1", time.Second)
		largest := strings.Repeat("x", MaxResponseBytes)
		expect(t, respond(s, requestID(poll(t.Context(), s)), largest), http.StatusAccepted, accepted)
		if got := <-result; len(got.response) != MaxResponseBytes {
			t.Errorf("Invoke returned %d bytes, %v", len(got.response), got.err)
		}

		result = invoke(t.Context(), s, "2", time.Second)
		expect(t, respond(s, requestID(poll(t.Context(), s)), largest+"x"), http.StatusRequestEntityTooLarge,
			`{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`)
		got := <-result
		if failure, ok := errors.AsType[*FunctionError](got.err); !ok || failure.Type != "Function.ResponseSizeTooLarge" {
			t.Errorf("Invoke returned %v", got.err)
		}
	})
}

func TestInitError(t *testing.T) {
	const body = `{"errorType":"ConfigError","errorMessage":"RESIZE_SIZES is empty"}`
	isInitError := func(err error) bool {
		failure, ok := errors.AsType[*FunctionError](err)
		return ok && failure.Type == "ConfigError" && failure.RequestID == ""
	}
	t.Run("is the answer to the invocation that waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var seen []*FunctionError
			s := New(Config{OnInitError: func(err *FunctionError) { seen = append(seen, err) }})
			first := invoke(t.Context(), s, "1", time.Second)
			second := invoke(t.Context(), s, "2", time.Second)
			expect(t, post(s, "/init/error", body), http.StatusAccepted, accepted)
			if got := <-first; !isInitError(got.err) {
				t.Errorf("first Invoke returned %v", got.err)
			}
			if len(seen) != 1 || !isInitError(seen[0]) {
				t.Errorf("OnInitError saw %v", seen)
			}
			expect(t, poll(t.Context(), s), http.StatusOK, "2")
			s.Close()
			<-second
		})
	})
	t.Run("is no answer to what a runtime that works will take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			first := invoke(t.Context(), s, "1", time.Second)
			id := requestID(poll(t.Context(), s))
			second := invoke(t.Context(), s, "2", time.Second)
			expect(t, post(s, "/init/error", body), http.StatusAccepted, accepted)
			expect(t, respond(s, id, "{}"), http.StatusAccepted, accepted)
			if got := <-first; got.err != nil {
				t.Errorf("first Invoke returned %v", got.err)
			}
			expect(t, poll(t.Context(), s), http.StatusOK, "2")
			s.Close()
			<-second
		})
	})
	t.Run("is the answer to the next invocation, once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			defer s.Close()
			post(s, "/init/error", body)
			if got := <-invoke(t.Context(), s, "1", time.Second); !isInitError(got.err) {
				t.Errorf("Invoke returned %v", got.err)
			}
			invoke(t.Context(), s, "2", time.Second)
			expect(t, poll(t.Context(), s), http.StatusOK, "2")
		})
	})
	t.Run("ends WaitReady, until a runtime polls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			ready := make(chan error, 1)
			go func() { ready <- s.WaitReady(t.Context()) }()
			synctest.Wait()
			post(s, "/init/error", body)
			if err := <-ready; !isInitError(err) {
				t.Errorf("WaitReady returned %v", err)
			}
			go poll(t.Context(), s)
			synctest.Wait()
			if err := s.WaitReady(t.Context()); err != nil {
				t.Errorf("WaitReady returned %v", err)
			}
			s.Close()
		})
	})
}

// brokenWriter is a connection that fails once it has taken some bytes of the body.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (w brokenWriter) Write(p []byte) (int, error) { return len(p) / 2, errors.New("broken pipe") }

func TestUnwritableInvocationGoesBackToTheHead(t *testing.T) {
	next := func(ctx context.Context) *http.Request {
		return httptest.NewRequestWithContext(ctx, http.MethodGet, "/2018-06-01/runtime/invocation/next", nil)
	}
	t.Run("write error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			defer s.Close()
			first := invoke(t.Context(), s, "1", 3*time.Second)
			invoke(t.Context(), s, "2", 3*time.Second)
			s.ServeHTTP(brokenWriter{httptest.NewRecorder()}, next(t.Context()))

			time.Sleep(2 * time.Second)
			w := poll(t.Context(), s)
			expect(t, w, http.StatusOK, "1")
			time.Sleep(2 * time.Second) // beyond the first delivery's deadline, within the second's
			expect(t, respond(s, requestID(w), "r"), http.StatusAccepted, accepted)
			if got := <-first; string(got.response) != "r" {
				t.Errorf("Invoke returned %s, %v", got.response, got.err)
			}
			expect(t, poll(t.Context(), s), http.StatusOK, "2")
		})
	})
	t.Run("hung up when it was handed over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			defer s.Close()
			gone, hangUp := context.WithCancel(t.Context())
			hangUp()
			invoke(t.Context(), s, "1", time.Second)
			for range 20 { // the select in take may see either event first
				s.ServeHTTP(httptest.NewRecorder(), next(gone))
			}
			expect(t, poll(t.Context(), s), http.StatusOK, "1")
		})
	})
	t.Run("withdrawn meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			ctx, cancel := context.WithCancel(t.Context())
			result := invoke(ctx, s, "1", time.Second)
			inv, err := s.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			<-result
			s.putBack(inv)
			if len(s.queue) != 0 || len(s.inflight) != 0 {
				t.Errorf("%d queued, %d in flight", len(s.queue), len(s.inflight))
			}
		})
	})
}

// dial opens a connection to the server and sends a poll over it.
func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// If the invocation is lost, nothing will come: fail instead of waiting.
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return connection
}

func TestRuntimeThatDisconnectsSwallowsNothing(t *testing.T) {
	for name, pause := range map[string]time.Duration{"long before": 50 * time.Millisecond, "at the same moment": 0} {
		t.Run(name, func(t *testing.T) {
			for round := range 20 {
				s, server := serve(t, Config{})
				broken := dial(t, server)
				if err := s.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				broken.Close()
				time.Sleep(pause)

				result := make(chan error, 1)
				go func() {
					_, err := s.Invoke(t.Context(), []byte("1"), 5*time.Second)
					result <- err
				}()
				sound := dial(t, server)
				answer, err := http.ReadResponse(bufio.NewReader(sound), nil)
				if err != nil {
					t.Fatal(err)
				}
				id := answer.Header.Get(headerRequestID)
				posted, err := http.Post(fmt.Sprintf("%s%s/invocation/%s/response", server.URL, apiRoot, id), "application/json", strings.NewReader("2"))
				if err != nil {
					t.Fatal(err)
				}
				posted.Body.Close()
				if err := <-result; err != nil || posted.StatusCode != http.StatusAccepted {
					t.Fatalf("round %d: %v, %s", round, err, posted.Status)
				}
				sound.Close()
			}
		})
	}
}
