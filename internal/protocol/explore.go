package protocol

import (
	"cmp"
	"fmt"
	"slices"
)

// Found is what there is at the ends of all orders.
type Found struct {
	States int
	Right  int // ends
	Wrong  []State
	What   string   // is wrong with the first of these
	Trace  []string // the fewest steps to it
}

// Explore tries every order of what may happen from these states on, breadth first.
func (w *World) Explore(starts ...State) (found Found) {
	type node struct {
		State
		before int
	}
	var nodes []node
	seen := map[State]bool{}
	reach := func(s State, before int) {
		if s = sorted(s); !seen[s] {
			seen[s] = true
			nodes = append(nodes, node{s, before})
		}
	}
	for _, s := range starts {
		reach(s, -1)
	}
	for i := 0; i < len(nodes); i++ {
		s := nodes[i].State
		w.Next(s, func(_ Step, next State) { reach(next, i) })
		if !w.ended(&s) {
			continue
		}
		what := w.Wrong(&s)
		if what == "" {
			found.Right++
			continue
		}
		if found.Wrong = append(found.Wrong, s); len(found.Wrong) > 1 {
			continue
		}
		var path []State
		for n := i; n >= 0; n = nodes[n].before {
			path = append(path, nodes[n].State)
		}
		slices.Reverse(path)
		found.What, found.Trace = what, w.trace(path)
	}
	found.States = len(nodes)
	return found
}

// sorted is a state with its runs in an order of their own: which handler has which makes no difference.
func sorted(s State) State {
	rank := func(r run) (rank uint64) {
		flags := uint8(0)
		for i, flag := range [...]bool{r.got, r.removed, r.taken, r.keeps} {
			if flag {
				flags |= 1 << i
			}
		}
		for _, field := range [...]uint8{uint8(r.at), r.event, r.settings, r.attempt, r.upload, uint8(r.record), r.next, r.seen.upload, r.seen.settings, flags} {
			rank = rank<<4 | uint64(field)
		}
		return rank
	}
	places := func(r run) (rank uint64) {
		for _, place := range r.places {
			rank = rank<<8 | uint64(place.upload)<<4 | uint64(place.settings)
		}
		rank <<= 1
		if r.fails {
			rank++
		}
		return rank<<8 | uint64(r.refused)
	}
	slices.SortFunc(s.runs[:], func(a, b run) int { return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(places(b), places(a))) })
	return s
}

// trace tells the steps of a path of sorted states. Each run keeps its letter in it.
func (w *World) trace(path []State) (trace []string) {
	s := path[0]
	for _, want := range path[1:] {
		var step Step
		var after State
		w.Next(s, func(candidate Step, next State) {
			if sorted(next) == want {
				step, after = candidate, next
			}
		})
		s = after
		trace = append(trace, w.Tell(step))
	}
	return trace
}

// What may be wrong with an end.
const (
	Mixed     = "a record, and renditions that it is not of"
	Stale     = "something that is not of the newest upload"
	NotNamed  = "a record that names an older set which is not whole"
	Undeleted = "something that was made of a source that is gone"
	Lost      = "a source that is gone, without the set that was made of it"
)

// Wrong says what is wrong with an end, or nothing.
func (w *World) Wrong(s *State) string {
	what := ""
	for key := range s.source {
		what = cmp.Or(what, w.wrong(s, uint8(key)))
	}
	return what
}

func (w *World) wrong(s *State, key uint8) string {
	r, newest := s.record[key], s.source[key]
	up := w.Uploads[newest]
	there := r != record{}
	header := func(o object) uint8 { return w.Uploads[o.upload].Header } // which no record has
	all := func(set object) bool {                                       // reports whether the renditions are that set, and alike
		return !slices.ContainsFunc(s.set[:w.Renditions], func(o object) bool { return !w.made(o, set) || header(o) != header(s.set[0]) })
	}
	current := func(o object) bool {
		return o.upload != 0 && w.Uploads[o.upload].Key == key && w.Uploads[o.upload].ETag == up.ETag
	}
	small := there && w.Settings[r.settings-1].Small
	taken := there && r.rejected && w.Uploads[s.set[0].upload].Key != key && s.source[1-key] != 0
	switch {
	case newest == 0 && w.last(key) != 0:
		if !r.discards || r.rejected || w.Uploads[r.upload].ETag != w.Uploads[w.last(key)].ETag || !all(r.object) {
			return Lost
		}
	case newest == 0 && r.discards && (!r.rejected && all(r.object) || r.rejected && all(r.previous)): // somebody else has deleted what was gone, or about to
	case newest == 0 && w.Settings[0].Delete:
		if slices.ContainsFunc(append(s.set[:w.Renditions:w.Renditions], r.object), func(o object) bool { return o.upload != 0 && w.Uploads[o.upload].Key == key }) {
			return Undeleted
		}
	case there && r.rejected && r.previous != object{} && !all(r.previous):
		return NotNamed
	case there && !r.rejected && !all(r.object):
		return Mixed
	case newest == 0 || up.Kind == Ours || taken && current(r.object):
	case there && (!current(r.object) || r.rejected != (up.Kind == Broken || up.Kind == Large && small)),
		!there && !slices.ContainsFunc(w.Settings, func(s Settings) bool { return s.Unrecorded }),
		up.Kind == Picture && (!current(s.set[0]) || header(s.set[0]) != up.Header || !all(s.set[0])):
		return Stale
	}
	return ""
}

