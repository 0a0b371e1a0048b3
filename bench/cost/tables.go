package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// memories are the settings that are compared, in MB.
var memories = []int{1024, oneCore, 3008}

// render writes all that docs/scale.md has from here.
func render(run Run, prices Prices) (string, error) {
	rows, err := run.mix()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "From `make compare` of %s, commit %s, %s, and the prices of %s of %s ([prices.json](../bench/cost/prices.json)). A picture is the mean of %s.\n",
		run.About.Date, run.About.Commit, run.About.Machine, prices.Region, prices.Date, names(rows))
	byMemory(&b, rows, prices)
	bill(&b, rows, prices)
	reach(&b, rows)
	return b.String(), nil
}

func names(rows []Row) string {
	var all []string
	for _, row := range rows {
		all = append(all, row.Picture)
	}
	return strings.Join(all, ", ")
}

func byMemory(b *strings.Builder, rows []Row, prices Prices) {
	fmt.Fprint(b, "\n### Lambda alone, a million pictures\n\n| memory | | ms billed | arm64 | x86_64 | reference, ms | arm64 | x86_64 | of the reference's |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, memory := range memories {
		how := "arithmetic"
		if memory == oneCore {
			how = "measured"
		}
		dollars := func(side, architecture string) float64 {
			return mean(rows, func(row Row) float64 { return prices.computing(row, side, memory, architecture) })
		}
		took := func(side string) float64 {
			return mean(rows, func(row Row) float64 { return row.billed(side, memory) })
		}
		fmt.Fprintf(b, "| %d MB | %s | %.0f | $%.2f | $%.2f | %.0f | $%.2f | $%.2f | %.2f |\n", memory, how,
			took(ours), dollars(ours, "arm64"), dollars(ours, "x86_64"), took(reference), dollars(reference, "arm64"), dollars(reference, "x86_64"),
			dollars(ours, "arm64")/dollars(reference, "arm64"))
	}
}

// bill is all that AWS asks for a million pictures, with the settings of the template.
func bill(b *strings.Builder, rows []Row, prices Prices) {
	const architecture = "arm64"
	side := func(name string) (lambda, s3 float64) {
		return mean(rows, func(row Row) float64 { return prices.computing(row, name, oneCore, architecture) }),
			mean(rows, func(row Row) float64 { return prices.storing(requests(name, row)) })
	}
	lambda, s3 := side(ours)
	lambdaOfReference, s3OfReference := side(reference)
	gigabytes := func(name string) float64 {
		return mean(rows, func(row Row) float64 { return row.bytesOut(name) }) * 1e6 / 1e9
	}
	events := prices.EventBridge
	written := requests(ours, rows[0]).writes

	fmt.Fprint(b, "\n### The whole bill, a million pictures, 1769 MB, arm64\n\n| | s3resizer | reference | |\n|---|--:|--:|---|\n")
	line := func(what string, dollars float64, other, how string) {
		fmt.Fprintf(b, "| %s | $%.2f | %s | %s |\n", what, dollars, other, how)
	}
	line("Lambda", lambda, fmt.Sprintf("$%.2f", lambdaOfReference), "time and requests")
	line("S3 requests", s3, fmt.Sprintf("$%.2f", s3OfReference), fmt.Sprintf("ours %.0f writes, of which one is the record", written))
	line("S3's events of the destination", written*events.MillionS3Events, "–", "EventBridge is on for the whole bucket: each rendition raises one, too")
	line("result on the bus", events.MillionEvents, "–", "`direct` and `eventbridge`")
	line("the log", prices.logging(ours), fmt.Sprintf("$%.2f", prices.logging(reference)), "at the level `info`, metrics included")
	told := written*events.MillionS3Events + events.MillionEvents
	fmt.Fprintf(b, "| **all** | **$%.2f** | **$%.2f** | |\n", lambda+s3+told+prices.logging(ours), lambdaOfReference+s3OfReference+prices.logging(reference))
	line("… sent to a web service", events.MillionAPICalls, "–", "`notify.yaml`")
	line("… with the trigger `eventbridge`", events.MillionS3Events, "–", "the source's events")
	line("… with the trigger `sqs`", 3*prices.SQS.MillionRequests-events.MillionEvents, "–", "sent, received, deleted; no result on the bus")
	line("… of a backfill by S3 Batch", prices.S3.MillionBatchObjects+prices.S3.BatchJob-events.MillionEvents, "–", "one job; no result on the bus")
	fmt.Fprintf(b, "| renditions, a month | $%.2f | $%.2f | %.0f and %.0f GB |\n",
		gigabytes(ours)*prices.S3.GigabyteMonth, gigabytes(reference)*prices.S3.GigabyteMonth, gigabytes(ours), gigabytes(reference))
}

// S3's limits, for each partition of a bucket's keys.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
const (
	writesPerSecond = 3500
	readsPerSecond  = 5500
)

// reach is how many pictures a second so many invocations at once are.
func reach(b *strings.Builder, rows []Row) {
	seconds := mean(rows, func(row Row) float64 { return row.billed(ours, oneCore) }) / 1000
	writes := requests(ours, rows[0]).writes
	ranges := mean(rows, func(row Row) float64 { return requests(ours, row).reads - 1 }) // of the source, and not the record
	limits := []limit{
		{10, "`QueueConcurrency`, by default"},
		{50, "`ReservedConcurrency` as deploy.md has it"},
		{writesPerSecond / writes * seconds, fmt.Sprintf("a destination that S3 has not split yet: %d writes", writesPerSecond)},
		{readsPerSecond / ranges * seconds, fmt.Sprintf("a source that S3 has not split yet: %d reads", readsPerSecond)},
		{writesPerSecond * seconds, fmt.Sprintf("a destination split by sizes: %d writes of each", writesPerSecond)},
		{1000, "an account's quota, by default"},
	}
	slices.SortFunc(limits, func(a, b limit) int { return cmp.Compare(a.atOnce, b.atOnce) })
	fmt.Fprint(b, "\n### How far concurrency goes, 1769 MB\n\n| at once | pictures a second | a million takes | writes a second | reads a second | |\n|--:|--:|--:|--:|--:|---|\n")
	for _, l := range limits {
		rate := l.atOnce / seconds
		fmt.Fprintf(b, "| %.0f | %.0f | %s | %.0f | %.0f | %s |\n", l.atOnce, rate, spell(1e6/rate), rate*writes, rate*ranges, l.of)
	}
}

// limit is a concurrency, and what it is that has it.
type limit struct {
	atOnce float64
	of     string
}

func spell(seconds float64) string {
	switch {
	case seconds >= 5400:
		return fmt.Sprintf("%.1f h", seconds/3600)
	case seconds >= 90:
		return fmt.Sprintf("%.0f min", seconds/60)
	default:
		return fmt.Sprintf("%.0f s", seconds)
	}
}
