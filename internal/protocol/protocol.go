// Package protocol is a model of how renditions and their record come to be of the newest upload, for tests: what a
// handler asks of S3 in which order, and what uploads, other handlers, deaths and late requests do between any two of
// these. [World.Explore] tries every order. docs/protocol.md says the same in words.
//
// The one idea: all that is true at a moment is one small comparable value, a [State], and a step makes another one of
// it. So the orders are the paths of a graph that is small enough to be walked whole; nothing is drawn at random.
//
// It knows no pictures, no bytes and no time. That its runs are the handler's is shown by the handler's tests, which
// follow the real one's calls through the model.
package protocol

import (
	"math/bits"
	"slices"
)

const (
	// As many as there may be of each.
	maxKeys, maxRenditions, maxHandlers, maxEvents = 2, 3, 3, 5

	attempts = 3 // of a run, before it gives up and is delivered again
)

// World is what may happen in a scenario.
type World struct {
	Uploads    []Upload // an upload is known by its place here; that of 0 is none
	Settings   []Settings
	Changes    []Change // of the sources, in this order
	Events     []Event
	Renditions int  // of a set
	Handlers   int  // at work at once, at most
	Deaths     int  // of handlers, at most
	Late       int  // writes whose answer does not come in time and which act at any time after that, at most
	Lost       int  // records whose answer is lost, so that the second try finds the first one's, at most
	Plain      bool // the S3 looks at no condition of a write or a removal
}

// Upload is something that is put at a source's key.
type Upload struct {
	Key, ETag uint8
	Header    uint8 // its Cache-Control
	Kind      Kind
}

// Kind is what a handler makes of an upload.
type Kind uint8

// A large picture is rejected under small limits; a rendition of ours is skipped.
const (
	Picture Kind = iota
	Broken
	Large
	Ours
)

// Settings are what a handler works under. They are known by their place, counted from 1.
type Settings struct {
	Fingerprint uint8
	Delete      bool // what was made of a source goes with it
	Discards    bool // a source goes once it is resized
	Unrecorded  bool // without records
	Small       bool // with small limits
}

// Change puts an upload at a key or, with that of 0, deletes what is there.
type Change struct{ Key, Upload uint8 }

// Event brings a handler to a key.
type Event struct {
	From
	After  uint8 // the change that raises it, counted from 1; 0 if it is there from the beginning; or [Discarded]
	Times  uint8 // that it is delivered, at least; 0 is 1
	Key    uint8
	ETag   uint8 // that it names, or 0
	By     uint8 // the settings of the handlers that it goes to; 0 for any
	Shared bool  // its deliveries are of one message, which is deleted when one of them ends well
}

// Discarded is what an event comes after that tells of a source which a handler has removed.
const Discarded = 254

// From tells who sends an event.
type From string

// Where an event comes from.
const (
	Uploaded From = ""
	Removed  From = "removal"
	Backfill From = "backfill" // that knows nothing of one before: it begins only if the record is not of the source
	Mend     From = "mend"     // backfill, or verify on what is wrong, does it whatever the record says
	Orphans  From = "orphans"  // verify has found something of a source that is gone, and removes it itself
)

// object is a rendition, or what a record is of. That of upload 0 is none.
type object struct{ upload, settings uint8 }

// record is the commit record of a key.
type record struct {
	object
	rejected bool
	previous object // the older set that a rejected one names
	discards bool   // the source of its set goes once that is there; of a rejected one, of the older set
}

// base is what a run knows of the record that it is to replace.
type base uint8

const (
	unread base = iota
	absent
	same    // it is still the one that was seen
	changed // it is not
)

// write is a PUT of a rendition, by its place, or of a record, whose place is behind the renditions'.
type write struct {
	due     bool
	output  uint8
	of      record
	replace base

	replaces bool // of a rendition: only what has the bytes of place
	place    object
}

func (p write) step(do Verb, ok bool) Step {
	return Step{Do: do, On: p.output, Upload: p.of.upload, Settings: p.of.settings, Rejected: p.of.rejected, Refused: !ok}
}

