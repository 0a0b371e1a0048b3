package protocol

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// The same letter is the same bytes.
var uploads = map[string]Upload{
	"A": {ETag: 1}, "B": {ETag: 2}, "A, to be cached": {ETag: 1, Header: 1}, "broken": {ETag: 3, Kind: Broken}, "large": {ETag: 4, Kind: Large},
	"its rendition": {ETag: 5}, "another's rendition": {ETag: 6, Kind: Ours}, "other key": {Key: 1, ETag: 7},
}

var (
	one       = []Settings{{Fingerprint: 1}}
	two       = []Settings{{Fingerprint: 1}, {Fingerprint: 2}}
	three     = []Settings{{Fingerprint: 1}, {Fingerprint: 2}, {Fingerprint: 3}}
	limits    = []Settings{{Fingerprint: 1}, {Fingerprint: 1, Small: true}}
	deletions = []Settings{{Fingerprint: 1, Delete: true}}
	discards  = []Settings{{Fingerprint: 1, Discards: true}}
	both      = []Settings{{Fingerprint: 1, Discards: true, Delete: true}}
	discards2 = []Settings{{Fingerprint: 1, Discards: true}, {Fingerprint: 2, Discards: true}}
	without   = []Settings{{Fingerprint: 1}, {Fingerprint: 1, Unrecorded: true}}
)

// verdict is what verify says of an end that is wrong.
type verdict string

const (
	mends    verdict = "mends it"
	finds    verdict = "finds it, and does not mend it"
	overlook verdict = "finds nothing"
)

// known is how a scenario is known to end wrong: docs/protocol.md says why it stays so.
type known struct {
	what   string
	steps  int // the fewest
	verify verdict
}

// scenario is a world, and how its orders end.
type scenario struct {
	name  string
	comes []string // uploads; "" is a deletion
	World
	known
}

func (c scenario) world() *World {
	w := c.World
	w.Uploads, w.Events = []Upload{{}}, nil
	w.Renditions, w.Handlers = 2, max(2, w.Handlers)
	for i, name := range c.comes {
		name, shared := strings.CutSuffix(name, ", shared")
		name, twice := strings.CutSuffix(name, ", twice")
		up, known := uploads[name]
		e := Event{After: uint8(i + 1), Key: up.Key, ETag: up.ETag, Times: 1, Shared: shared}
		if shared || twice {
			e.Times = 2
		}
		n := slices.Index(w.Uploads, up)
		switch {
		case !known && name != "":
			panic(name)
		case name == "":
			e.From = Removed
		case n < 0:
			n = len(w.Uploads)
			w.Uploads = append(w.Uploads, up)
		}
		w.Changes = append(w.Changes, Change{up.Key, uint8(n)})
		if name != "" || w.Settings[0].Delete {
			w.Events = append(w.Events, e)
		}
	}
	w.Events = append(w.Events, c.Events...)
	return &w
}

