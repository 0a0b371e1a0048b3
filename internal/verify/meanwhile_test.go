package verify_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"s3resizer/internal/backfill"
	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// The bucket is in use meanwhile: what changes while it is looked at is no finding.
func TestWhatChangesMeanwhileIsNoFinding(t *testing.T) {
	s := settings(t)
	for name, change := range map[string]func(t *testing.T, m *memory){
		"overwritten and done": func(t *testing.T, m *memory) { m.upload(t, "a.png", 30); m.resize(t, s, "a.png") },
		"deleted": func(_ *testing.T, m *memory) {
			delete(m.objects[source], "a.png")
			delete(m.objects[destination], "s-a.png")
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := three(t)
			m.before = func(op, _, key string) error {
				if op == "get" && key == ".s3resizer/a.png.json" { // it was listed
					m.mu.Lock()
					m.before = nil
					m.mu.Unlock()
					change(t, m)
				}
				return nil
			}
			got, v := found(t, verify.Options{Store: m, Settings: s})
			want(t, got)
			if v.Progress().Changed != 1 {
				t.Errorf("%+v", v.Progress())
			}
		})
	}
	t.Run("new, and listed only among the renditions", func(t *testing.T) {
		m := three(t)
		m.before = func(op, bucket, _ string) error {
			if op == "list" && bucket == destination {
				m.mu.Lock()
				m.before = nil
				m.mu.Unlock()
				m.upload(t, "e.png", 9)
				m.resize(t, s, "e.png")
			}
			return nil
		}
		got, _ := found(t, verify.Options{Store: m, Settings: s})
		want(t, got)
	})
}

func TestRemoveLooksOnceMore(t *testing.T) {
	orphans := func(t *testing.T, m *memory) (*verify.Verification, []verify.Finding) {
		delete(m.objects[source], "a.png")
		var all []verify.Finding
		v := verify.New(verify.Options{Bucket: source, Settings: settings(t), Store: m, Found: func(f verify.Finding) { all = append(all, f) }})
		if err := v.Run(t.Context()); err != nil || len(all) != 3 {
			t.Fatalf("%+v, %v", all, err)
		}
		return v, all
	}
	remove := func(t *testing.T, v *verify.Verification, all []verify.Finding) (removed int, back []string) {
		for _, f := range all {
			gone, original, err := v.Remove(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if gone {
				removed++
			}
			if original != nil {
				back = append(back, original.Key)
			}
		}
		return removed, back
	}
	t.Run("what is gone goes", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		if removed, back := remove(t, v, all); removed != 3 || back != nil || len(m.objects[destination]) != 7 {
			t.Errorf("%d were removed, %q came back, %d are left", removed, back, len(m.objects[destination]))
		}
		got, _ := found(t, verify.Options{Store: m, Settings: settings(t)})
		want(t, got)
	})
	t.Run("an original that came before the removal", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		m.upload(t, "a.png", 10)
		if removed, _ := remove(t, v, all); removed != 0 || m.asked["delete"] != 0 {
			t.Errorf("%d were removed", removed)
		}
	})
	t.Run("a newer object in its place", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		m.change(t, "s-a.png", func(u *s3io.Upload) { u.Data = []byte("newer") })
		if removed, _ := remove(t, v, all); removed != 2 {
			t.Errorf("%d were removed", removed)
		}
	})
	t.Run("an original that comes at that moment is told of", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		m.before = func(op, _, key string) error {
			if op == "delete" && key == "s-a.png" { // the same bytes: no ETag tells these renditions from the old ones
				m.mu.Lock()
				m.before = nil
				m.mu.Unlock()
				m.upload(t, "a.png", 10)
				m.resize(t, settings(t), "a.png")
			}
			return nil
		}
		_, back := remove(t, v, all)
		if !slices.Contains(back, "a.png") {
			t.Errorf("%q came back", back)
		}
		for _, key := range back {
			m.resize(t, settings(t), key)
		}
		got, _ := found(t, verify.Options{Store: m, Settings: settings(t)})
		want(t, got)
	})
	t.Run("so is one that comes when all is interrupted", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		ctx, interrupt := context.WithCancel(t.Context())
		m.before = func(op, _, _ string) error {
			if op == "delete" {
				m.upload(t, "a.png", 10)
				interrupt()
			}
			return nil
		}
		if removed, back, err := v.Remove(ctx, all[0]); !removed || back == nil || back.Key != "a.png" || err != nil {
			t.Errorf("removed: %v, back: %v, %v", removed, back, err)
		}
		if removed, _, err := v.Remove(ctx, all[1]); removed || err == nil {
			t.Errorf("the next one: %v, %v", removed, err)
		}
	})
	t.Run("not if nobody knows whether it is gone", func(t *testing.T) {
		m := three(t)
		v, all := orphans(t, m)
		m.before = func(op, bucket, key string) error {
			if op == "head" && bucket == source {
				return &s3io.Error{Class: s3io.Denied, Op: op, Bucket: bucket, Key: key, Err: errors.New("you may not")}
			}
			return nil
		}
		if removed, _, err := v.Remove(t.Context(), all[0]); removed || s3io.ClassOf(err) != s3io.Denied || m.asked["delete"] != 0 {
			t.Error(removed, err)
		}
	})
}

func TestWhatCantBeLookedAtIsToldAndTooMuchOfItEndsIt(t *testing.T) {
	denied := func(key string) error {
		return &s3io.Error{Class: s3io.Denied, Op: "head", Bucket: destination, Key: key, Err: errors.New("you may not")}
	}
	m := three(t)
	m.before = func(op, _, key string) error {
		if op == "head" && key == "s-a.png" {
			return denied(key)
		}
		return nil
	}
	got, _ := found(t, verify.Options{Store: m, Settings: settings(t)})
	want(t, got, "failed ")

	for i := range 40 {
		key := strconv.Itoa(i)
		m.objects[source][key], m.objects[destination]["s-"+key] = s3io.Upload{Key: key}, s3io.Upload{}
	}
	m.before = func(op, _, key string) error {
		if op != "list" {
			return denied(key)
		}
		return nil
	}
	err := verify.New(verify.Options{Bucket: source, Store: m, Settings: settings(t)}).Run(t.Context())
	if stopped := (*backfill.StoppedError)(nil); !errors.As(err, &stopped) || stopped.Last.Remedy() == "" {
		t.Error(err)
	}
	m.before = func(op, bucket, key string) error {
		if op == "list" && bucket == destination {
			return denied(key)
		}
		return nil
	}
	if err := verify.New(verify.Options{Bucket: source, Store: m, Settings: settings(t)}).Run(t.Context()); s3io.ClassOf(err) != s3io.Denied {
		t.Error(err)
	}
}