// State is all that is true at a moment.
type State struct {
	changes uint8 // so far
	source  [maxKeys]uint8
	set     [maxRenditions]object
	record  [maxKeys]record
	waiting [maxEvents]uint8 // deliveries
	over    [maxEvents]bool  // the messages of shared events that were deleted
	runs    [maxHandlers]run
	late    write

	deaths, lates, losses uint8 // that may still come
}

// run is a handler at work on a delivery.
type run struct {
	at       phase
	event    uint8
	settings uint8
	attempt  uint8
	got      bool // upload is what was read
	upload   uint8
	record   base
	next     uint8  // the output that is looked at next, or bits of the renditions that are still to be written
	seen     object // what is about to be removed, or the older set that a rejection is to name
	keeps    bool   // the source of that older set was removed by us
	removed  bool   // something was, in this attempt or before
	taken    bool   // the renditions' names are another source's

	// Where the source is to go:
	places  [maxRenditions]object // what stood there when the source was last seen to be what was read
	refused uint8                 // bits of the renditions that were not written, because another one stands there by now
	fails   bool                  // which is not the same
}

type phase uint8

const (
	idle       phase = iota
	reading          // the source, and the record's ETag beside it
	claiming         // whether the renditions' names are another source's
	owning           // and whether that is still there
	placing          // what stands where the renditions are to be
	holding          // and whether the source is still what was read
	looking          // whether all is done
	writing          // renditions
	naming           // for a rejection: which older set the record names
	proving          // whether that is whole
	recording        // the record is written
	checking         // whether the source is still what was read
	standing         // whether the older set is still whole
	discarding       // the source is removed
	missing          // of a source that is gone: whether the record says that we have removed it
	removing         // what is there of a source that is gone is looked at
	asking           // of orphans, and where sources go: whether it is still gone
	sparing          // and whether its record says that we have removed it
	deleting         // what was looked at
	asked            // of orphans: whether the source has come back
)

// Start is the beginning, when nothing is there.
func (w *World) Start() State {
	s := State{deaths: uint8(w.Deaths), lates: uint8(w.Late), losses: uint8(w.Lost)}
	w.raise(&s)
	return s
}

// raise sends the events of the last change on their way.
func (w *World) raise(s *State) { w.tell(s, s.changes) }

func (w *World) tell(s *State, after uint8) {
	for i, e := range w.Events {
		if e.After == after {
			s.waiting[i] += max(1, e.Times)
		}
	}
}

// ended reports whether nothing is left to happen.
func (w *World) ended(s *State) bool {
	return int(s.changes) == len(w.Changes) && s.waiting == [maxEvents]uint8{} && s.runs == [maxHandlers]run{} && !s.late.due
}

// Next gives every step that can come next, and what is true after it.
func (w *World) Next(s State, yield func(Step, State)) {
	if int(s.changes) < len(w.Changes) {
		next, change := s, w.Changes[s.changes]
		next.source[change.Key] = change.Upload
		next.changes++
		w.raise(&next)
		yield(Step{Do: Changes, On: s.changes}, next)
	}
	if s.late.due {
		next := s
		next.late = write{}
		ok := w.put(&next, s.late)
		yield(s.late.step(ActsLate, ok), next)
	}
	w.deliver(s, yield)
	for i := range s.runs[:w.Handlers] {
		by := func(step Step, next State) {
			step.Run, step.Ends = uint8(i+1), next.runs[i].at == idle
			raised := step.Do == Discards && !step.Refused // maybe of the very event that it is delivered by
			step.Well = step.Ends && (raised || next.waiting[s.runs[i].event] <= s.waiting[s.runs[i].event])
			yield(step, next)
		}
		if w.step(s, i, by); s.runs[i].at != idle && s.deaths > 0 {
			next := s
			next.deaths--
			w.end(&next, i, false)
			by(Step{Do: Dies}, next)
		}
	}
}

