package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/s3io"
)

// workerProcess makes a process for one picture at a time. Its share of the machine follows from the number of them.
func workerProcess(environ []string, settings config.Settings, owner string, jobs int) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	command := exec.Command(self, workerName)
	command.Env = append(slices.Clone(environ), "RESIZE_BUCKET_OWNER="+owner)
	if os.Getenv("RESIZE_MAX_MEMORY") == "" {
		command.Env = append(command.Env, fmt.Sprintf("RESIZE_MAX_MEMORY=%d", settings.Limits.MaxMemory*int64(settings.Processors)/int64(jobs)))
	}
	if os.Getenv("GOMAXPROCS") == "" { // threads that get in each other's way cost a twentieth of the time
		command.Env = append(command.Env, fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/jobs)))
	}
	if os.Getenv("MALLOC_ARENA_MAX") == "" { // as in the image: glibc's several heaps cost up to three times the memory
		command.Env = append(command.Env, "MALLOC_ARENA_MAX=1")
	}
	return command
}

const workerName = "backfill-worker"

// workerCommand is what backfill runs pictures in.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: workerName, Hidden: true, Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, settings config.Settings, _ []string) error {
			debug.SetGCPercent(25) // as the function's, and for its reason
			finishes.Store(true)   // Ctrl-C is for the process that this one works for
			ctx = context.WithoutCancel(ctx)
			err := backfill.Serve(ctx, os.Stdin, os.Stdout, func(pace s3io.Pace) (*handler.Handler, error) {
				aws, err := s3io.LoadConfig(ctx)
				if err != nil {
					return nil, err
				}
				store := s3io.New(aws, s3io.Options{ExpectedOwner: ownedBy(settings.BucketOwner), Pace: pace})
				return handler.New(store, settings, slog.New(slog.DiscardHandler)), nil
			})
			if err != nil {
				return workError{err}
			}
			return nil
		}),
	}
}
