package backfill_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

func TestWhatIsLeftToDo(t *testing.T) {
	for name, test := range map[string]struct {
		only  backfill.Only
		want  []string
		heads int // of records
	}{
		"missing and stale": {backfill.MissingAndStale, []string{"new.jpg", "overwritten.jpg", "resettled.jpg"}, 4},
		"missing":           {backfill.Missing, []string{"new.jpg"}, 0},
		"stale":             {backfill.Stale, []string{"overwritten.jpg", "resettled.jpg"}, 4},
		"all":               {backfill.All, []string{"done.jpg", "new.jpg", "overwritten.jpg", "rejected.txt", "resettled.jpg"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			for _, key := range []string{"done.jpg", "new.jpg", "overwritten.jpg", "resettled.jpg", "rejected.txt"} {
				m.upload(key, "2")
			}
			m.put(source, "folder/", s3io.Info{})
			m.record("done.jpg", "2", settings)
			m.record("rejected.txt", "2", settings) // what it says inside does not matter
			m.record("overwritten.jpg", "1", settings)
			m.record("resettled.jpg", "2", "of older settings")
			m.record("deleted.jpg", "1", settings)
			m.put(destination, naming.Records+"notes", s3io.Info{})
			r := &resizer{m: m}
			got, p, err := run(t, backfill.Options{Job: job(test.only), Store: m, Resizer: r})
			if err != nil {
				t.Fatal(err)
			}
			wantKeys(t, got, test.want...)
			wantCounts(t, p, nonZero(map[backfill.Status]int64{"resized": int64(len(test.want)), backfill.Complete: int64(5 - len(test.want))}))
			if heads := m.heads - len(got); heads != test.heads {
				t.Errorf("%d records were asked for, want %d", heads, test.heads)
			}
			got, _, _ = run(t, backfill.Options{Job: job(test.only), Store: m, Resizer: r})
			if test.only != backfill.All && len(got) > 0 {
				t.Errorf("a second run does %q again", got)
			}
		})
	}
	t.Run("under a prefix, since a day", func(t *testing.T) {
		m := newMemory()
		for _, key := range []string{"a/x", "b/x", "b/y", "c/x"} {
			m.upload(key, "1")
		}
		m.record("b/y", "1", settings)
		j := job(backfill.MissingAndStale)
		j.Prefix, j.Since = "b/", modified
		got, p, err := run(t, backfill.Options{Job: j, Store: m, Resizer: &resizer{m: m}})
		if err != nil {
			t.Fatal(err)
		}
		wantKeys(t, got, "b/x")
		if !p.Whole || p.Listed.Objects != 2 {
			t.Errorf("%+v were listed", p.Listed)
		}
		j.Since = modified.Add(time.Second)
		got, _, _ = run(t, backfill.Options{Job: j, Store: m, Resizer: &resizer{m: m}})
		wantKeys(t, got)
	})
}

func nonZero(m map[backfill.Status]int64) map[backfill.Status]int64 {
	for status, n := range m {
		if n == 0 {
			delete(m, status)
		}
	}
	return m
}

// Keys that begin with one another are in another order in the listing of the records: a, a-b, but a-b.json, a.json. Whatever
// the keys, and wherever pages end, exactly those without a record are found, and without asking.
func TestTheListingsAreJoinedWhateverTheKeys(t *testing.T) {
	pieces := []string{"a", "b", "-", ".", "/", " ", "j", ".j", ".js", ".json", "!", "é", "\U0001F600", "0"}
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 200
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 0))
		m := newMemory()
		m.pageSize = 1 + random.IntN(7)
		var want []string
		for range random.IntN(60) {
			var key strings.Builder
			for range 1 + random.IntN(6) {
				key.WriteString(pieces[random.IntN(len(pieces))])
			}
			m.upload(key.String(), "1")
		}
		for key := range m.objects[source] {
			if random.IntN(2) == 0 {
				m.record(key, "1", settings)
			} else {
				want = append(want, key)
			}
		}
		for range random.IntN(10) { // of what is deleted
			m.record(pieces[random.IntN(len(pieces))]+pieces[random.IntN(len(pieces))]+"x", "1", settings)
		}
		j := job(backfill.Missing)
		if random.IntN(3) == 0 {
			j.Prefix = pieces[random.IntN(len(pieces))]
			want = slices.DeleteFunc(want, func(key string) bool { return !strings.HasPrefix(key, j.Prefix) })
		}
		got, _, err := run(t, backfill.Options{Job: j, Store: m, Resizer: &resizer{m: m}})
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: worked on %q, want %q; %v", seed, got, want, err)
		}
		if m.heads != len(got) {
			t.Fatalf("seed %d: records were asked for", seed)
		}
	}
}

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
		b, err := backfill.Open(backfill.Options{Job: job(backfill.Missing), Store: e, Resizer: calls, Jobs: 2, State: filepath.Join(t.TempDir(), "state")})
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

