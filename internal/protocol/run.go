package protocol

// step gives what a run may do next: a request to S3, and what it makes of the answer.
func (w *World) step(s State, i int, yield func(Step, State)) {
	r := s.runs[i]
	key, set := w.Events[r.event].Key, w.Settings[max(1, r.settings)-1]
	// ask is a request that changes nothing.
	ask := func(do Verb, on uint8, answer func(next *State, r *run)) {
		next := s
		answer(&next, &next.runs[i])
		yield(Step{Do: do, On: on}, next)
	}
	switch r.at {
	case reading:
		if r.record == unread && !set.Unrecorded {
			ask(Looks, uint8(w.Renditions), func(next *State, r *run) {
				r.record = same
				if s.record[key] == (record{}) {
					r.record = absent
				}
				w.decide(next, i)
			})
		}
		if !r.got {
			ask(Reads, 0, func(next *State, r *run) {
				r.got, r.upload = true, s.source[key]
				w.decide(next, i)
			})
		}
	case claiming:
		ask(Looks, 0, func(_ *State, r *run) {
			if r.at = owning; s.set[0].upload == 0 || w.Uploads[s.set[0].upload].Key == key {
				w.prepare(r)
			}
		})
	case owning:
		ask(LooksAtSource, 1, func(_ *State, r *run) {
			r.taken = s.source[1-key] != 0
			w.prepare(r)
		})
	case placing:
		ask(Looks, r.next, func(_ *State, r *run) {
			r.places[r.next] = s.set[r.next]
			if r.next++; int(r.next) == w.Renditions {
				r.at = holding
			}
		})
	case holding:
		ask(LooksAtSource, 0, func(next *State, r *run) {
			switch {
			case s.source[key] == 0, w.Uploads[s.source[key]].ETag != w.Uploads[r.upload].ETag:
				w.again(next, i)
			case w.rejects(r):
				r.at = naming
			default:
				r.at, r.next = writing, 1<<w.Renditions-1
			}
		})
	case looking:
		do, isRecord := Looks, int(r.next) == w.Renditions
		if isRecord {
			do = ReadsRecord
		}
		ask(do, r.next, func(next *State, r *run) {
			there := w.output(&s, key, r.next)
			sameHeader := w.Uploads[there.upload].Header == w.Uploads[r.upload].Header
			switch {
			case !w.made(there, object{r.upload, r.settings}), !isRecord && !sameHeader, isRecord && s.record[key].rejected:
				w.begin(r)
			case isRecord:
				w.record(r) // once more, for those who write between these looks
			case set.Unrecorded && int(r.next) == w.Renditions-1:
				w.end(next, i, true)
			default:
				r.next++
			}
		})
	case writing:
		for left := r.next; left != 0; left &= left - 1 {
			n := first(left)
			w.write(s, i, write{output: n, of: record{object: object{r.upload, r.settings}}, replaces: set.Discards, place: r.places[min(n, maxRenditions-1)]}, yield)
		}
		for left := r.refused; left != 0; left &= left - 1 { // what stands there may be the same
			n := first(left)
			ask(Looks, n, func(next *State, r *run) {
				there := s.set[n]
				r.fails = r.fails || !w.made(there, object{r.upload, r.settings}) || w.Uploads[there.upload].Header != w.Uploads[r.upload].Header
				r.refused &^= 1 << n
				w.wroteAll(next, i)
			})
		}
	case naming:
		ask(ReadsRecord, 0, func(_ *State, r *run) {
			r.seen, r.keeps, r.at = s.record[key].object, s.record[key].discards, proving
			if s.record[key].rejected {
				r.seen = s.record[key].previous
			}
			if r.seen == (object{}) {
				r.at = recording
			}
		})
	case proving, standing:
		ask(Looks, r.next, func(next *State, r *run) {
			whole := w.made(s.set[r.next], r.seen)
			r.next++
			switch last := int(r.next) == w.Renditions; {
			case r.at == proving && !whole:
				r.at, r.next, r.seen, r.keeps = recording, 0, object{}, false
			case r.at == proving && last && w.made(r.seen, object{r.upload, r.settings}):
				w.end(next, i, true) // under wider limits it was no rejection
			case r.at == proving && last:
				r.at, r.next = recording, 0
			case !whole:
				w.again(next, i)
			case last:
				w.end(next, i, true)
			}
		})
	case recording:
		rejected, discards := w.rejects(&r), set.Discards
		if rejected {
			discards = r.keeps
		}
		w.write(s, i, write{output: uint8(w.Renditions), of: record{object{r.upload, r.settings}, rejected, r.seen, discards}, replace: r.record}, yield)
	case checking:
		ask(LooksAtSource, 0, func(next *State, r *run) {
			now, then := w.Uploads[s.source[key]], w.Uploads[r.upload]
			gone := s.source[key] == 0
			discards := set.Discards && !w.rejects(r) && r.upload != 0
			switch {
			case gone && (!set.Delete || r.upload == 0) && !discards:
				w.end(next, i, true)
			case gone && set.Delete:
				w.again(next, i)
			case discards && (gone || now.ETag == then.ETag && now.Header == then.Header):
				r.at = discarding
			case gone || now.ETag != then.ETag || now.Header != then.Header:
				w.again(next, i)
			case r.seen != object{}:
				r.at, r.next = standing, 0
			default:
				w.end(next, i, true)
			}
		})
	case discarding:
		next := s
		ok := w.Plain || s.source[key] == 0 || w.Uploads[s.source[key]].ETag == w.Uploads[r.upload].ETag
		if ok {
			if next.source[key] = 0; s.source[key] != 0 {
				w.tell(&next, Discarded)
			}
			w.end(&next, i, true)
		} else {
			w.again(&next, i)
		}
		yield(Step{Do: Discards, Refused: !ok}, next)
	case missing:
		ask(ReadsRecord, 0, func(next *State, r *run) {
			switch {
			case s.record[key].discards || !set.Delete:
				w.end(next, i, true)
			default:
				r.at, r.record = removing, unread
			}
		})
	case removing, asking, sparing, deleting, asked:
		w.remove(s, i, ask, yield)
	}
}

