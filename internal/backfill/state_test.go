package backfill_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
)

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
		if _, _, err := run(t, backfill.Options{Settings: defaults, Job: job(only), Store: m, Resizer: r, Jobs: jobs, State: path}); err != nil {
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
		after, p, err := run(t, backfill.Options{Settings: defaults, Job: job(only), Store: m, Resizer: r, Jobs: jobs, State: path})
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
	o := backfill.Options{Settings: defaults, Job: job(backfill.All), Store: m, Resizer: r, Jobs: 3, State: filepath.Join(t.TempDir(), "state")}
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
	o := backfill.Options{Settings: defaults, Job: job(backfill.Missing), Store: m, Resizer: &resizer{m: m}, State: path}
	if _, _, err := run(t, o); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*backfill.Job)
		says   string
	}{
		"another prefix":      {func(j *backfill.Job) { j.Prefix = "x/" }, "s3://photos/ to s3://photos-resized, this one is from s3://photos/x/"},
		"another destination": {func(j *backfill.Job) { j.Destination = "thumbs" }, "s3://thumbs"},
		"other settings":      {func(j *backfill.Job) { j.Fingerprint = "f00" }, "fingerprint 03ffeb02a7b9, this one's have f00"},
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

// A picture that was being resized when everything was killed is done again, though live traffic has written a record for a
// newer upload meanwhile: what was written last may be a rendition of the older one.
func TestWhatWasBegunIsDoneAgain(t *testing.T) {
	m := newMemory()
	for _, key := range numbered(20) {
		m.upload(key, "1")
	}
	path := filepath.Join(t.TempDir(), "state")
	var left []byte
	r := &resizer{m: m}
	r.before = func(key string) error {
		if key == numbered(20)[7] {
			left, _ = os.ReadFile(path)
		}
		return nil
	}
	if _, _, err := run(t, backfill.Options{Settings: defaults, Job: job(backfill.MissingAndStale), Store: m, Resizer: r, Jobs: 1, State: path}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, left, 0o600); err != nil {
		t.Fatal(err)
	}
	again := &resizer{m: m}
	if _, _, err := run(t, backfill.Options{Settings: defaults, Job: job(backfill.MissingAndStale), Store: m, Resizer: again, Jobs: 1, State: path}); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, again.asked(), numbered(20)[7])
}

// What a worker dies of is an upload: if another one is in its place by then, that one is done, not quarantined.
func TestADeathIsOfAnUpload(t *testing.T) {
	m := newMemory()
	m.upload("a", "1")
	deaths := 0
	r := &resizer{m: m}
	r.before = func(string) error {
		if deaths++; deaths == 1 {
			m.upload("a", "2")
			return &backfill.Failure{Class: report.ClassCrashed, Fatal: true}
		}
		return nil
	}
	_, p, err := run(t, backfill.Options{Settings: defaults, Job: job(backfill.MissingAndStale), Store: m, Resizer: r, Jobs: 1})
	if err != nil || deaths != 2 {
		t.Errorf("%v, after %d attempts", err, deaths)
	}
	wantCounts(t, p, map[backfill.Status]int64{"resized": 1})
}
