// Command lambda-local is Lambda for a laptop: it serves the Lambda Runtime API to containers of a function and feeds
// them events from an SQS queue, from webhooks and from people, with Lambda's own retries and guarantees.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"s3resizer/internal/localguard"
	"s3resizer/internal/queue"
	"s3resizer/internal/runtimeapi"
)

var version = "dev" // set by the linker

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process as if nobody listened
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lambda-local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	root := &cobra.Command{
		Use:   "lambda-local",
		Short: "Lambda for a laptop: run a function's containers, fed by SQS, webhooks and curl",
		Long: `lambda-local serves the Lambda Runtime API. Start any number of containers of the function with
AWS_LAMBDA_RUNTIME_API naming its --runtime address; each takes one event at a time. Events come from

  an SQS queue         as Lambda's event source mapping makes them, with ReportBatchItemFailures (--queue-url)
  POST /webhook        S3 notifications of versitygw, MinIO and their like; asynchronous, one event per object
  POST /invoke         any payload; answers with the function's result, 502 if it failed, 504 if it took too long
  POST /2015-03-31/functions/NAME/invocations
                       the same as AWS's API has it: aws lambda invoke --endpoint-url http://127.0.0.1:9000
  GET  /health         200 once a runtime polls

Asynchronous events are kept in the spool folder until the function has succeeded, across crashes and restarts; what
fails too often goes to the dead letters. Each flag can be set in the environment instead: --batch-size is
LAMBDA_LOCAL_BATCH_SIZE. Region, endpoint and credentials for SQS are the AWS SDK's own variables.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	load := addFlags(root)
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := load()
		if err != nil {
			return fmt.Errorf("settings:\n%w", err)
		}
		return serve(cmd.Context(), o, slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel})))
	}
	root.AddCommand(healthCommand(), &cobra.Command{
		Use:   "version",
		Short: "Print the versions of lambda-local and Go",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "lambda-local %s, %s\n", version, runtime.Version())
		},
	})
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// serve runs until ctx ends or a listener fails.
func serve(ctx context.Context, o options, log *slog.Logger) error {
	api := runtimeapi.New(runtimeapi.Config{
		FunctionARN: o.functionARN,
		OnInitError: func(err *runtimeapi.FunctionError) { log.Error("a runtime could not start", "error", err.Error()) },
	})
	f := &function{api, o.timeout, log}
	spool, err := queue.OpenSpool(queue.SpoolOptions{
		Dir: o.spool, DeadLetters: o.deadLetters, Retries: o.retries, RetryAfter: o.retryAfter, Function: f, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = spool.Close() }() // the lock ends with the process anyway
	sources := []func(context.Context){spool.Run}
	if o.queueURL != "" {
		poller, err := newPoller(ctx, o, f, log)
		if err != nil {
			return err
		}
		sources = append(sources, poller.Run)
	}

	group, running := errgroup.WithContext(ctx)
	runtimes := &http.Server{Handler: guarded(o, o.runtimeAddr, api), ReadHeaderTimeout: 10 * time.Second}
	api.Watch(runtimes)
	people := &http.Server{Handler: guarded(o, o.httpAddr, newDoor(f, spool, o.bucket, log)), ReadHeaderTimeout: 10 * time.Second}
	if err := listen(group, log, "runtime", o.runtimeAddr, runtimes); err != nil {
		return err
	}
	defer func() { _ = runtimes.Close() }()
	if err := listen(group, log, "http", o.httpAddr, people); err != nil {
		return err
	}
	defer func() { _ = people.Close() }()
	var feeding sync.WaitGroup
	for _, source := range sources {
		feeding.Go(func() { source(running) })
	}

	<-running.Done()
	log.Info("stopping", "running", api.Running())
	// What runs may end, which its timeout limits. What waits for a runtime goes back to where it came from.
	_ = api.Shutdown(context.WithoutCancel(ctx)) // errs only if its context ends
	feeding.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = people.Shutdown(last), runtimes.Shutdown(last) // whoever is not gone by then is cut off
	return group.Wait()
}

// guarded is what listens on addr, but for web pages: one that a browser on this machine shows must not be able to start
// anything, nor to take a runtime's place.
func guarded(o options, addr string, inner http.Handler) http.Handler {
	host, _, _ := net.SplitHostPort(addr) // checked with the options
	guard := localguard.Guard{Hosts: append([]string{host}, o.hosts...)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := guard.Refuses(r); why != "" {
			refuse(w, http.StatusForbidden, "AccessDeniedException", why+" Other names are set with --hosts.")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// listen serves in group what server is for, on addr. It logs the address, in which a port 0 has become a real one.
func listen(group *errgroup.Group, log *slog.Logger, name, addr string, server *http.Server) error {
	listener, err := localguard.Listen(addr)
	if err != nil {
		return fmt.Errorf("--%s: %w", name, err)
	}
	log.Info("listening", "for", name, "addr", listener.Addr().String())
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve on %s: %w", addr, err)
		}
		return nil
	})
	return nil
}

func newPoller(ctx context.Context, o options, f *function, log *slog.Logger) (*queue.SQS, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS SDK's configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("--queue-url needs AWS_REGION: the queue's region, or any for a local SQS")
	}
	return queue.NewSQS(cfg, o.queueURL, o.batchSize, f, log)
}
