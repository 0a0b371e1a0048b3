// Command s3resizer is for people: it shows what the Lambda function does, on a laptop, with the same code.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"s3resizer/internal/config"
	"s3resizer/resize"
)

var version = "dev" // set by the linker

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process as if nobody listened
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "s3resizer:", printable(err.Error()))
		os.Exit(exitCode(err))
	}
}

func run(ctx context.Context, args []string) error {
	root := &cobra.Command{
		Use:   "s3resizer",
		Short: "Resize the pictures of an S3 bucket, decoding each one once",
		Long: `s3resizer turns each picture into several widths, decoding it once.

It reads its settings from the environment (RESIZE_SIZES, RESIZE_FORMATS, …), as the Lambda function does.
Exit status: 0 if all went well, 1 if something did not, 2 if the command was used wrongly; backfill and verify have more of them.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(resizeCommand(), demoCommand(), devCommand(), backfillCommand(), verifyCommand(), settingsCommand(), workerCommand(), versionCommand())
	completeFlags(root)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// printable is a text with what would not be printed, but done by a terminal, escaped: keys may have any character.
func printable(text string) string { return escaped(text, "\n\t") }

// oneLine is the same, and of one line, which a name in it can't end: names of files may have any byte.
func oneLine(text string) string { return escaped(text, "") }

func escaped(text, keep string) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			out.WriteRune(r)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		text = text[size:]
	}
	return out.String()
}

// workError is a failure at the work, not in how the command was called.
type workError struct{ error }

func (e workError) Unwrap() error { return e.error }

// statusError is an error with an exit status of its own.
type statusError struct {
	error
	status int
}

func (e statusError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var status statusError
	if errors.As(err, &status) {
		return status.status
	}
	if errors.As(err, new(workError)) {
		return 1
	}
	return 2 // cobra's own errors, and those about arguments and settings
}

// work makes a function that starts with good settings and a running libvips the body of a command.
func work(do func(ctx context.Context, settings config.Settings, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		settings, err := config.Load(os.Environ())
		if err != nil {
			return fmt.Errorf("settings:\n%w", err)
		}
		if err := resize.Startup(runtime.GOMAXPROCS(0)); err != nil {
			return workError{err}
		}
		return do(cmd.Context(), settings, args)
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of s3resizer, Go and libvips",
		Args:  cobra.NoArgs, ValidArgsFunction: noFiles,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "s3resizer %s, %s, libvips %s\n", version, runtime.Version(), resize.Version())
		},
	}
}