// What the schedules are that docs/protocol.md lists by their numbers.
var scenarios = []scenario{
	{name: "uploads over one another", comes: []string{"A, twice", "B, twice"}, World: World{Settings: one, Deaths: 1}},
	{name: "the first bytes again", comes: []string{"A", "B", "A"}, World: World{Settings: one, Deaths: 1}},
	{name: "answers that are lost", comes: []string{"A", "B"}, World: World{Settings: one, Deaths: 2, Lost: 1}},
	{name: "deletions", comes: []string{"A", "B", ""}, World: World{Settings: deletions, Deaths: 1}},
	{name: "a deletion, and the same bytes again", comes: []string{"A", "", "A"}, World: World{Settings: deletions, Deaths: 1}},
	{name: "a broken upload over an older set", comes: []string{"A", "B", "broken"}, World: World{Settings: one, Deaths: 1}},
	{name: "a broken upload, replaced", comes: []string{"broken", "A"}, World: World{Settings: one, Deaths: 2}},
	{name: "three handlers", comes: []string{"A, twice", "B"}, World: World{Settings: one, Handlers: 3}},
	{name: "no records", comes: []string{"A", "B"}, World: World{Settings: without[1:], Deaths: 1}},

	{name: "1: the source is deleted, what was made of it is to stay", comes: []string{"A", "B", ""}, World: World{Settings: one}, known: known{Mixed, 18, mends}},
	{name: "2: its own rendition is copied over it", comes: []string{"A", "B", "its rendition"}, World: World{Settings: one}},
	{name: "2: another's rendition is copied over it", comes: []string{"A", "B", "another's rendition"}, World: World{Settings: one}, known: known{Mixed, 21, finds}},
	{name: "3: two settings at once", comes: []string{"A", "B"}, World: World{Settings: two, Deaths: 1}},
	{name: "3: two settings at once, and two deaths", comes: []string{"A", "B"}, World: World{Settings: two, Deaths: 2}},
	{name: "4: smaller limits", comes: []string{"A", "large"}, World: World{Settings: limits}},
	{name: "4: smaller limits, and a death", comes: []string{"A", "large"}, World: World{Settings: limits, Deaths: 1}},
	{name: "4: smaller limits, twice", comes: []string{"large, twice"}, World: World{Settings: limits, Deaths: 1}},
	{name: "5: a backfill is killed, and goes on", comes: []string{"A", "B"}, World: World{Settings: one, Deaths: 1, Events: []Event{{From: Mend}}}},
	{name: "5: it is begun again without its state", comes: []string{"A", "B"}, World: World{Settings: one, Deaths: 1, Events: []Event{{From: Backfill}}}, known: known{Mixed, 22, mends}},
	{name: "6: one message, delivered twice", comes: []string{"A, shared", "B, shared"}, World: World{Settings: one, Deaths: 1}, known: known{Mixed, 21, mends}},
	{name: "7: a write acts late", comes: []string{"A", "B"}, World: World{Settings: one, Late: 1}, known: known{Mixed, 17, mends}},
	{name: "7: a write acts late, after all was removed", comes: []string{"A", ""}, World: World{Settings: deletions, Late: 1}, known: known{Undeleted, 19, mends}},
	{name: "8: the same bytes with other headers", comes: []string{"A", "A, to be cached"}, World: World{Settings: one, Deaths: 1}},
	{name: "9: two keys whose renditions have the same names", comes: []string{"A", "other key"}, World: World{Settings: one}, known: known{Mixed, 18, mends}},
	{name: "10: records are switched off", comes: []string{"A", "B"}, World: World{Settings: without}, known: known{Mixed, 14, finds}},
	{name: "11: orphans are removed while the same bytes come again", comes: []string{"A", "", "A"}, World: World{Settings: one, Events: []Event{{From: Orphans, After: 2}}}},
	{name: "11: and that is killed", comes: []string{"A", "", "A"}, World: World{Settings: one, Deaths: 1, Events: []Event{{From: Orphans, After: 2}}}, known: known{Mixed, 22, mends}},

	{name: "originals go", comes: []string{"A, twice", "B"}, World: World{Settings: discards, Deaths: 1}},
	{name: "originals go, rejected ones stay", comes: []string{"A", "broken", "B"}, World: World{Settings: discards}},
	{name: "originals go, which raises removals", comes: []string{"A", "B"}, World: World{Settings: both, Deaths: 1, Events: []Event{{From: Removed, After: Discarded}}}},
	{name: "originals go, two settings", comes: []string{"A", "B"}, World: World{Settings: discards2}, known: known{Lost, 25, finds}},
	{name: "originals go, answers that are lost", comes: []string{"A", "B"}, World: World{Settings: discards, Lost: 1}},
	{name: "originals go, an S3 without conditions", comes: []string{"A", "B"}, World: World{Settings: discards, Plain: true}, known: known{Lost, 17, finds}},
	{name: "originals go, and somebody deletes one", comes: []string{"A", "", "B"}, World: World{Settings: both, Events: []Event{{From: Removed, After: Discarded}}}},
	{name: "originals go, and somebody deletes a rejected one", comes: []string{"A", "broken", ""}, World: World{Settings: both, Events: []Event{{From: Removed, After: Discarded}}}, known: known{Undeleted, 31, finds}},
	{name: "originals go, and somebody deletes the last one", comes: []string{"A", ""}, World: World{Settings: both, Events: []Event{{From: Removed, After: Discarded}}}, known: known{Undeleted, 26, finds}},
	{name: "originals go, orphans of before", comes: []string{"A", "", "A"}, World: World{Settings: discards, Events: []Event{{From: Orphans, After: 2}}}, known: known{Lost, 26, finds}},
	{name: "originals go, under some settings", comes: []string{"A", "B"}, World: World{Settings: []Settings{one[0], discards[0]}}, known: known{Lost, 20, finds}},

	{name: "an S3 without conditions", comes: []string{"A", "B"}, World: World{Settings: one, Plain: true, Deaths: 1}},
	{name: "an S3 without conditions, and two settings at once", comes: []string{"A, twice"}, World: World{Settings: two, Plain: true}, known: known{Mixed, 15, mends}},
}

