package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/s3io"
)

// sourceBucket is where pictures are put on a laptop.
const sourceBucket = "photos"

// The embedded S3 is open to this machine alone; its credentials are no secret, but clients insist on some.
const (
	accessKey = "s3resizer"
	secretKey = "s3resizer-local"
	region    = "us-east-1"
)

// local is an S3 in this process whose uploads raise events, and their removals too.
type local struct {
	url    string
	access aws.Config
	store  *s3io.Client
	s3     *devserver.S3
	served chan error
}

// localOptions say where the S3 is, what stands beside it, and who is told of its events.
type localOptions struct {
	addr string
	dir  string // of the objects; "" keeps them in memory
	jobs int    // how many calls of told there may be at once
	page http.Handler
	// told is called once for each event.
	told func(e events.S3Event, raw json.RawMessage)
	// onNoEvent, if set, is called for requests that raise none: see devserver.Options.
	onNoEvent func(*http.Request, devserver.Refusal)
}

// startLocal serves an S3 that has the source and the destination of the settings.
func startLocal(settings config.Settings, o localOptions) (*local, error) {
	l := &local{served: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	l.s3, err = devserver.New(devserver.Options{
		Addr: o.addr, Dir: o.dir, Region: region, AccessKey: accessKey, SecretKey: secretKey,
		Buckets: []string{sourceBucket, settings.DestBucket.For(sourceBucket)}, Notify: []string{sourceBucket},
		Removals: true, OnNoEvent: o.onNoEvent, Parallel: o.jobs, Log: log, Page: o.page,
		OnEvent: func(e events.S3Event) {
			raw, err := devserver.EventJSON(e)
			if err != nil {
				log.Error("no event can be made of a request", "error", err)
				return
			}
			o.told(e, raw)
		},
	})
	if err != nil {
		return nil, err
	}
	if l.url, err = l.s3.Listen(); err != nil {
		return nil, errors.Join(err, l.s3.Shutdown(context.Background()))
	}
	l.access = devserver.ClientConfig(l.url, region, accessKey, secretKey)
	l.store = s3io.New(l.access, s3io.Options{})
	return l, nil
}

// serve begins to answer.
func (l *local) serve() { go func() { l.served <- l.s3.Serve() }() }

// stopTime is how long pictures that are being resized may take when the process is asked to end.
const stopTime = 20 * time.Second

// stop ends the endpoint after the pictures that it has accepted are through.
func (l *local) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return errors.Join(l.s3.Shutdown(ctx), <-l.served)
}
