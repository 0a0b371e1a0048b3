package invoke

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"s3resizer/internal/backfill"
	"s3resizer/internal/report"
)

// function is one in a Lambda that answers so.
func function(t *testing.T, answer http.HandlerFunc) *Function {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return New(aws.Config{BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, "s3resizer", "photos-resized")
}

func failed(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		fmt.Fprint(w, `{"Message":"as the test wants it"}`)
	}
}

// gave is a function's error, as Lambda gives it to who waits.
func gave(payload string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fmt.Fprint(w, payload)
	}
}

const resized = `{"results":[{"status":"resized","source":{"bucket":"photos","key":"a.jpg"},"renditions":[{"bucket":"photos-resized","key":"small-a.jpg"}]}]}`

func TestTheAnswerIsTheReport(t *testing.T) {
	var asked, kind, path string
	f := function(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked, kind, path = string(body), r.Header.Get("X-Amz-Invocation-Type"), r.URL.Path
		fmt.Fprint(w, resized)
	})
	result, err := f.Resize(t.Context(), "photos", "a.jpg")
	if err != nil || result.Status != report.Resized || len(result.Renditions) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	if asked != `{"bucket":"photos","key":"a.jpg"}` || kind != "RequestResponse" || path != "/2015-03-31/functions/s3resizer/invocations" {
		t.Error(asked, kind, path)
	}
}

func TestFailuresOfThePicture(t *testing.T) {
	for name, test := range map[string]struct {
		answer    http.HandlerFunc
		class     report.Class
		temporary bool
		fatal     bool
	}{
		"no permission":        {gave(`{"errorType":"access-denied","errorMessage":"access-denied: resize s3://photos/a.jpg: …"}`), "access-denied", false, false},
		"it may pass":          {gave(`{"errorType":"transient","errorMessage":"the network"}`), "transient", true, false},
		"little time was left": {gave(`{"errorType":"deadline","errorMessage":"…"}`), "deadline", true, false},
		"no time was left":     {gave(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 60.00 seconds"}`), report.ClassHung, false, true},
		"in older words":       {gave(`{"errorMessage":"2026-11-23T10:00:00.000Z 1 Task timed out after 60.00 seconds"}`), report.ClassHung, false, true},
		"a crash":              {gave(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}`), report.ClassCrashed, false, true},
		"of an unknown type":   {gave(`{"errorType":"errorString","errorMessage":"oh"}`), report.ClassInternal, false, false},
		"Lambda's own":         {failed(500, "ServiceException"), "transient", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := function(t, test.answer).Resize(t.Context(), "photos", "a.jpg")
			var failure *backfill.Failure
			if !errors.As(err, &failure) || failure.Class != test.class || failure.Temporary != test.temporary || failure.Fatal != test.fatal || failure.Reason == "" {
				t.Errorf("%+v", err)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		f := function(t, func(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
		_, err := f.Resize(t.Context(), "photos", "a.jpg")
		if failure := (*backfill.Failure)(nil); !errors.As(err, &failure) || !failure.Temporary {
			t.Error(err)
		}
	})
}

// These would be the same with every picture: they end a backfill, with what would help.
func TestFailuresOfAll(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"no such function": {failed(404, "ResourceNotFoundException"), "AWS_REGION"},
		"not allowed":      {failed(403, "AccessDeniedException"), "lambda:InvokeFunction"},
		"a bad request":    {failed(400, "InvalidParameterValueException"), "invoke s3resizer"},
		"another function": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `"hello"`) }, "does not answer as s3resizer does"},
		"another's pictures": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Replace(resized, "photos-resized", "thumbs", 1))
		}, "--dest"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := function(t, test.answer).Resize(t.Context(), "photos", "a.jpg")
			if failure := (*backfill.Failure)(nil); err == nil || errors.As(err, &failure) || !strings.Contains(err.Error(), test.says) {
				t.Error(err)
			}
		})
	}
}

func TestItWaitsWhileLambdaHasNoRoom(t *testing.T) {
	var asked atomic.Int32
	f := function(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 2 {
			failed(429, "TooManyRequestsException")(w, r)
			return
		}
		fmt.Fprint(w, resized)
	})
	if result, err := f.Resize(t.Context(), "photos", "a.jpg"); err != nil || result.Status != report.Resized || asked.Load() != 3 {
		t.Errorf("%+v after %d: %v", result, asked.Load(), err)
	}
	f = function(t, failed(429, "TooManyRequestsException"))
	f.patience = 200 * time.Millisecond
	_, err := f.Resize(t.Context(), "photos", "a.jpg")
	if failure := (*backfill.Failure)(nil); !errors.As(err, &failure) || failure.Class != report.ClassThrottled || !failure.Temporary {
		t.Error(err)
	}
}
