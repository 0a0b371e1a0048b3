package backfill_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
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
			got, p, err := run(t, backfill.Options{Settings: defaults, Job: job(test.only), Store: m, Resizer: r})
			if err != nil {
				t.Fatal(err)
			}
			wantKeys(t, got, test.want...)
			wantCounts(t, p, nonZero(map[backfill.Status]int64{"resized": int64(len(test.want)), backfill.Complete: int64(5 - len(test.want))}))
			if heads := m.heads - len(got); heads != test.heads {
				t.Errorf("%d records were asked for, want %d", heads, test.heads)
			}
			got, _, _ = run(t, backfill.Options{Settings: defaults, Job: job(test.only), Store: m, Resizer: r})
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
		got, p, err := run(t, backfill.Options{Settings: defaults, Job: j, Store: m, Resizer: &resizer{m: m}})
		if err != nil {
			t.Fatal(err)
		}
		wantKeys(t, got, "b/x")
		if !p.Whole || p.Listed.Objects != 2 {
			t.Errorf("%+v were listed", p.Listed)
		}
		j.Since = modified.Add(time.Second)
		got, _, _ = run(t, backfill.Options{Settings: defaults, Job: j, Store: m, Resizer: &resizer{m: m}})
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
		got, _, err := run(t, backfill.Options{Settings: defaults, Job: j, Store: m, Resizer: &resizer{m: m}})
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: worked on %q, want %q; %v", seed, got, want, err)
		}
		if m.heads != len(got) {
			t.Fatalf("seed %d: records were asked for", seed)
		}
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
			o := backfill.Options{Settings: defaults, Job: job(only), Store: m, Resizer: r, State: filepath.Join(t.TempDir(), "state"), NotResized: func(o backfill.Outcome) { told = append(told, o) }}
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
	got, p, err := run(t, backfill.Options{Settings: defaults, Job: job(backfill.Missing), Store: m, Resizer: r})
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
	o := backfill.Options{Settings: defaults, Job: job(backfill.Missing), Store: m, Resizer: r, State: filepath.Join(t.TempDir(), "state")}
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
	_, _, err := run(t, backfill.Options{Settings: defaults, Job: job(backfill.Missing), Store: m, Resizer: &resizer{m: m}})
	if s3io.ClassOf(err) != s3io.NoSuchBucket {
		t.Error(err)
	}
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
	e, err := backfill.DryRun(t.Context(), backfill.Options{Settings: defaults, Job: job(backfill.MissingAndStale), Store: m, Jobs: 2, State: path}, func(object s3io.Listed) error {
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
