package backfill_test

import (
	"testing"
	"testing/synctest"
	"time"

	"s3resizer/internal/backfill"
)

// sent is how many requests one after the other may send in so long.
func sent(t *testing.T, p *backfill.Pace, d time.Duration) int {
	t.Helper()
	n := 0
	for begun := time.Now(); time.Since(begun) < d; n++ {
		if err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := backfill.NewPace(100)
		for range 5 {
			time.Sleep(10 * time.Second) // nothing is saved up
			if n := sent(t, p, time.Second); n < 99 || n > 102 {
				t.Errorf("%d requests in a second, at most 100 are to be", n)
			}
		}
		for range 10 {
			p.Throttled() // all of what was under way
		}
		if n := sent(t, p, time.Second); n < 45 || n > 55 {
			t.Errorf("%d requests in the second after S3 asked for fewer, want half", n)
		}
		p.Throttled()
		if n := sent(t, p, time.Second); n < 20 || n > 40 {
			t.Errorf("%d requests when S3 had asked again", n)
		}
		sent(t, p, 30*time.Second)
		if n := sent(t, p, time.Second); n < 98 {
			t.Errorf("%d requests half a minute later: it does not recover", n)
		}
		for range 100 {
			p.Throttled()
			sent(t, p, 1100*time.Millisecond)
		}
		if limit, _ := p.Slowed(); limit < 1 {
			t.Errorf("it went down to %.2f a second", limit)
		}
	})
}
