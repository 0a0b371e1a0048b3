package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"s3resizer/internal/queue"
	"s3resizer/internal/queue/sqstest"
	"s3resizer/internal/runtimeapi"
)

func TestInvoke(t *testing.T) {
	l, _ := newLocal(t, func(o *options) { o.timeout = 700 * time.Millisecond })
	container(t, l.runtime)
	const teapot = `{"errorType":"teapotError","errorMessage":"short and stout"}`
	aws := l.url + "/2015-03-31/functions/s3resizer/invocations"
	for name, test := range map[string]struct {
		url, body string
		header    []string
		status    int
		failed    string // X-Amz-Function-Error
		want      string // in the body
	}{
		"the result":            {l.url + "/invoke", `{"do":"echo","n":1}`, nil, 200, "", `{"do":"echo","n":1}`},
		"an error":              {l.url + "/invoke", `{"do":"fail"}`, nil, 502, "Unhandled", teapot},
		"a timeout":             {l.url + "/invoke", `{"do":"sleep"}`, nil, 504, "Unhandled", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: `},
		"a crash":               {l.url + "/invoke", `{"do":"die"}`, nil, 504, "Unhandled", "Timedout"}, // this timeout leaves no time to notice
		"no JSON":               {l.url + "/invoke", `photos/cat.jpg`, nil, 400, "", `want JSON, such as {\"bucket\":\"photos\"`},
		"too large":             {l.url + "/invoke", strings.Repeat(" ", runtimeapi.MaxRequestBytes+1), nil, 413, "", "exceeds 6291456 bytes"},
		"AWS: the result":       {aws, `{"do":"echo"}`, []string{"X-Amz-Invocation-Type", "RequestResponse"}, 200, "", `{"do":"echo"}`},
		"AWS: an error":         {aws, `{"do":"fail"}`, nil, 200, "Unhandled", teapot},
		"AWS: a timeout":        {aws, `{"do":"sleep"}`, nil, 200, "Unhandled", "Task timed out after 0.70 seconds"},
		"AWS: nothing":          {aws, ``, nil, 200, "", "null"},
		"AWS: an ARN":           {l.url + "/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations", `{"do":"echo"}`, nil, 200, "", "echo"},
		"AWS: a dry run":        {aws, `{"do":"die"}`, []string{"X-Amz-Invocation-Type", "DryRun"}, 204, "", ""},
		"AWS: what is no JSON":  {aws, `{`, nil, 400, "", "InvalidRequestContentException"},
		"AWS: an unknown type":  {aws, `{}`, []string{"X-Amz-Invocation-Type", "Later"}, 400, "", "InvalidParameterValueException"},
		"AWS: an event too big": {aws, strings.Repeat(" ", queue.MaxEventBytes) + "{}", []string{"X-Amz-Invocation-Type", "Event"}, 413, "", "RequestTooLargeException"},
	} {
		t.Run(name, func(t *testing.T) {
			a := send(t, http.MethodPost, test.url, test.body, test.header...)
			if a.status != test.status || a.header.Get("X-Amz-Function-Error") != test.failed || !strings.Contains(a.body, test.want) {
				t.Errorf("%d %v %s", a.status, a.header, a.body)
			}
			if a.status == 200 && a.header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("no request id: %v", a.header)
			}
		})
	}
	if a := send(t, http.MethodGet, l.url+"/invoke", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", a.status, a.body)
	}
}

// A page of another site took events from the Runtime API, answered them, and posted some to the webhook.
func TestWebPagesGetNothing(t *testing.T) {
	l, _ := newLocal(t, nil)
	container(t, l.runtime)
	eventually(t, "polled", func() bool { return send(t, http.MethodGet, l.url+"/health", "").status == http.StatusOK })
	for name, test := range map[string]struct {
		header  []string
		refused bool
	}{
		"a program":                       {nil, false},
		"a container, by compose's name":  {[]string{"Host", "lambda-local:9001"}, false},
		"a person, in the address bar":    {[]string{"Sec-Fetch-Site", "none"}, false},
		"a domain rebound to loopback":    {[]string{"Host", "evil.example:9001"}, true},
		"a page of another site":          {[]string{"Origin", "https://evil.example"}, true},
		"a sandboxed page":                {[]string{"Origin", "null"}, true},
		"a picture in a page":             {[]string{"Sec-Fetch-Site", "cross-site"}, true},
		"a page on another loopback port": {[]string{"Sec-Fetch-Site", "same-site"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, request := range [][3]string{
				{http.MethodPost, l.url + "/webhook", `{"Event":"s3:TestEvent"}`},
				{http.MethodPost, l.url + "/invoke", `{"do":"echo"}`},
				{http.MethodGet, l.url + "/health", ""},
				{http.MethodPost, "http://" + l.runtime + "/2018-06-01/runtime/invocation/1/response", `{}`},
			} {
				a := send(t, request[0], request[1], request[2], test.header...)
				if refused := a.status == http.StatusForbidden && strings.Contains(a.body, "AccessDenied"); refused != test.refused {
					t.Errorf("%s %s: %d %s", request[0], request[1], a.status, a.body)
				}
			}
			if test.refused {
				next := send(t, http.MethodGet, "http://"+l.runtime+"/2018-06-01/runtime/invocation/next", "", test.header...)
				if next.status != http.StatusForbidden {
					t.Errorf("it polls: %d %s", next.status, next.body)
				}
			}
		})
	}
}

func TestTheComposeFilesNamesAreKnown(t *testing.T) {
	root := &cobra.Command{}
	o, err := addFlags(root)()
	if err != nil {
		t.Fatal(err)
	}
	uses := 0
	for _, name := range []string{"docker-compose.yml", "docker-compose.versitygw.yml"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range regexp.MustCompile(`([a-z.-]+):900[01]\b`).FindAllStringSubmatch(string(content), -1) {
			uses++
			if !slices.Contains(o.hosts, host[1]) {
				t.Errorf("%s calls it %s; known are %q", name, host[1], o.hosts)
			}
		}
	}
	if uses < 3 {
		t.Errorf("found %d uses, fewer than there are", uses)
	}
}

func TestACrashEndsTheInvocation(t *testing.T) {
	l, _ := newLocal(t, nil)
	dir := container(t, l.runtime)
	start := time.Now()
	a := send(t, http.MethodPost, l.url+"/invoke", `{"do":"die"}`)
	if a.status != http.StatusBadGateway || !strings.Contains(a.body, `"errorType":"Runtime.ExitError"`) || time.Since(start) > 15*time.Second {
		t.Errorf("after %v: %d %s", time.Since(start), a.status, a.body)
	}
	if a := send(t, http.MethodPost, l.url+"/webhook", notification("deadly")); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	eventually(t, "tried again", func() bool { return noted(t, dir)["deadly"] == 1 })
	eventually(t, "logged", func() bool {
		return len(l.log.find("source", "webhook", "attempt", 1.0, "outcome", "failed", "errorType", "Runtime.ExitError")) == 1 &&
			len(l.log.find("source", "webhook", "attempt", 2.0, "outcome", "succeeded")) == 1
	})
}

func TestWebhook(t *testing.T) {
	l, _ := newLocal(t, nil)
	for _, body := range []string{
		notification("여행/a b+c%d.jpg"),
		notification("fail"),
		`{"Service":"S3","Event":"s3:TestEvent","Time":"2026-11-23T03:30:12Z","Bucket":"Test-Bucket"}`,
	} {
		if a := send(t, http.MethodPost, l.url+"/webhook", body); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	for body, status := range map[string]int{`{"hello":"world"}`: 400, `{`: 400, strings.Repeat(" ", runtimeapi.MaxRequestBytes+1): 413} {
		if a := send(t, http.MethodPost, l.url+"/webhook", body); a.status != status {
			t.Errorf("%d %s, want %d", a.status, a.body, status)
		}
	}
	if a := send(t, http.MethodPost, l.url+"/2015-03-31/functions/f/invocations", `{"Records":[{"s3":{"object":{"key":"direct"}}}]}`, "X-Amz-Invocation-Type", "Event"); a.status != http.StatusAccepted || a.header.Get("X-Amzn-Requestid") == "" || a.body != "" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if a := send(t, http.MethodGet, l.url+"/health", ""); a.status != 503 || !strings.Contains(a.body, `"spooled":3`) {
		t.Errorf("%d %s", a.status, a.body)
	}

	dir := container(t, l.runtime)
	eventually(t, "told", func() bool {
		keys := noted(t, dir)
		return keys["%EC%97%AC%ED%96%89/a+b%2Bc%25d.jpg"] == 1 && keys["direct"] == 1
	})
	eventually(t, "buried", func() bool {
		content, _ := os.ReadFile(filepath.Join(l.dir, "dead-letters.jsonl"))
		var letter struct {
			Attempts                int
			ErrorType, ErrorMessage string
			Event                   json.RawMessage
		}
		return json.Unmarshal(content, &letter) == nil && letter.Attempts == 3 && letter.ErrorType == "teapotError" && strings.Contains(string(letter.Event), `"key":"fail"`)
	})
	eventually(t, "empty", func() bool {
		return strings.Contains(send(t, http.MethodGet, l.url+"/health", "").body, `"spooled":0`)
	})
}

func TestWhatCanNotBeKeptIsNotAccepted(t *testing.T) {
	l, _ := newLocal(t, nil)
	if err := os.RemoveAll(l.dir); err != nil {
		t.Fatal(err)
	}
	for _, test := range [][]string{{"/webhook", notification("1")}, {"/2015-03-31/functions/f/invocations", `{}`}} {
		if a := send(t, http.MethodPost, l.url+test[0], test[1], "X-Amz-Invocation-Type", "Event"); a.status != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", test[0], a.status, a.body)
		}
	}
}

func TestHealth(t *testing.T) {
	l, _ := newLocal(t, nil)
	check := func() error { return run(t.Context(), []string{"health", "--url", l.url + "/health"}) }
	unhealthy := func() bool {
		err := check()
		return err != nil && strings.Contains(err.Error(), `"idleRuntimes":0`) && strings.Contains(err.Error(), "no function polls: start a container")
	}
	if !unhealthy() {
		t.Errorf("without a runtime: %v", check())
	}
	t.Run("with one that ends", func(t *testing.T) {
		container(t, l.runtime)
		eventually(t, "healthy", func() bool { return check() == nil })
	})
	eventually(t, "unhealthy", unhealthy)
	container(t, l.runtime)
	eventually(t, "healthy", func() bool { return check() == nil })
	slept := make(chan answer, 1)
	go func() {
		a, _ := trySend(http.MethodPost, l.url+"/invoke", `{"do":"sleep"}`)
		slept <- a
	}()
	eventually(t, "busy", func() bool {
		return strings.Contains(send(t, http.MethodGet, l.url+"/health", "").body, `"idleRuntimes":0,"running":1`)
	})
	if err := check(); err != nil {
		t.Errorf("while the runtime is busy: %v", err)
	}
	if a := <-slept; a.status != 200 || a.body != `"slept"` {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestQueue(t *testing.T) {
	q := sqstest.Start(t, 30*time.Second)
	for name, value := range map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
		t.Setenv(name, value)
	}
	q.Send("1")
	l, stop := newLocal(t, func(o *options) { o.queueURL = q.URL })
	dir := container(t, l.runtime)
	eventually(t, "deleted", func() bool { return q.Messages()[0].Deleted })
	if n := noted(t, dir)["1"]; n != 1 {
		t.Errorf("delivered %d times", n)
	}
	eventually(t, "logged", func() bool {
		lines := l.log.find("msg", "invocation", "source", "sqs", "outcome", "succeeded", "attempt", 1.0, "event", q.Messages()[0].ID)
		return len(lines) == 1 && lines[0]["requestId"] != "" && lines[0]["ms"] != nil
	})
	stop()
	if a, err := trySend(http.MethodGet, l.url+"/health", ""); err == nil {
		t.Errorf("still there: %v", a)
	}
}