var errLost = &backfill.Failure{Class: "transient", Reason: "the network", Temporary: true}

func TestWhatFailsIsToldAndTriedAgainByTheNextRun(t *testing.T) {
	for _, only := range []backfill.Only{backfill.MissingAndStale, backfill.Stale, backfill.All} {
		t.Run(string(only), func(t *testing.T) {
			m := newMemory()
			for _, key := range []string{"a", "b", "c", "d"} {
				m.upload(key, "1")
				if only == backfill.Stale {
					m.record(key, "0", settings)
				}
			}
			var told []backfill.Outcome
			bad := map[string]error{
				"b": &backfill.Failure{Class: "access-denied", Reason: "you may not"},
				"c": &backfill.Failure{Class: "crashed", Reason: "signal: killed", Fatal: true},
			}
			r := &resizer{m: m, before: func(key string) error { return bad[key] }}
			o := backfill.Options{Job: job(only), Store: m, Resizer: r, State: filepath.Join(t.TempDir(), "state"), NotResized: func(o backfill.Outcome) { told = append(told, o) }}
			got, p, err := run(t, o)
			if err != nil {
				t.Fatal(err)
			}
			wantKeys(t, got, "a", "b", "c", "d")
			wantCounts(t, p, map[backfill.Status]int64{"resized": 2, backfill.Failed: 1, backfill.Quarantined: 1})
			if len(told) != 2 {
				t.Errorf("told of %+v", told)
			}

			got, p, _ = run(t, o)
			wantKeys(t, got, "b") // the crash is not tried again
			if only == backfill.All {
				wantCounts(t, p, map[backfill.Status]int64{backfill.Failed: 1, backfill.Quarantined: 1})
			} else {
				wantCounts(t, p, map[backfill.Status]int64{backfill.Complete: 2, backfill.Failed: 1, backfill.Quarantined: 1})
			}

			clear(bad)
			o.RetryQuarantined = true
			got, _, _ = run(t, o)
			wantKeys(t, got, "b", "c")

			got, _, _ = run(t, o)
			if only == backfill.All {
				wantKeys(t, got, "a", "b", "c", "d") // nothing was left: it starts over
			} else {
				wantKeys(t, got)
			}
		})
	}
}

func TestAFailureThatMayPassIsTriedThreeTimes(t *testing.T) {
	m := newMemory()
	m.upload("a", "1")
	times := 0
	r := &resizer{m: m, before: func(string) error {
		if times++; times == 1 {
			return errLost
		}
		return nil
	}}
	got, p, err := run(t, backfill.Options{Job: job(backfill.Missing), Store: m, Resizer: r})
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, got, "a", "a")
	wantCounts(t, p, map[backfill.Status]int64{"resized": 1})
}

func TestTwentyFailuresInARowEndIt(t *testing.T) {
	m := newMemory()
	for _, key := range numbered(500) {
		m.upload(key, "1")
	}
	denied := true
	r := &resizer{m: m, before: func(string) error {
		if denied {
			return &backfill.Failure{Class: "access-denied", Reason: "you may not", Op: "put", Bucket: destination}
		}
		return nil
	}}
	o := backfill.Options{Job: job(backfill.Missing), Store: m, Resizer: r, State: filepath.Join(t.TempDir(), "state")}
	got, _, err := run(t, o)
	var stopped *backfill.StoppedError
	if !errors.As(err, &stopped) || len(got) < 20 || len(got) > 22 {
		t.Fatalf("after %d pictures: %v", len(got), err)
	}
	if remedy := stopped.Last.Remedy(); !strings.Contains(remedy, "s3:PutObject on arn:aws:s3:::"+destination+"/*") {
		t.Errorf("the remedy is %q", remedy)
	}
	denied = false
	got, p, err := run(t, o)
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, got, numbered(500)...)
	wantCounts(t, p, map[backfill.Status]int64{"resized": 500})
}