// deliver begins a run of each event that waits, in the first handler that has none.
func (w *World) deliver(s State, yield func(Step, State)) {
	free := 0
	for free < w.Handlers && s.runs[free].at != idle {
		free++
	}
	if free == w.Handlers {
		return
	}
	for n, e := range w.Events {
		for i, set := range w.Settings {
			by := uint8(i + 1)
			if s.waiting[n] == 0 || e.By != 0 && e.By != by {
				continue
			}
			next := s
			next.waiting[n]--
			next.runs[free] = run{at: reading, event: uint8(n), settings: by, attempt: 1}
			switch {
			case e.From == Orphans:
				next.runs[free].at = removing
			case e.From == Removed && !set.Delete, e.From == Backfill && w.made(s.record[e.Key].object, object{s.source[e.Key], by}):
				w.end(&next, free, true)
			}
			yield(Step{Run: uint8(free + 1), Do: Begins, On: uint8(n), Settings: by}, next)
		}
	}
}

// made reports whether the label of an object is that of another one.
func (w *World) made(o, of object) bool {
	a, b := w.Uploads[o.upload], w.Uploads[of.upload]
	return o.upload != 0 && of.upload != 0 && a.Key == b.Key && a.ETag == b.ETag &&
		w.Settings[o.settings-1].Fingerprint == w.Settings[of.settings-1].Fingerprint
}

// end takes a run out of its handler. If it did not end well it is delivered again, by verify's and backfill's next run if
// need be; but nobody knows what orphans were about to be removed.
func (w *World) end(s *State, i int, well bool) {
	n := s.runs[i].event
	s.runs[i] = run{}
	switch e := w.Events[n]; {
	case well && e.Shared:
		s.over[n], s.waiting[n] = true, 0
	case !well && e.From != Orphans && !s.over[n]:
		s.waiting[n]++
	}
}

// again begins the next attempt of a run, or gives up.
func (w *World) again(s *State, i int) {
	r := s.runs[i]
	if r.attempt == attempts {
		w.end(s, i, false)
		return
	}
	s.runs[i] = run{at: reading, event: r.event, settings: r.settings, attempt: r.attempt + 1, removed: r.removed}
}

// put writes, if its condition holds, and reports whether it did.
func (w *World) put(s *State, p write) bool {
	if int(p.output) < w.Renditions {
		if p.replaces && !w.Plain && p.place != s.set[p.output] && !w.made(p.place, s.set[p.output]) {
			return false
		}
		s.set[p.output] = p.of.object
		return true
	}
	key := w.Uploads[p.of.upload].Key
	if !w.Plain && (p.replace == changed || (p.replace == absent) != (s.record[key] == record{})) {
		return false
	}
	w.setRecord(s, key, p.of)
	return true
}

// setRecord writes or removes a record. Whoever has seen the one of before has now seen another one: no two have the same
// bytes.
func (w *World) setRecord(s *State, key uint8, r record) {
	s.record[key] = r
	for i, other := range s.runs {
		if other.record == same && w.Events[other.event].Key == key {
			s.runs[i].record = changed
		}
	}
	if s.late.replace == same && w.Uploads[s.late.of.upload].Key == key {
		s.late.replace = changed
	}
}

// output is what there is at a place: a rendition, whoever's it is, or the key's record.
func (w *World) output(s *State, key, n uint8) object {
	if int(n) < w.Renditions {
		return s.set[n]
	}
	return s.record[key].object
}

// discard reports whether a source ever goes once it is resized.
func (w *World) discard() bool {
	return slices.ContainsFunc(w.Settings, func(s Settings) bool { return s.Discards })
}

// shared reports whether two keys have the names of their renditions in common.
func (w *World) shared() bool {
	return slices.ContainsFunc(w.Uploads, func(u Upload) bool { return u.Key > 0 })
}

// first is the first of the bits.
func first(set uint8) uint8 { return uint8(bits.TrailingZeros8(set)) }
