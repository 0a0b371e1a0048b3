package runtimeapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestShutdown(t *testing.T) {
	t.Run("lets what runs end, and starts nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			running := invoke(t.Context(), s, "1", time.Minute)
			id := requestID(poll(t.Context(), s))
			waiting := invoke(t.Context(), s, "2", time.Minute)
			down := make(chan error, 1)
			go func() { down <- s.Shutdown(t.Context()) }()
			if got := <-waiting; !errors.Is(got.err, ErrClosed) {
				t.Errorf("what waited for a runtime ended with %v", got.err)
			}
			if _, err := s.Start(nil, time.Second); !errors.Is(err, ErrClosed) {
				t.Errorf("Start returned %v", err)
			}
			if _, err := s.WaitIdle(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("WaitIdle returned %v", err)
			}
			time.Sleep(30 * time.Second)
			expect(t, respond(s, id, "done"), http.StatusAccepted, accepted)
			if got := <-running; string(got.response) != "done" {
				t.Errorf("what ran ended with %s, %v", got.response, got.err)
			}
			if err := <-down; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("what could not be delivered is not queued again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			result := invoke(t.Context(), s, "1", time.Minute)
			inv, err := s.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			down := make(chan error, 1)
			go func() { down <- s.Shutdown(t.Context()) }()
			synctest.Wait()
			s.putBack(inv)
			if got := <-result; !errors.Is(got.err, ErrClosed) {
				t.Errorf("Invoke returned %v", got.err)
			}
			if err := <-down; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("is limited by the function's timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			start := time.Now()
			result := invoke(t.Context(), s, "1", time.Minute)
			poll(t.Context(), s)
			if err := s.Shutdown(t.Context()); err != nil || time.Since(start) != time.Minute {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
			<-result
		})
	})
	t.Run("and by its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{})
			result := invoke(t.Context(), s, "1", time.Minute)
			poll(t.Context(), s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Shutdown returned %v", err)
			}
			if got := <-result; !errors.Is(got.err, ErrClosed) {
				t.Errorf("Invoke returned %v", got.err)
			}
		})
	})
}

func TestStartTakesARuntimeBeforeItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		idle := make(chan int)
		go func() {
			n, err := s.WaitIdle(t.Context())
			if err != nil {
				t.Error(err)
			}
			idle <- n
		}()
		synctest.Wait()
		post(s, "/init/error", "{}") // no business of WaitIdle's
		synctest.Wait()
		polled := make(chan *httptest.ResponseRecorder)
		go func() { polled <- poll(t.Context(), s) }()
		if n := <-idle; n != 1 {
			t.Errorf("%d idle", n)
		}
		call, err := s.Start([]byte("1"), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if s.Idle() != 0 || s.Running() != 1 {
			t.Errorf("%d idle, %d running", s.Idle(), s.Running())
		}
		time.Sleep(3 * time.Second)
		if ran := call.Ran(); ran != 3*time.Second {
			t.Errorf("ran for %v", ran)
		}
		if id := requestID(<-polled); id != call.RequestID() {
			t.Errorf("id %s, the runtime's is %s", call.RequestID(), id)
		}
		respond(s, call.RequestID(), "done")
		if got, err := call.Wait(t.Context()); string(got) != "done" || err != nil {
			t.Errorf("Wait returned %s, %v", got, err)
		}
		time.Sleep(time.Second)
		if ran := call.Ran(); ran != 3*time.Second {
			t.Errorf("ran for %v", ran)
		}
	})
}

func TestReport(t *testing.T) {
	failure, ok := Report(&TimeoutError{RequestID: "1", Timeout: 3 * time.Second})
	if !ok || failure.Type != "Sandbox.Timedout" || failure.Message != "RequestId: 1 Error: Task timed out after 3.00 seconds" {
		t.Errorf("%#v", failure)
	}
	if _, ok := Report(ErrClosed); ok {
		t.Error("a shutdown is no failure of the function")
	}
}
