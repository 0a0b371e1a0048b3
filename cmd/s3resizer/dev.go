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
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/spf13/cobra"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/gallery"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

func devCommand() *cobra.Command {
	var addr, data string
	var public bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Serve an S3 endpoint that resizes what is put there, and a page that shows it, until Ctrl-C",
		Example: `  s3resizer dev
  s3resizer dev --addr 127.0.0.1:9100 --data dev-data`,
		Args: cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: work(func(ctx context.Context, settings config.Settings, _ []string) error {
			if !public {
				if err := private(addr); err != nil {
					return err
				}
			}
			if timeout <= settings.DeadlineMargin {
				return fmt.Errorf("--timeout %v: want more than RESIZE_DEADLINE_MARGIN, which is %v", timeout, settings.DeadlineMargin)
			}
			return dev(ctx, settings, addr, data, timeout)
		}),
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:9000", "`host:port` of the S3 endpoint; one that other machines reach needs --public")
	cmd.Flags().BoolVar(&public, "public", false, "let other machines in: whoever reaches the address may read, write and remove everything, as the keys are no secret")
	cmd.Flags().StringVar(&data, "data", "", "`folder` that keeps the objects across restarts (default: a temporary one)")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "`duration` that a picture is given, as a function is")
	return cmd
}

// private returns an error for an address that other machines may reach.
func private(addr string) error {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return fmt.Errorf("--addr %q: want host:port, such as 127.0.0.1:9000: %w", addr, err)
	}
	if !resolved.IP.IsLoopback() { // nor is that of every address
		return fmt.Errorf("--addr %q: other machines may reach it, and read, write and remove everything there: say --public if they may, or take 127.0.0.1:%d", addr, resolved.Port)
	}
	return nil
}

func dev(ctx context.Context, settings config.Settings, addr, data string, timeout time.Duration) error {
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
		page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ServeHTTP(w, r) }),
		told: func(e events.S3Event, event json.RawMessage) { g.Event(e, event) },
	})
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

// printOutcome prints one line for each picture.
func printOutcome(answer report.Report, err error) {
	now := time.Now().Format(time.TimeOnly)
	var failure *report.Failure
	if errors.As(err, &failure) {
		fmt.Fprintln(os.Stderr, oneLine(fmt.Sprintf("%s failed %v", now, failure)))
		if n := resize.LeftBehind(); n > 0 {
			fmt.Fprintf(os.Stderr, "%s %d pictures are still being worked on, and take processor and memory until that ends by itself\n", now, n)
		}
	}
	for _, r := range answer.Results {
		line := fmt.Sprintf("%s %s %s", now, r.Status, r.Source.Key)
		if r.Status == report.Resized {
			var made []string
			for _, m := range r.Renditions {
				made = append(made, fmt.Sprintf("%s %d×%d %s", m.Size, m.Width, m.Height, bytesText(int64(m.Bytes))))
			}
			line += fmt.Sprintf(" %d×%d %s → %s, %.0f ms", r.Source.Width, r.Source.Height, bytesText(r.Source.Bytes), strings.Join(made, ", "), r.Timings.Total)
		}
		if r.Reason != "" {
			line += ": " + r.Reason
		}
		fmt.Println(oneLine(line))
	}
}
