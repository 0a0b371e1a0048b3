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
	"sync/atomic"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"s3resizer/internal/config"
	"s3resizer/resize"
)

var version = "dev" // set by the linker

func main() {
	ctx, interrupt := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, os.Args[1:]) }()
	var err error
	select {
	case err = <-ended:
	case caught := <-signals:
		signal.Reset() // the second signal ends the process as if nobody listened
		interrupt(signaled{caught.(syscall.Signal)})
		err = endOf(ctx, ended)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "s3resizer:", printable(err.Error()))
		os.Exit(exitCode(err))
	}
}

// patience is how long a command that was interrupted may take to end.
const patience = 900 * time.Millisecond

// finishes is set by commands that finish what they have begun when they are interrupted, however long that takes.
var finishes atomic.Bool

// endOf waits for the end of a command that was interrupted: one that waits for a pipe, or for what can't be stopped, is left
// at that.
func endOf(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
	}
	if finishes.Load() {
		return <-ended
	}
	return interrupted(ctx, "nothing came of it")
}

// signaled is the cause of an interruption.
type signaled struct{ signal syscall.Signal }

func (s signaled) Error() string { return s.signal.String() }

// interrupted is the error of a command that a signal has ended, and says how far it had come. Its exit status is what shells
// say of the signal: 130 for Ctrl-C, 143 for SIGTERM.
func interrupted(ctx context.Context, text string) error {
	var cause signaled
	if !errors.As(context.Cause(ctx), &cause) {
		cause.signal = syscall.SIGINT
	}
	return statusError{errors.New("interrupted: " + text), 128 + int(cause.signal)}
}

func run(ctx context.Context, args []string) error {
	root := &cobra.Command{
		Use:   "s3resizer",
		Short: "Resize the pictures of an S3 bucket, decoding each one once",
		Long: `s3resizer turns each picture into several widths, decoding it once.

It reads its settings from the environment (RESIZE_SIZES, RESIZE_FORMATS, …), as the Lambda function does.
Exit status: 0 if all went well, 1 if something did not, 2 if the command was used wrongly, 3 if backfill or verify could
not start or go on, 130 after Ctrl-C and 143 after SIGTERM.`,
		Version:       version + ", " + runtime.Version() + ", libvips " + resize.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate(versionText)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(resizeCommand(), demoCommand(), devCommand(), backfillCommand(), verifyCommand(), settingsCommand(), workerCommand(), versionCommand())
	completeFlags(root)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && exitCode(err) == usage {
		return fmt.Errorf("%w\n%s --help says how it is used", err, cmd.CommandPath())
	}
	return err
}

// flagError says what a flag's value should be.
func flagError(err error) error {
	bad := (*pflag.InvalidValueError)(nil)
	if !errors.As(err, &bad) {
		return err
	}
	want, known := map[string]string{"int": "a whole number", "duration": "a time such as 90s, 5m or 1h", "bool": "true or false"}[bad.GetFlag().Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s %q: want %s", bad.GetFlag().Name, bad.GetValue(), want)
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

// usage is the exit status of a command that was used wrongly.
const usage = 2

func exitCode(err error) int {
	var status statusError
	if errors.As(err, &status) {
		return status.status
	}
	if errors.As(err, new(workError)) {
		return someFailed
	}
	return usage // cobra's own errors, and those about arguments and settings
}

// setByFlag is a setting that has a flag, and what that says: "" if it is not given.
type setByFlag struct{ flag, variable, value string }

// loadSettings reads the settings of the environment, over which flags lay theirs. It returns that environment, too.
func loadSettings(flags ...*setByFlag) (config.Settings, []string, error) {
	environ := os.Environ()
	for _, f := range flags {
		if f.value != "" {
			environ = append(environ, f.variable+"="+f.value)
		}
	}
	settings, err := config.Load(environ)
	if err == nil {
		return settings, environ, nil
	}
	text := err.Error()
	for _, f := range flags {
		if f.value != "" {
			text = strings.ReplaceAll(text, f.variable+"=", "--"+f.flag+" ")
		}
	}
	return config.Settings{}, nil, errors.New("settings:\n" + text)
}

// work makes a function that starts with good settings and a running libvips the body of a command.
func work(do func(ctx context.Context, settings config.Settings, args []string) error, flags ...*setByFlag) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		settings, _, err := loadSettings(flags...)
		if err != nil {
			return err
		}
		if err := resize.Startup(runtime.GOMAXPROCS(0)); err != nil {
			return workError{err}
		}
		return do(cmd.Context(), settings, args)
	}
}

const versionText = "s3resizer {{.Version}}\n"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of s3resizer, Go and libvips",
		Args:  cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "s3resizer %s\n", cmd.Root().Version)
			return err
		},
	}
}