// last is what the last change has put at a key.
func (w *World) last(key uint8) (upload uint8) {
	for _, c := range w.Changes {
		if c.Key == key {
			upload = c.Upload
		}
	}
	return upload
}

// Verified is an end with what `verify --fix` sets about, under the last of the settings; false if it finds nothing. It looks
// at what renditions and records say that they are of.
func (w *World) Verified(s State) (*World, State, bool) {
	with := *w
	with.Events = slices.Clone(w.Events)
	s.deaths, s.lates, s.losses = 0, 0, 0
	by, lost := uint8(len(w.Settings)), false
	for n, newest := range s.source {
		key, r := uint8(n), s.record[n]
		event := Event{From: Mend, After: 255, Key: key, By: by}
		wanted, outputs := object{newest, by}, append(s.set[:w.Renditions:w.Renditions], r.object)
		wrong := func(o object) bool { return !w.made(o, wanted) }
		switch {
		case newest == 0 && r.discards: // it is told of, and can't be mended
			lost = lost || w.wrong(&s, key) != ""
			outputs = nil
		case newest == 0:
			event.From = Orphans
			wrong = func(o object) bool { return o.upload != 0 && w.Uploads[o.upload].Key == key }
		case w.Uploads[newest].Kind == Ours: // found by the record, and not mended
			outputs = outputs[w.Renditions:]
			wrong = func(o object) bool { return o.upload != 0 && !w.made(o, wanted) }
		case r.rejected && !wrong(r.object) && r.previous == object{}:
			outputs = nil
		case r.rejected && !wrong(r.object):
			wanted, outputs = r.previous, outputs[:w.Renditions]
		}
		if slices.ContainsFunc(outputs, wrong) {
			s.waiting[len(with.Events)] = 1
			with.Events = append(with.Events, event)
		}
	}
	return &with, s, lost || len(with.Events) > len(w.Events)
}

// Verb is what a step does.
type Verb string

// The first four are what happens to the handlers; the others are their calls.
const (
	Changes  Verb = "comes"
	ActsLate Verb = "S3 writes, late,"
	Begins   Verb = "begins with"
	Dies     Verb = "dies"

	Reads         Verb = "reads the source"
	ReadsRecord   Verb = "reads the record"
	Looks         Verb = "looks at"
	LooksAtSource Verb = "looks at the source"
	Writes        Verb = "writes"
	WritesAgain   Verb = "writes, does not hear of it, and writes once more"
	WritesTwice   Verb = "waits in vain for a write, which is still on its way, and writes"
	GivesUp       Verb = "waits in vain for a write, which is still on its way, and fails: of"
	Removes       Verb = "removes"
	Discards      Verb = "removes the source"
)

// Step is something that happens.
type Step struct {
	Run              uint8 // who does it, from 1; 0 for nobody
	Do               Verb
	On               uint8 // the change, the event, or the output: a rendition's place, and behind these the record
	Upload, Settings uint8 // that what is written is of; or the settings that the run begins under
	Rejected         bool  // and it is the record of a rejection
	Refused          bool  // because what it was to replace is another one by now
	Ends, Well       bool  // the run, and it is not delivered again
}

// Tell says a step in words.
func (w *World) Tell(t Step) string {
	text := string(t.Do)
	if t.Run > 0 {
		text = fmt.Sprintf("%c %s", 'A'+t.Run-1, t.Do)
	}
	switch t.Do {
	case Changes:
		return fmt.Sprintf("upload %d comes at key %d", w.Changes[t.On].Upload, w.Changes[t.On].Key+1)
	case Begins:
		return fmt.Sprintf("%s event %d%s, settings %d", text, t.On+1, w.Events[t.On].From, t.Settings)
	case Looks, Writes, WritesAgain, WritesTwice, GivesUp, ActsLate, Removes:
		if int(t.On) < w.Renditions {
			text += fmt.Sprintf(" rendition %d", t.On+1)
		} else {
			text += " the record"
		}
	}
	if t.Upload > 0 {
		text += fmt.Sprintf(" (upload %d, settings %d)", t.Upload, t.Settings)
	}
	if t.Rejected {
		text += ", rejected"
	}
	if t.Refused {
		text += ": refused"
	}
	if t.Ends && t.Do != Dies {
		text += map[bool]string{true: ", and is content", false: ", and fails"}[t.Well]
	}
	return text
}
