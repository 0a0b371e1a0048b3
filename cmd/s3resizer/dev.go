package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/spf13/cobra"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/gallery"
)

func devCommand() *cobra.Command {
	var addr, data string
	var public bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Serve an S3 endpoint that resizes what is put there, and a page that shows it, until Ctrl-C",
		Example: `  s3resizer dev
  s3resizer dev --addr 9100 --data dev-data`,
		Args: cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: work(func(ctx context.Context, settings config.Settings, _ []string) error {
			open, err := reachedByOthers(&addr)
			if err != nil {
				return err
			}
			if open != "" && !public {
				return fmt.Errorf("--addr %q: %s: say --public if they may, or leave the host out, as in --addr 9000", addr, open)
			}
			if timeout <= settings.DeadlineMargin {
				return fmt.Errorf("--timeout %v: want more than RESIZE_DEADLINE_MARGIN, which is %v", timeout, settings.DeadlineMargin)
			}
			return dev(ctx, settings, addr, open, data, timeout)
		}),
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:9000", "`port`, or host:port, of the S3 endpoint and the page; one that other machines reach needs --public")
	cmd.Flags().BoolVar(&public, "public", false, "let other machines in: whoever reaches the address may read, write and remove everything, as the keys are no secret")
	cmd.Flags().StringVar(&data, "data", "", "`folder` that keeps the objects across restarts (default: a temporary one)")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "`duration` that a picture is given, as a function is")
	return cmd
}

// reachedByOthers says that other machines may reach an address, if so. A port alone is one of this machine's own.
func reachedByOthers(addr *string) (string, error) {
	if _, err := strconv.ParseUint(*addr, 10, 16); err == nil {
		*addr = "127.0.0.1:" + *addr
	}
	resolved, err := net.ResolveTCPAddr("tcp", *addr)
	if err != nil {
		return "", fmt.Errorf("--addr %q: want a port, such as 9000, or host:port, such as 127.0.0.1:9000: %w", *addr, err)
	}
	if resolved.IP.IsLoopback() { // that of every address is not
		return "", nil
	}
	return "other machines may reach it, and read, write and remove everything there", nil
}

func dev(ctx context.Context, settings config.Settings, addr, open, data string, timeout time.Duration) error {
	if data == "" {
		// On disk, because pictures by the hundred are more than a laptop's memory should hold.
		temporary, err := os.MkdirTemp("", "s3resizer-dev-")
		if err != nil {
			return workError{err}
		}
		defer os.RemoveAll(temporary) //nolint:errcheck // the system's own cleaning finds what stays
		data = temporary
	}
	var g *gallery.Gallery
	l, err := startLocal(settings, localOptions{
		addr: addr, dir: data, jobs: runtime.GOMAXPROCS(0),
		page:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ServeHTTP(w, r) }),
		told:      func(e events.S3Event, event json.RawMessage) { g.Event(e, event) },
		onNoEvent: printAside(settings.DestBucket.For(sourceBucket)),
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return workError{fmt.Errorf("--addr %s: %w", addr, err)}
	}
	if err != nil {
		return workError{err}
	}
	g = gallery.New(gallery.Options{
		Bucket: sourceBucket, Store: l.store, Access: l.access, Environ: os.Environ(), Settings: settings, Timeout: timeout, Told: printOutcome,
		Samples: func(ctx context.Context) error {
			pictures, err := demoPictures("", nil)
			if err != nil {
				return err
			}
			slices.Reverse(pictures)   // what comes last is on top
			defer debug.FreeOSMemory() // the page shows what resizing takes; drawing takes more
			return uploadAll(ctx, l.store, pictures)
		},
	})
	l.serve()
	finishes.Store(true)
	if err := g.Resume(ctx); err != nil {
		return workError{errors.Join(err, l.stop())}
	}
	fmt.Printf(`The gallery, to drop pictures on: %[1]s%[7]s

S3 on %[1]s: pictures put into s3://%[2]s are resized into s3://%[3]s. Ctrl-C ends it.

  export AWS_ENDPOINT_URL_S3=%[1]s AWS_REGION=%[4]s AWS_ACCESS_KEY_ID=%[5]s AWS_SECRET_ACCESS_KEY=%[6]s
  aws s3 cp cat.jpg s3://%[2]s/          # or, without the aws CLI:
  curl --aws-sigv4 aws:amz:%[4]s:s3 --user %[5]s:%[6]s -T cat.jpg %[1]s/%[2]s/cat.jpg

`, l.url, sourceBucket, settings.DestBucket.For(sourceBucket), region, accessKey, secretKey, devserver.PagePath)
	if open != "" {
		fmt.Printf("Warning: it listens on %s: %s.\n\n", addr, open)
	}

	select {
	case <-ctx.Done():
		fmt.Println("stopping")
	case err := <-l.served:
		l.served <- err // for stop, which waits for it too
	}
	g.Close()
	if err := l.stop(); err != nil {
		return workError{err}
	}
	return nil
}