// decide goes on when all is read that is read at first.
func (w *World) decide(s *State, i int) {
	r := &s.runs[i]
	set := w.Settings[r.settings-1]
	switch {
	case !r.got || r.record == unread && !set.Unrecorded:
	case r.upload == 0:
		w.gone(s, i)
	case w.Uploads[r.upload].Kind == Ours:
		w.end(s, i, true)
	case w.shared():
		r.at = claiming
	default:
		w.prepare(r)
	}
}

// gone goes on when the source is not there.
func (w *World) gone(s *State, i int) {
	r := &s.runs[i]
	switch set := w.Settings[r.settings-1]; {
	case set.Discards || set.Delete && w.discard():
		r.at = missing
	case set.Delete:
		r.at, r.record = removing, unread
	default:
		w.end(s, i, true)
	}
}

// prepare looks first whether all is done, unless it is not to or can't be.
func (w *World) prepare(r *run) {
	e := w.Events[r.event]
	r.next = 0
	if r.at = looking; w.rejects(r) || w.Settings[r.settings-1].Discards || r.attempt == 1 && e.From != Removed && (e.ETag == 0 || e.ETag == w.Uploads[r.upload].ETag) {
		w.begin(r)
	}
}

// begin goes to what is written of an upload.
func (w *World) begin(r *run) {
	r.next = 0
	switch discards := w.Settings[r.settings-1].Discards; {
	case discards && w.rejects(r):
		r.at = holding
	case discards:
		r.at = placing
	case !w.rejects(r):
		r.at, r.next = writing, 1<<w.Renditions-1
	case w.Settings[r.settings-1].Unrecorded:
		r.at = checking
	default:
		r.at = naming
	}
}

func (w *World) rejects(r *run) bool {
	kind := w.Uploads[r.upload].Kind
	return r.taken || kind == Broken || kind == Large && w.Settings[r.settings-1].Small
}

