package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/handler"
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

// local is the whole trigger in one process: an S3 whose uploads raise events, and the handler that they go to.
type local struct {
	url    string
	store  *s3io.Client
	s3     *devserver.S3
	served chan error
}

// startLocal serves S3 on addr, keeping the objects in dir or, if that is empty, in memory. What the handler says to
// each event goes to told, from as many goroutines as jobs.
func startLocal(settings config.Settings, addr, dir string, jobs int, told func(handler.Report, error)) (*local, error) {
	l := &local{served: make(chan error, 1)}
	var h *handler.Handler
	var err error
	l.s3, err = devserver.New(devserver.Options{
		Addr: addr, Dir: dir, Region: region, AccessKey: accessKey, SecretKey: secretKey,
		Buckets: []string{sourceBucket, settings.DestBucket.For(sourceBucket)}, Notify: []string{sourceBucket},
		Parallel: jobs, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		OnCreated: func(e events.S3Event) {
			event, err := devserver.EventJSON(e)
			if err != nil {
				told(handler.Report{}, err)
				return
			}
			told(h.Handle(context.Background(), event))
		},
	})
	if err != nil {
		return nil, err
	}
	if l.url, err = l.s3.Listen(); err != nil {
		return nil, errors.Join(err, l.s3.Shutdown(context.Background()))
	}
	l.store = s3io.New(devserver.ClientConfig(l.url, region, accessKey, secretKey), s3io.Options{})
	h = handler.New(l.store, settings, slog.New(slog.DiscardHandler))
	go func() { l.served <- l.s3.Serve() }()
	return l, nil
}

// stopTime is how long pictures that are being resized may take when the process is asked to end.
const stopTime = 20 * time.Second

// stop ends the endpoint after the pictures that it has accepted are through.
func (l *local) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return errors.Join(l.s3.Shutdown(ctx), <-l.served)
}
