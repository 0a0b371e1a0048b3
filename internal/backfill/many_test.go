package backfill_test

import (
	"context"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// endless is a bucket of n objects that nobody holds: all but every hundredth have a record.
type endless struct {
	n     int
	pages atomic.Int64
	peak  atomic.Uint64 // bytes of heap
}

const digits = 9

func (e *endless) List(_ context.Context, bucket, _, after string) (page []s3io.Listed, more bool, err error) {
	if e.pages.Add(1)%97 == 0 || e.n <= 1000 {
		runtime.GC()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // what others allocate meanwhile does not count
		metrics.Read(live)
		e.peak.Store(max(e.peak.Load(), live[0].Value.Uint64()))
	}
	first := 0
	if number := strings.TrimPrefix(after, naming.Records); number != "" {
		if first, err = strconv.Atoi(number[:digits]); err != nil {
			return nil, false, err
		}
		first++
	}
	for ; first < e.n && len(page) < 1000; first++ {
		number := strconv.Itoa(first)
		key := strings.Repeat("0", digits-len(number)) + number + ".jpg"
		if bucket == destination {
			if key = naming.Record(key); first%100 == 0 {
				continue
			}
		}
		page = append(page, s3io.Listed{Key: key, ETag: "1", Size: 1000, Modified: modified})
	}
	return page, first < e.n && len(page) > 0, nil
}

func (e *endless) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	return s3io.Info{Bucket: bucket, Key: key, Metadata: map[string]string{"s3resizer-source-etag": "1", "s3resizer-settings": settings}}, nil
}

// counter counts what it is asked for.
type counter struct{ calls atomic.Int64 }

func (c *counter) Resize(context.Context, string, string) (report.Result, error) {
	c.calls.Add(1)
	return report.Result{Status: report.Resized}, nil
}

// The short form is for the race detector, with which a million keys take a minute.
func TestMemoryIsFlatFromAThousandToAMillionKeys(t *testing.T) {
	peak := func(n int) uint64 {
		e, calls := &endless{n: n}, &counter{}
		b, err := backfill.Open(backfill.Options{Settings: defaults, Job: job(backfill.Missing), Store: e, Resizer: calls, Jobs: 2, State: filepath.Join(t.TempDir(), "state")})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := calls.calls.Load(), int64(n+99)/100; got != want {
			t.Errorf("%d of %d objects were worked on, want %d", got, n, want)
		}
		return e.peak.Load()
	}
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	few, many := peak(1000), peak(n)
	t.Logf("heap in use, at most: %d KiB with 1000 keys, %d KiB with %d", few>>10, many>>10, n)
	if many > few+4<<20 { // a few pages at once
		t.Errorf("%d KiB with 1000 keys, %d KiB with %d", few>>10, many>>10, n)
	}
}
