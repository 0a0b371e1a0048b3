// Package devtest starts the embedded S3 for tests, as httptest starts a web server.
package devtest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"s3resizer/internal/devserver"
)

// Start serves o until the test ends, with credentials of its own, and returns what a client needs.
func Start(t testing.TB, o devserver.Options) aws.Config {
	t.Helper()
	o.AccessKey, o.SecretKey = "test", "test-secret"
	server, err := devserver.New(o)
	if err != nil {
		t.Fatal(err)
	}
	url, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return devserver.ClientConfig(url, "us-east-1", o.AccessKey, o.SecretKey)
}

// StartWithEvents is Start, and gives the events that uploads to the buckets of o.Notify raise, as AWS would write them.
func StartWithEvents(t testing.TB, o devserver.Options) (aws.Config, <-chan json.RawMessage) {
	t.Helper()
	raised := make(chan json.RawMessage, 100)
	o.OnEvent = func(e events.S3Event) {
		raw, err := devserver.EventJSON(e)
		if err != nil {
			t.Error(err)
		}
		raised <- raw
	}
	return Start(t, o), raised
}