func TestAListingThatCantBeHadEndsIt(t *testing.T) {
	m := newMemory()
	m.upload("a", "1")
	m.fail = func(op, bucket string) error {
		if op == "list" && bucket == destination {
			return &s3io.Error{Class: s3io.NoSuchBucket, Op: "list", Bucket: bucket, Err: errors.New("gone")}
		}
		return nil
	}
	_, _, err := run(t, backfill.Options{Job: job(backfill.Missing), Store: m, Resizer: &resizer{m: m}})
	if s3io.ClassOf(err) != s3io.NoSuchBucket {
		t.Error(err)
	}
}

// Whatever is in the state file at some moment is what a killed run leaves. From there, a second run misses nothing and
// repeats no more than what was being worked on, and what had failed.
func TestTheStateAtAnyMomentIsEnoughToGoOn(t *testing.T) {
	seeds := uint64(50)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 1))
		m := newMemory()
		m.pageSize = 1 + random.IntN(300)
		keys := numbered(200 + random.IntN(1800))
		for i, key := range keys {
			if i%3 == 1 { // begins with the one before
				key = keys[i-1] + "-"
				keys[i] = key
			}
			m.upload(key, "1")
		}
		only := backfill.All
		if random.IntN(2) == 0 {
			only = backfill.MissingAndStale
			for _, key := range keys {
				if random.IntN(3) == 0 {
					m.record(key, "0", settings)
				}
			}
		}
		bad := map[string]bool{}
		for i := 0; i < len(keys); i += 5 + random.IntN(50) {
			bad[keys[i]] = true
		}
		path := filepath.Join(t.TempDir(), "state")
		const jobs = 4
		at, done := 1+random.IntN(len(keys)-1), 0
		var left []byte
		begun, before := map[string]bool{}, map[string]bool{} // keys; until that moment
		r := &resizer{m: m}
		r.before = func(key string) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			defer func() { begun[key] = true }()
			if done++; done == at {
				left, _ = os.ReadFile(path)
				before = maps.Clone(begun)
			}
			if bad[key] {
				return &backfill.Failure{Class: "access-denied"}
			}
			return nil
		}
		if _, _, err := run(t, backfill.Options{Job: job(only), Store: m, Resizer: r, Jobs: jobs, State: path}); err != nil {
			t.Fatal(err)
		}
		if random.IntN(2) == 0 { // in the middle of a line
			left = append(left, []byte(`{"outcome":{"key":"0000`)...)
		}
		if err := os.WriteFile(path, left, 0o600); err != nil {
			t.Fatal(err)
		}
		for key := range m.objects[source] { // as it was at that moment
			if !before[key] || bad[key] {
				delete(m.objects[destination], naming.Record(key))
			}
		}
		r.before = nil
		after, p, err := run(t, backfill.Options{Job: job(only), Store: m, Resizer: r, Jobs: jobs, State: path})
		if err != nil {
			t.Fatal(err)
		}
		repeated := 0
		for _, key := range keys {
			_, is := slices.BinarySearch(after, key)
			was := before[key] && !bad[key]
			if was && is {
				repeated++
			}
			if !was && !is {
				t.Fatalf("seed %d: %s was missed", seed, key)
			}
		}
		if repeated > jobs {
			t.Fatalf("seed %d: %d of %d are done twice, killed at %d", seed, repeated, len(keys), at)
		}
		if total := p.Total().Objects; total != int64(len(keys)) {
			t.Errorf("seed %d: %d are counted, of %d", seed, total, len(keys))
		}
	}
}