// write puts something, to any fate.
func (w *World) write(s State, i int, p write, yield func(Step, State)) {
	attempt := func(do Verb, s State) {
		ok := w.put(&s, p)
		w.wrote(&s, i, p, ok)
		yield(p.step(do, ok), s)
	}
	attempt(Writes, s)
	if s.lates > 0 && !s.late.due {
		next := s
		next.lates--
		next.late = p
		next.late.due = true
		attempt(WritesTwice, next)
		w.end(&next, i, false)
		yield(p.step(GivesUp, true), next)
	}
	if s.losses > 0 && int(p.output) == w.Renditions {
		next := s
		next.losses--
		if w.put(&next, p) {
			p.replace = changed
			attempt(WritesAgain, next)
		}
	}
}

// wrote goes on after a write.
func (w *World) wrote(s *State, i int, p write, ok bool) {
	r := &s.runs[i]
	switch {
	case !ok && p.replaces:
		r.next &^= 1 << p.output
		r.refused |= 1 << p.output
	case !ok:
		w.again(s, i)
	case int(p.output) == w.Renditions:
		r.at, r.record = checking, unread
	default:
		r.next &^= 1 << p.output
		w.wroteAll(s, i)
	}
}

// wroteAll goes on when no rendition is under way any more.
func (w *World) wroteAll(s *State, i int) {
	switch r := &s.runs[i]; {
	case r.next|r.refused != 0:
	case r.fails:
		w.again(s, i)
	default:
		w.record(r)
	}
}

// record goes on when all renditions are there.
func (w *World) record(r *run) {
	if r.at, r.next = recording, 0; w.Settings[r.settings-1].Unrecorded {
		r.at = checking
	}
}

// remove takes away what was made of a source that is gone, the record last, and then looks at the source. For orphans it
// does so before and after each.
func (w *World) remove(s State, i int, ask func(Verb, uint8, func(*State, *run)), yield func(Step, State)) {
	r := s.runs[i]
	key, orphans := w.Events[r.event].Key, w.Events[r.event].From == Orphans
	isRecord := int(r.next) == w.Renditions
	following := func(next *State, r *run) {
		r.at, r.seen, r.record = removing, object{}, unread
		switch r.next++; {
		case !isRecord:
		case r.removed && !orphans:
			r.at, r.next = checking, 0
		default:
			w.end(next, i, true)
		}
	}
	switch r.at {
	case removing:
		ask(Looks, r.next, func(next *State, r *run) {
			r.seen = w.output(&s, key, r.next)
			switch {
			case r.seen == object{} || w.Uploads[r.seen.upload].Key != key:
				following(next, r)
				return
			case orphans, w.Settings[r.settings-1].Discards:
				r.at = asking
			default:
				r.at = deleting
			}
			if isRecord {
				r.record = same
			}
		})
	case asking:
		ask(LooksAtSource, 0, func(next *State, r *run) {
			switch r.at = deleting; {
			case s.source[key] != 0 && orphans:
				w.end(next, i, true)
			case s.source[key] != 0:
				w.again(next, i)
			case w.discard():
				r.at = sparing
			}
		})
	case sparing:
		ask(ReadsRecord, 0, func(next *State, r *run) {
			if r.at = deleting; s.record[key].discards {
				w.end(next, i, true)
			}
		})
	case deleting:
		next := s
		there := w.output(&s, key, r.next)
		ok := w.Plain || there == object{} || w.made(there, r.seen) && r.record != changed
		next.runs[i].removed = r.removed || ok
		switch {
		case ok && isRecord:
			w.setRecord(&next, key, record{})
		case ok:
			next.set[r.next] = object{}
		}
		switch {
		case orphans:
			next.runs[i].at = asked
		case ok:
			following(&next, &next.runs[i])
		default:
			w.again(&next, i)
		}
		yield(Step{Do: Removes, On: r.next, Refused: !ok}, next)
	case asked:
		ask(LooksAtSource, 0, func(next *State, r *run) {
			if s.source[key] == 0 {
				following(next, r)
				return
			}
			*r = run{at: reading, event: r.event, settings: r.settings, attempt: 1} // what was removed is made anew
		})
	}
}
