package verify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// endless is a bucket of n originals, each with its set, that nobody holds.
type endless struct {
	memory
	n    int
	peak atomic.Uint64 // bytes of heap

	settings config.Settings
}

const digits = 9

func (e *endless) List(_ context.Context, bucket, prefix, after string) (page []s3io.Listed, more bool, err error) {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	e.peak.Store(max(e.peak.Load(), now.HeapAlloc))
	folder, ending := prefix, ".png"
	if prefix == naming.Records {
		ending = ".png.json"
	}
	if prefix == "" && bucket == destination {
		return nil, false, nil
	}
	first := 0
	if number := strings.TrimPrefix(after, folder); number != "" {
		if first, err = strconv.Atoi(number[:digits]); err != nil {
			return nil, false, err
		}
		first++
	}
	for ; first < e.n && len(page) < 1000; first++ {
		page = append(page, s3io.Listed{Key: folder + fmt.Sprintf("%09d", first) + ending, ETag: "1", Size: 1})
	}
	return page, first < e.n, nil
}

func (e *endless) Open(_ context.Context, bucket, key string) (*s3io.Object, error) {
	original := naming.Recorded(key)
	if original[digits-1] == '7' {
		return nil, &s3io.Error{Class: s3io.NotFound, Op: "open", Bucket: bucket, Key: key, Err: errors.New("no such key")}
	}
	record := fmt.Sprintf(`{"status":"resized","source":{"bucket":"photos","key":%[1]q,"etag":"1","format":"png","width":8,"height":8},"renditions":[
		{"size":"s","key":"s-%[1]s","format":"png","width":2,"height":2,"bytes":1,"etag":"1"},{"size":"m","key":"m-%[1]s","format":"png","width":4,"height":4,"bytes":1,"etag":"1"}]}`, original)
	return &s3io.Object{ReadCloser: io.NopCloser(strings.NewReader(record)), Info: s3io.Info{Metadata: map[string]string{
		"s3resizer-source": "s3://photos/" + original, "s3resizer-source-etag": "1", "s3resizer-settings": e.settings.Fingerprint()}}}, nil
}

func (e *endless) Head(_ context.Context, bucket, key string) (s3io.Info, error) {
	return s3io.Info{Bucket: bucket, Key: key, ETag: "1"}, nil
}

func TestMemoryIsFlat(t *testing.T) {
	peak := func(n int) uint64 {
		e := &endless{n: n, settings: settings(t)}
		var told int
		v := verify.New(verify.Options{Bucket: source, Store: e, Settings: e.settings, Quick: true, Found: func(verify.Finding) { told++ }})
		if err := v.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p := v.Progress(); int(p.Originals) != n || told != n/10 || int(p.Findings[verify.MissingRecord]) != told {
			t.Errorf("%+v of %d", p, n)
		}
		return e.peak.Load()
	}
	n := 500_000
	if testing.Short() {
		n = 20_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // what is garbage should not count
	few, many := peak(1000), peak(n)
	t.Logf("heap, at most: %d KiB with 1000 originals, %d KiB with %d", few>>10, many>>10, n)
	if many > few+8<<20 { // five listings, a few pages each
		t.Errorf("%d KiB with 1000 originals, %d KiB with %d", few>>10, many>>10, n)
	}
}
