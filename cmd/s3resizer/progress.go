package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"s3resizer/internal/backfill"
)

// progress shows how far a job is: a line that is drawn again and again on a terminal, now and then one elsewhere.
type progress struct {
	out      *os.File
	terminal bool
	line     func() string
	stop     chan struct{}
	stopped  chan struct{}

	mu sync.Mutex // of the line
}

// startProgress is for what takes its time.
func startProgress(out *os.File, line func(terminal bool) string) *progress {
	p := newProgress(out)
	p.line = func() string { return line(p.terminal) }
	every := 5 * time.Second
	if p.terminal {
		every = redraw
	}
	p.start(every, every)
	return p
}

// startLine is for what may be over at once: there is a line on a terminal alone, and after a second.
func startLine(line func() string) *progress {
	p := newProgress(os.Stderr)
	p.line = line
	if p.terminal {
		p.start(time.Second, redraw)
	}
	return p
}

// redraw is how long a line stands on a terminal.
const redraw = 200 * time.Millisecond

func newProgress(out *os.File) *progress {
	return &progress{out: out, terminal: term.IsTerminal(int(out.Fd())), stop: make(chan struct{})}
}

func (p *progress) start(first, every time.Duration) {
	p.stopped = make(chan struct{})
	go func() {
		defer close(p.stopped)
		for wait := first; ; wait = every {
			select {
			case <-time.After(wait):
				p.draw()
			case <-p.stop:
				return
			}
		}
	}()
}

const clearLine = "\r\x1b[K"

// end is the last of it.
func (p *progress) end() {
	close(p.stop)
	if p.stopped != nil {
		<-p.stopped
	}
	p.clear()
}

// clear makes room for others on the terminal.
func (p *progress) clear() {
	if p.terminal {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprint(p.out, clearLine)
	}
}

// say prints a line between.
func (p *progress) say(text string) {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.out, text)
}

func (p *progress) draw() {
	text := p.line() // it may wait for somebody who has something to say
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	if width, _, err := term.GetSize(int(p.out.Fd())); err == nil && width > 0 {
		if letters := []rune(text); len(letters) >= width {
			text = string(letters[:width-1]) // a second line could not be drawn over
		}
	}
	fmt.Fprint(p.out, clearLine, text)
}

// rate is how many are done in a second.
func rate(done int64, running time.Duration) float64 {
	if running <= 0 {
		return 0
	}
	return float64(done) / running.Seconds()
}

// paceText is "21.3 a second, 3 min left", as far as it can be told.
func paceText(left int64, perSecond float64) string {
	return fmt.Sprintf("%.1f a second", perSecond) + leftText(left, perSecond)
}

// leftText is ", 3 min left", or "".
func leftText(left int64, perSecond float64) string {
	if left <= 0 || perSecond <= 0 {
		return ""
	}
	return ", " + durationText(time.Duration(float64(left)/perSecond*float64(time.Second))) + " left"
}

// backfillLine is the line of a backfill.
func backfillLine(b *backfill.Backfill, pace *backfill.Pace) func(terminal bool) string {
	return func(terminal bool) string {
		now := b.Progress()
		limit, throttled := pace.Slowed()
		text := progressText(now, limit, throttled)
		if terminal {
			text = bar(now) + " " + text
		}
		return text
	}
}

const barWidth = 20

// bar is as full as the job is done. How much there is, is not known until it has been counted.
func bar(p backfill.Progress) string {
	full := 0
	if p.Whole && p.Listed.Objects > 0 {
		full = int(min(barWidth, barWidth*p.Total().Objects/p.Listed.Objects))
	}
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "]"
}

