package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The tests in this file call the handler without a network, inside synctest bubbles: time is
// virtual, and a goroutine that is left over fails the test.

// poll fetches one invocation as a runtime would and returns its answer.
func poll(ctx context.Context, s *Server) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/2018-06-01/runtime/invocation/next", nil))
	return w
}

// post sends body to a path below the API's root.
func post(s *Server, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/2018-06-01/runtime"+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func respond(s *Server, id, body string) *httptest.ResponseRecorder {
	return post(s, "/invocation/"+id+"/response", body)
}

func requestID(w *httptest.ResponseRecorder) string { return w.Header().Get(headerRequestID) }

type outcome struct {
	response []byte
	err      error
}

// invoke starts an Invoke and waits until it is queued or delivered.
func invoke(ctx context.Context, s *Server, payload string, timeout time.Duration) <-chan outcome {
	result := make(chan outcome, 1)
	go func() {
		response, err := s.Invoke(ctx, []byte(payload), timeout)
		result <- outcome{response, err}
	}()
	synctest.Wait()
	return result
}

func expect(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || strings.TrimSpace(w.Body.String()) != body {
		t.Errorf("got %d %s, want %d %s", w.Code, w.Body, status, body)
	}
}

const (
	accepted  = `{"status":"OK"}`
	invalidID = `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
)

func TestNextCarriesTheDocumentedHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		result := invoke(t.Context(), s, `{"a":1}`, 7*time.Second)
		time.Sleep(time.Minute) // the wait in the queue is not the function's time
		start := time.Now()
		w := poll(t.Context(), s)

		expect(t, w, http.StatusOK, `{"a":1}`)
		deadline := strconv.FormatInt(start.Add(7*time.Second).UnixMilli(), 10)
		for name, want := range map[string]string{
			"Content-Type":                        `application/json`,
			"Lambda-Runtime-Aws-Request-Id":       `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
			"Lambda-Runtime-Deadline-Ms":          deadline,
			"Lambda-Runtime-Invoked-Function-Arn": `arn:aws:lambda:us-east-1:123456789012:function:s3resizer`,
			"Lambda-Runtime-Trace-Id":             `Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0`,
		} {
			if got := w.Header().Get(name); !regexp.MustCompile("^" + want + "$").MatchString(got) {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		expect(t, respond(s, requestID(w), `"done"`), http.StatusAccepted, accepted)
		if got := <-result; string(got.response) != `"done"` || got.err != nil {
			t.Errorf("Invoke returned %s, %v", got.response, got.err)
		}
	})
}

func TestNextCarriesWhatIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{FunctionARN: "arn:aws:lambda:eu-west-1:1:function:f", TraceID: "Root=1-2-3"})
		defer s.Close()
		invoke(t.Context(), s, "", time.Second)
		w := poll(t.Context(), s)
		if w.Header().Get(headerARN) != "arn:aws:lambda:eu-west-1:1:function:f" || w.Header().Get(headerTraceID) != "Root=1-2-3" {
			t.Errorf("got headers %v", w.Header())
		}
		expect(t, w, http.StatusOK, "{}")
	})
}

func TestInvocationsAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		var results []<-chan outcome
		for i := range 5 {
			results = append(results, invoke(t.Context(), s, strconv.Itoa(i), time.Second))
		}
		for i, result := range results {
			w := poll(t.Context(), s)
			expect(t, w, http.StatusOK, strconv.Itoa(i))
			respond(s, requestID(w), "r"+w.Body.String())
			if got := <-result; string(got.response) != fmt.Sprintf("r%d", i) {
				t.Errorf("invocation %d returned %s, %v", i, got.response, got.err)
			}
		}
	})
}

func TestTimeoutEndsTheInvocationAndRefusesLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		result := invoke(t.Context(), s, "1", 3*time.Second)
		id := requestID(poll(t.Context(), s))
		start := time.Now()
		got := <-result

		timeout, ok := errors.AsType[*TimeoutError](got.err)
		if !ok || timeout.RequestID != id || timeout.Timeout != 3*time.Second || time.Since(start) != 3*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), got.err)
		}
		if want := "RequestId: " + id + " Error: Task timed out after 3.00 seconds"; got.err.Error() != want {
			t.Errorf("message %q, want %q", got.err, want)
		}
		for _, path := range []string{"/response", "/error"} {
			expect(t, post(s, "/invocation/"+id+path, "{}"), http.StatusBadRequest, invalidID)
		}
	})
}

func TestAnswersAreTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		expect(t, respond(s, "unknown", "x"), http.StatusBadRequest, invalidID)
		result := invoke(t.Context(), s, "1", time.Second)
		id := requestID(poll(t.Context(), s))
		expect(t, respond(s, id, "first"), http.StatusAccepted, accepted)
		expect(t, respond(s, id, "second"), http.StatusBadRequest, invalidID)
		if got := <-result; string(got.response) != "first" {
			t.Errorf("Invoke returned %s, %v", got.response, got.err)
		}
	})
}

func TestFunctionErrors(t *testing.T) {
	for name, test := range map[string]struct{ header, body, wantType, wantMessage, wantStack string }{
		"body":           {"Runtime.Ignored", `{"errorType":"T","errorMessage":"m","stackTrace":["a","b"]}`, "T", "m", `["a","b"]`},
		"type in header": {"T", `{"errorMessage":"m"}`, "T", "m", ""},
		"no body":        {"T", ``, "T", "", ""},
		"not JSON":       {"T", `oops`, "T", "oops", ""},
		"nothing":        {"", ``, "Runtime.Unknown", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Config{})
				result := invoke(t.Context(), s, "1", time.Second)
				id := requestID(poll(t.Context(), s))
				expect(t, post(s, "/invocation/"+id+"/error", test.body, headerErrorType, test.header), http.StatusAccepted, accepted)
				got := <-result
				failure, ok := errors.AsType[*FunctionError](got.err)
				if !ok || failure.RequestID != id || failure.Type != test.wantType || failure.Message != test.wantMessage || string(failure.StackTrace) != test.wantStack {
					t.Errorf("got %#v", got.err)
				}
			})
		})
	}
}

func TestCancelBeforeARuntimeCameWithdraws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		withdrawn := invoke(ctx, s, "1", time.Second)
		invoke(t.Context(), s, "2", time.Second)
		cancel()
		if got := <-withdrawn; !errors.Is(got.err, context.Canceled) {
			t.Errorf("Invoke returned %v", got.err)
		}
		synctest.Wait()
		expect(t, poll(t.Context(), s), http.StatusOK, "2")
		if _, err := s.Invoke(ctx, nil, time.Second); !errors.Is(err, context.Canceled) || len(s.queue) != 0 {
			t.Errorf("an ended context got as far as the queue: %v, %d waiting", err, len(s.queue))
		}
	})
}

func TestCancelAfterwardsLetsTheRuntimeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		ctx, cancel := context.WithCancel(t.Context())
		result := invoke(ctx, s, "1", time.Second)
		id := requestID(poll(t.Context(), s))
		cancel()
		if got := <-result; !errors.Is(got.err, context.Canceled) {
			t.Errorf("Invoke returned %v", got.err)
		}
		expect(t, respond(s, id, "x"), http.StatusAccepted, accepted)
	})
}

func TestWaitReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		ready := make(chan error, 1)
		go func() { ready <- s.WaitReady(t.Context()) }()
		synctest.Wait()
		if len(ready) != 0 || s.Idle() != 0 {
			t.Fatal("ready without a runtime")
		}
		ctx, hangUp := context.WithCancel(t.Context())
		go poll(ctx, s)
		if err := <-ready; err != nil || s.Idle() != 1 {
			t.Fatalf("with a runtime: %v, %d idle", err, s.Idle())
		}
		hangUp()
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.WaitReady(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the runtime hung up: %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		taken := invoke(t.Context(), s, "1", time.Second)
		poll(t.Context(), s)
		queued := invoke(t.Context(), s, "2", time.Second)
		idle := New(Config{})
		polled := make(chan *httptest.ResponseRecorder)
		go func() { polled <- poll(t.Context(), idle) }()
		synctest.Wait()
		s.Close()
		s.Close()
		idle.Close()

		for _, result := range []<-chan outcome{taken, queued} {
			if got := <-result; !errors.Is(got.err, ErrClosed) {
				t.Errorf("Invoke returned %v", got.err)
			}
		}
		closed := `{"errorMessage":"runtime API server closed","errorType":"InternalServerError"}`
		expect(t, <-polled, http.StatusInternalServerError, closed)
		expect(t, poll(t.Context(), s), http.StatusInternalServerError, closed)
		if err := s.WaitReady(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("WaitReady returned %v", err)
		}
		if _, err := s.Invoke(t.Context(), nil, time.Second); !errors.Is(err, ErrClosed) {
			t.Errorf("Invoke returned %v", err)
		}
	})
}
