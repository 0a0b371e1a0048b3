package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"s3resizer/bench/compare/s3model"
	"s3resizer/internal/runtimeapi"
)

// timeout is the function's, as Lambda would have it.
const timeout = 2 * time.Minute

// function is a side's Lambda function: its process, the Runtime API that it polls, the S3 that it sees.
type function struct {
	*process
	began     time.Time // just before its process did
	firstPoll chan time.Time
	api       *runtimeapi.Server
	web       *http.Server
	s3        *s3model.Proxy
}

// startFunction starts a side's function before an S3 with the given model. Close it.
func startFunction(f command, behind *s3, m s3model.Model) (*function, error) {
	proxy, err := s3model.Start(behind.url, m)
	if err != nil {
		return nil, err
	}
	started := &function{s3: proxy, api: runtimeapi.New(runtimeapi.Config{}), firstPoll: make(chan time.Time, 1)}
	started.web = &http.Server{Handler: started}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = started.web.Serve(listener) }()
	f.env = append(slices.Clone(f.env),
		"AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "AWS_REGION="+region,
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_ENDPOINT_URL_S3="+proxy.URL)
	started.began = time.Now()
	if started.process, err = start(f, nil, nil); err != nil {
		_ = started.web.Close()
		proxy.Close()
		return nil, err
	}
	return started, nil
}

// ServeHTTP is the Runtime API; it notes the first poll.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/next") {
		select {
		case f.firstPoll <- time.Now():
		default:
		}
	}
	f.api.ServeHTTP(w, r)
}

func (f *function) close() {
	f.stop()
	_ = f.api.Close()
	_ = f.web.Close()
	f.s3.Close()
}

// answered is when the outcomes of an invocation were there.
type answered struct {
	invoked, renditions, record, returned time.Time
}

// invoke gives the function the event of an object and waits for its answer.
//
// The last rendition counts as in place when the S3 has answered to it: seen at the S3, for every side alike.
func (f *function) invoke(ctx context.Context, key string) (answered, error) {
	f.s3.Take()
	out := answered{invoked: time.Now()}
	answer, err := f.api.Invoke(ctx, s3Event(key), timeout)
	out.returned = time.Now()
	if err != nil {
		return out, fmt.Errorf("%s: %w; it printed:\n%s", f.cmd.Path, err, f.output)
	}
	// A request is noted just after it was answered; the function may have come here first.
	var requests []s3model.Request
	for range 100 {
		requests = append(requests, f.s3.Take()...)
		if out.read(requests, key); !out.renditions.IsZero() {
			return out, nil
		}
		time.Sleep(time.Millisecond)
	}
	return out, fmt.Errorf("%s has not written three renditions of %s; S3 saw %v; it answered %s and printed:\n%s", f.cmd.Path, key, requests, answer, f.output)
}

// read looks for what was written of an object.
func (a *answered) read(requests []s3model.Request, key string) {
	var last time.Time
	var found int
	for _, r := range requests {
		if r.Method != http.MethodPut || r.Status != http.StatusOK {
			continue
		}
		switch name := path.Base(r.Path); name {
		case "small-" + key, "medium-" + key, "large-" + key:
			found++
			if r.End.After(last) {
				last = r.End
			}
		case key + ".json":
			a.record = r.End
		}
	}
	if found == 3 {
		a.renditions = last
	}
}

// s3Event is the notification of an object, as much of it as both sides read.
func s3Event(key string) []byte {
	type object map[string]any
	event, err := json.Marshal(object{"Records": []object{{
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": region, "eventName": "ObjectCreated:Put",
		"s3": object{"bucket": object{"name": bucket}, "object": object{"key": url.QueryEscape(key)}},
	}}})
	if err != nil {
		panic(errors.New("an event of strings can't be marshaled"))
	}
	return event
}
