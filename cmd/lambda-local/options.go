package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"s3resizer/internal/queue"
	"s3resizer/internal/runtimeapi"
)

type options struct {
	runtimeAddr, httpAddr string
	hosts                 []string // names that both answer to
	queueURL              string   // "" for no queue
	bucket                string   // whose events the webhook takes; "" for all
	batchSize             int
	timeout               time.Duration
	retries               int
	retryAfter            time.Duration
	spool, deadLetters    string
	functionARN           string
	logLevel              slog.Level
}

// flag is one setting. set understands its value; an error says what would be right.
type flag struct {
	name, fallback, usage string
	set                   func(o *options, value string) error
}

var flags = []flag{
	{"runtime", "127.0.0.1:9001", "`host:port` of the Lambda Runtime API, for the function's containers",
		func(o *options, v string) error { return setAddr(&o.runtimeAddr, v) }},
	{"http", "127.0.0.1:9000", "`host:port` for webhooks and people",
		func(o *options, v string) error { return setAddr(&o.httpAddr, v) }},
	{"hosts", "lambda-local,host.docker.internal", "comma-separated `names` by which containers and other machines reach both, beside localhost and the addresses themselves",
		setHosts},
	{"queue-url", "", "`url` of an SQS queue that receives S3 notifications; it is also where SQS is, unless AWS_ENDPOINT_URL_SQS says so",
		setQueueURL},
	{"bucket", "", "`name` of the bucket whose events the webhook takes, for gateways that post every bucket's (default: all)",
		func(o *options, v string) error { o.bucket = v; return nil }},
	{"batch-size", "1", "`number` of SQS messages per invocation, at most",
		func(o *options, v string) error { return setNumber(&o.batchSize, v, 1, queue.MaxBatch) }},
	{"timeout", "60s", "`duration` that the function is given",
		func(o *options, v string) error { return setDuration(&o.timeout, v, time.Millisecond, 15*time.Minute) }},
	{"retries", "2", "`number` of further attempts at an asynchronous event (Lambda: 2)",
		func(o *options, v string) error { return setNumber(&o.retries, v, 0, 10) }},
	{"retry-after", "1s", "`duration` before the first of them, doubling (Lambda waits one minute, then two)",
		func(o *options, v string) error { return setDuration(&o.retryAfter, v, 0, time.Hour) }},
	{"spool", "lambda-local-spool", "`folder` of the asynchronous events that are not done",
		func(o *options, v string) error { return setPath(&o.spool, v) }},
	{"dead-letters", "", "`file` for asynchronous events that failed too often, a line of JSON each (default: dead-letters.jsonl in the spool)",
		func(o *options, v string) error {
			return setPath(&o.deadLetters, cmp.Or(v, filepath.Join(o.spool, "dead-letters.jsonl")))
		}},
	{"function-arn", runtimeapi.DefaultFunctionARN, "`arn` that the function gets as its own",
		setFunctionARN},
	{"log-level", "info", "`level`: debug, info, warn or error",
		setLogLevel},
}

// addFlags defines the flags of cmd and returns what reads them, and the environment for those that are not given.
func addFlags(cmd *cobra.Command) func() (options, error) {
	for _, f := range flags {
		cmd.Flags().String(f.name, f.fallback, f.usage)
	}
	return func() (options, error) {
		var o options
		var mistakes []error
		for _, f := range flags {
			given := cmd.Flags().Lookup(f.name)
			name, value := "--"+f.name, given.Value.String()
			if variable := variableOf(f.name); !given.Changed && os.Getenv(variable) != "" {
				name, value = variable, os.Getenv(variable)
			}
			if err := f.set(&o, value); err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s %q: %w", name, value, err))
			}
		}
		return o, errors.Join(mistakes...)
	}
}

// variableOf is the environment variable that stands in for a flag.
func variableOf(flag string) string {
	return "LAMBDA_LOCAL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func setAddr(to *string, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("want host:port, such as 127.0.0.1:9000, or :9000 for every address of this machine")
	}
	*to = value
	return nil
}

func setHosts(o *options, value string) error {
	o.hosts = nil
	for host := range strings.SplitSeq(value, ",") {
		if host = strings.TrimSpace(host); strings.ContainsAny(host, ":/* ") {
			return errors.New("want names alone, without a port, such as lambda-local,host.docker.internal")
		}
		o.hosts = append(o.hosts, host)
	}
	return nil
}

func setQueueURL(o *options, value string) error {
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "") {
		return errors.New("want the URL of a queue, such as http://localhost:4566/000000000000/uploads")
	}
	o.queueURL = value
	return nil
}

func setNumber(to *int, value string, least, most int) error {
	number, err := strconv.Atoi(value)
	if err != nil || number < least || number > most {
		return fmt.Errorf("want a number from %d to %d", least, most)
	}
	*to = number
	return nil
}

func setDuration(to *time.Duration, value string, least, most time.Duration) error {
	duration, err := time.ParseDuration(value)
	if err != nil || duration < least || duration > most {
		return fmt.Errorf("want a duration from %v to %v, such as 30s", least, most)
	}
	*to = duration
	return nil
}

func setPath(to *string, value string) error {
	if value == "" {
		return errors.New("want a path")
	}
	*to = value
	return nil
}

func setFunctionARN(o *options, value string) error {
	if parsed, err := arn.Parse(value); err != nil || parsed.Service != "lambda" || !strings.HasPrefix(parsed.Resource, "function:") {
		return errors.New("want arn:aws:lambda:REGION:ACCOUNT:function:NAME")
	}
	o.functionARN = value
	return nil
}

func setLogLevel(o *options, value string) error {
	if err := o.logLevel.UnmarshalText([]byte(value)); err != nil {
		return errors.New("want debug, info, warn or error")
	}
	return nil
}