func TestCtrlCFinishesWhatIsBegun(t *testing.T) {
	m := newMemory()
	for _, key := range numbered(100) {
		m.upload(key, "1")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &resizer{m: m}
	r.before = func(string) error {
		if r.mu.Lock(); len(r.keys) == 10 {
			cancel()
		}
		r.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		return nil
	}
	o := backfill.Options{Job: job(backfill.All), Store: m, Resizer: r, Jobs: 3, State: filepath.Join(t.TempDir(), "state")}
	b, err := backfill.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	begun := r.asked()
	if n := b.Progress().Counts["resized"].Objects; int(n) != len(begun) || n > 13 {
		t.Errorf("%d were finished of %d", n, len(begun))
	}
	r.before = nil
	after, _, err := run(t, o)
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, append(begun, after...), numbered(100)...)
}

func TestAStateIsOfOneJob(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	m := newMemory()
	m.upload("a", "1")
	o := backfill.Options{Job: job(backfill.Missing), Store: m, Resizer: &resizer{m: m}, State: path}
	if _, _, err := run(t, o); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*backfill.Job)
		says   string
	}{
		"another prefix":      {func(j *backfill.Job) { j.Prefix = "x/" }, "s3://photos/ to s3://photos-resized, this one is from s3://photos/x/"},
		"another destination": {func(j *backfill.Job) { j.Destination = "thumbs" }, "s3://thumbs"},
		"other settings":      {func(j *backfill.Job) { j.Settings = "f00" }, "fingerprint 0123456789ab, this one's have f00"},
		"of something else":   {func(j *backfill.Job) { j.Only = backfill.All }, "it is for missing, this one for all"},
		"another day":         {func(j *backfill.Job) { j.Since = modified }, "2026-06-01"},
	} {
		t.Run(name, func(t *testing.T) {
			other := o
			test.change(&other.Job)
			_, err := backfill.Open(other)
			var wrong *backfill.OtherJobError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("one run at a time", func(t *testing.T) {
		first, err := backfill.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := backfill.Open(o); err == nil || !strings.Contains(err.Error(), "in use by another run") {
			t.Errorf("%v", err)
		}
		if err := first.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	// Of /dev/null, root made a file.
	t.Run("what is no file is not replaced by one", func(t *testing.T) {
		other := o
		other.State = filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(other.State, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backfill.Open(other); err == nil || !strings.Contains(err.Error(), "not a state file") {
			t.Errorf("%v", err)
		}
	})
	t.Run("a file of somebody else's", func(t *testing.T) {
		for _, text := range []string{"a diary\n", "no end of a line", "{}\n"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := backfill.Open(o); err == nil || !strings.Contains(err.Error(), "not a state file") {
				t.Errorf("%q: %v", text, err)
			}
			if now, _ := os.ReadFile(path); string(now) != text {
				t.Errorf("%q became %q", text, now)
			}
		}
	})
}

func TestADryRunCountsAndChangesNothing(t *testing.T) {
	m := newMemory()
	for _, key := range numbered(30) {
		m.upload(key, "1")
		if key < "000010" {
			m.record(key, "1", settings)
		}
	}
	m.put(source, "huge.jpg", s3io.Info{ETag: "1", Size: 1 << 30})
	m.fail = func(string, string) error { time.Sleep(time.Duration(rand.IntN(int(time.Millisecond)))); return nil } // so that answers overtake one another
	path := filepath.Join(t.TempDir(), "state")
	var todo []string
	e, err := backfill.DryRun(t.Context(), backfill.Options{Job: job(backfill.MissingAndStale), Store: m, Jobs: 2, State: path}, 4, 1<<20, func(object s3io.Listed) error {
		todo = append(todo, object.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(numbered(30)[10:], []string{"huge.jpg"}); !slices.Equal(todo, want) {
		t.Errorf("to do are %q, want %q in that order", todo, want)
	}
	if e.Todo.Objects != 21 || e.TooLarge.Objects != 1 || e.Complete.Objects != 10 || e.Complete.Bytes != 10_000 {
		t.Errorf("%+v", e)
	}
	if want := 20 * 90 * time.Millisecond / 2; e.Time < want || e.Time > want+10*time.Millisecond {
		t.Errorf("it takes %v, want %v", e.Time, want)
	}
	if writes := 21 * 4 * 0.005 / 1000; e.Requests < writes || e.Requests > 2*writes {
		t.Errorf("requests cost $%f, the writes alone $%f", e.Requests, writes)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a state: %v", err)
	}
}