var wide = []scenario{
	{name: "three handlers, three uploads", comes: []string{"A", "B", "A"}, World: World{Settings: one, Handlers: 3, Deaths: 1}},
	{name: "three handlers, two settings", comes: []string{"A, twice", "B"}, World: World{Settings: two, Handlers: 3}},
	{name: "three handlers, deletions", comes: []string{"A", "", "A"}, World: World{Settings: deletions, Handlers: 3, Deaths: 1}},
	{name: "three settings", comes: []string{"A, twice"}, World: World{Settings: three, Handlers: 3, Deaths: 2}},
	{name: "everything over one another", comes: []string{"A", "broken", "A, to be cached"}, World: World{Settings: one, Deaths: 2, Lost: 1}},
	{name: "originals go, a write acts late", comes: []string{"A", "B"}, World: World{Settings: discards, Late: 1}},
	{name: "originals go, the first bytes again", comes: []string{"A", "B", "A"}, World: World{Settings: discards}, known: known{Lost, 29, finds}},
	{name: "originals go, rejected ones stay, and a death", comes: []string{"A", "broken", "B"}, World: World{Settings: discards, Deaths: 1}},
	{name: "two settings, and deletions", comes: []string{"A", "", "B"}, World: World{Settings: []Settings{{Fingerprint: 1, Delete: true}, {Fingerprint: 2, Delete: true}}, Deaths: 1}},
	{name: "two settings, and three deaths", comes: []string{"A", "B"}, World: World{Settings: two, Deaths: 3, Lost: 1}},
	{name: "smaller limits, and two deaths", comes: []string{"A", "large", "B"}, World: World{Settings: limits, Deaths: 2}},
	{name: "three handlers, smaller limits", comes: []string{"A", "large"}, World: World{Settings: limits, Handlers: 3, Deaths: 1}},
	{name: "two settings, a death and three uploads", comes: []string{"A", "broken", "B"}, World: World{Settings: two, Deaths: 1}},
}

// Every order of each scenario ends right, but for those ends that are known: of these it is known, too, how few steps they
// take and what verify makes of them, so that a change of the protocol that mends one or worsens it is noticed.
//
// S3RESIZER_LONG=1 tries the wide ones, too.
func TestEveryOrderEndsRight(t *testing.T) {
	all := scenarios
	if os.Getenv("S3RESIZER_LONG") != "" {
		all = append(all, wide...)
	}
	var states atomic.Int64
	t.Cleanup(func() { t.Logf("%d states in all", states.Load()) })
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := c.world()
			found := w.Explore(w.Start())
			states.Add(int64(found.States))
			t.Logf("%d states, %d ends, of which %d are wrong", found.States, found.Right+len(found.Wrong), len(found.Wrong))
			got := known{found.What, len(found.Trace), verify(w, found.Wrong)}
			if got != c.known {
				t.Errorf("%+v\nwant %+v", got, c.known)
			}
			if len(found.Wrong) > 0 {
				t.Logf("in the end, %s:\n%s", found.What, strings.Join(found.Trace, "\n"))
			}
		})
	}
}

// verify says what becomes of wrong ends with verify --fix.
func verify(w *World, ends []State) verdict {
	if len(ends) == 0 {
		return ""
	}
	says := mends
	for _, end := range ends {
		with, start, found := w.Verified(end)
		switch {
		case !found:
			return overlook
		case len(with.Explore(start).Wrong) > 0:
			says = finds
		}
	}
	return says
}