// progressText is "1200 of 5000 pictures, 4.8 of 20.1 GB, 21.3 a second, 3 failed, 3 min left".
func progressText(p backfill.Progress, limit float64, throttled int) string {
	total := p.Total()
	more := "+"
	if p.Whole {
		more = ""
	}
	perSecond := rate(p.Done.Objects, p.Running)
	text := fmt.Sprintf("%d of %d%s pictures, %s of %s%s, %.1f a second, %d failed",
		total.Objects, max(total.Objects, p.Listed.Objects), more, sizeText(total.Bytes), sizeText(max(total.Bytes, p.Listed.Bytes)), more,
		perSecond, p.Counts[backfill.Failed].Objects+p.Counts[backfill.Quarantined].Objects)
	if p.Whole {
		text += leftText(p.Listed.Objects-total.Objects, perSecond)
	}
	if throttled > 0 {
		text += fmt.Sprintf(", S3 asked %d times for fewer requests, at most %.0f a second now", throttled, math.Ceil(limit))
	}
	return text
}

// printSummary is the table at the end.
func printSummary(out io.Writer, p backfill.Progress, pace *backfill.Pace) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tpictures\tbytes\t")
	for _, row := range []struct {
		status backfill.Status
		text   string
	}{
		{backfill.Complete, "nothing to do"}, {"resized", "resized"}, {"rejected", "rejected"}, {"skipped", "skipped"}, {"gone", "gone meanwhile"}, {"deleted", "gone, renditions too"},
		{backfill.Failed, "failed"}, {backfill.Quarantined, "quarantined"},
	} {
		if c := p.Counts[row.status]; c.Objects > 0 {
			fmt.Fprintf(w, "%s\t%d\t%s\t\n", row.text, c.Objects, sizeText(c.Bytes))
		}
	}
	total := p.Total()
	fmt.Fprintf(w, "all\t%d\t%s\t\n", total.Objects, sizeText(total.Bytes))
	_ = w.Flush()
	if seconds := p.Running.Seconds(); seconds > 0 && p.Done.Objects > 0 {
		fmt.Fprintf(out, "This run: %s, %s, in %s: %.1f a second.\n",
			counted(p.Done.Objects, "picture"), sizeText(p.Done.Bytes), durationText(p.Running), float64(p.Done.Objects)/seconds)
	}
	if limit, times := pace.Slowed(); times > 0 {
		fmt.Fprintf(out, "S3 asked %d times for fewer requests; at most %.0f a second were sent in the end.\n", times, math.Ceil(limit))
	}
}

// printEstimate is what a dry run says.
func printEstimate(out io.Writer, job backfill.Job, e backfill.Estimate, jobs int) {
	fmt.Fprintf(out, "s3://%s/%s, %s, to s3://%s, settings %s:\n", job.Bucket, job.Prefix, job.Only, job.Destination, job.Fingerprint)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tpictures\tbytes\t")
	fmt.Fprintf(w, "nothing to do\t%d\t%s\t\n", e.Complete.Objects, sizeText(e.Complete.Bytes))
	fmt.Fprintf(w, "to be resized\t%d\t%s\t\n", e.Todo.Objects, sizeText(e.Todo.Bytes))
	if e.TooLarge.Objects > 0 {
		fmt.Fprintf(w, "of these too large\t%d\t%s\t\n", e.TooLarge.Objects, sizeText(e.TooLarge.Bytes))
	}
	_ = w.Flush()
	fmt.Fprintf(out, `About %s with %d at a time (90 ms and 13 ms a MB of a processor's time for each, measured with baseline JPEGs).
About $%.2f for S3's requests, $%.2f a month for what is made; from outside of the bucket's region $%.2f for what is read.
(Amazon's list prices in us-east-1, November 2026.)`, durationText(e.Time), jobs, e.Requests, e.Storage, e.Transfer)
}

// sizeText is bytesText, and knows gigabytes.
func sizeText(n int64) string {
	if n >= 10_000_000_000 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return bytesText(n)
}

// durationText is a time to about two digits: "40 s", "12 min", "3 h 20 min".
func durationText(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f s", math.Ceil(d.Seconds()))
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", math.Ceil(d.Minutes()))
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
