package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"

	"s3resizer/internal/backfill"
	"s3resizer/internal/verify"
)

// findings are written as they come: to the report, or else a line each. Orphans are kept in a file until they are removed:
// there may be millions.
type findings struct {
	job      backfill.Job
	progress *progress
	kept     *os.File // orphans, a line of JSON each
	buffer   *bufio.Writer

	orphanBytes int64

	mu     sync.Mutex  // what is found and what can't be mended come at once
	report *csv.Writer // or nil
	file   *os.File
	err    error // the first one of writing
}

func (o verifyOptions) openFindings(job backfill.Job) (*findings, error) {
	f := &findings{job: job}
	var err error
	if o.report != "" {
		if f.file, err = os.Create(o.report); err != nil {
			return nil, err
		}
		f.report = csv.NewWriter(f.file)
		f.row("kind", "bucket", "key", "original", "reason")
	}
	if o.fix {
		if f.kept, err = os.CreateTemp("", "s3resizer-orphans-"); err != nil {
			f.close()
			return nil, err
		}
		f.buffer = bufio.NewWriter(f.kept)
	}
	return f, nil
}

// add is told of one finding at a time.
func (f *findings) add(found verify.Finding) {
	if found.Kind == verify.Orphan && f.kept != nil {
		f.orphanBytes += found.Bytes
		err := json.NewEncoder(f.buffer).Encode(found)
		f.mu.Lock()
		f.note(err)
		f.mu.Unlock()
	}
	f.write(string(found.Kind), found.Key, found.Original, found.Reason)
}

// notMended is told of what could not be made anew. What was rejected has a new record that says so.
func (f *findings) notMended(o backfill.Outcome) {
	if o.Status == backfill.Failed || o.Status == backfill.Quarantined {
		f.write("not-mended", "", o.Key, string(o.Class)+": "+o.Reason)
	}
}

func (f *findings) write(kind, key, original, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.report != nil {
		f.row(kind, f.job.Destination, key, original, reason)
		return
	}
	where := fmt.Sprintf("s3://%s/%s", f.job.Destination, key)
	if key == "" {
		where = fmt.Sprintf("s3://%s/%s", f.job.Bucket, original)
	}
	f.progress.say(fmt.Sprintf("%-17s  %s: %s", kind, where, reason))
}

func (f *findings) row(cells ...string) {
	f.note(f.report.Write(cells))
	f.report.Flush() // each line, whatever happens next
	f.note(f.report.Error())
}

func (f *findings) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// failed says whether what was found could be written down.
func (f *findings) failed() error {
	if f.err != nil {
		return statusError{fmt.Errorf("write the findings: %w", f.err), couldNot}
	}
	return nil
}

// orphans reads what was kept.
func (f *findings) orphans() iter.Seq2[verify.Finding, error] {
	return func(yield func(verify.Finding, error) bool) {
		err := errors.Join(f.err, f.buffer.Flush())
		if err == nil {
			_, err = f.kept.Seek(0, io.SeekStart)
		}
		decoder := json.NewDecoder(bufio.NewReader(f.kept))
		for {
			var orphan verify.Finding
			if err == nil {
				err = decoder.Decode(&orphan)
			}
			if errors.Is(err, io.EOF) || !yield(orphan, err) {
				return
			}
		}
	}
}

func (f *findings) close() {
	if f.kept != nil {
		_ = f.kept.Close()
		_ = os.Remove(f.kept.Name()) // it was for this run
	}
	if f.file != nil {
		_ = f.file.Close() // each line was written
	}
}
