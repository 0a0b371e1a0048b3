package gallery

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// maxCards is how many pictures are shown: the newest. A card is some 5 kB.
const maxCards = 1000

// card is what is known of one upload.
type card struct {
	Key        string             `json:"key"`
	Bytes      int64              `json:"bytes"`
	Seq        int                `json:"seq"`                  // the order in which uploads came
	At         time.Time          `json:"at"`                   // when it came
	State      state              `json:"state"`                //
	Renditions []report.Rendition `json:"renditions,omitempty"` // until there is a result, which has them
	Steps      []step             `json:"steps,omitempty"`
	Reference  []step             `json:"reference,omitempty"` // how the same would go elsewhere; modelled
	Result     *report.Result     `json:"result,omitempty"`
	Failure    *failure           `json:"failure,omitempty"`

	work *work // the newest; what an older one tells is about pictures that are no longer there
}

type state string

const (
	working state = "working"
	done    state = "done"
	failed  state = "failed"
)

// step is a bar on a card's time axis, in milliseconds from the beginning of the work.
type step struct {
	Stage  handler.Stage `json:"stage"`
	Size   string        `json:"size,omitempty"`
	Format string        `json:"format,omitempty"`
	Start  float64       `json:"start"`
	End    float64       `json:"end"`
}

// failure is a [report.Failure], for the page.
type failure struct {
	Class   report.Class `json:"class"`
	Error   string       `json:"error"`
	Written []string     `json:"written,omitempty"`
	Missing []string     `json:"missing,omitempty"`
}

// deck has the cards, and tells those who watch what has changed.
type deck struct {
	mu       sync.Mutex
	cards    map[string]*card
	gone     map[string]struct{} // keys of what was removed since resuming began; nil when it is over
	seq      int
	about    about
	watchers map[*watcher]struct{}

	inWork    int
	busySince time.Time
	busy      time.Duration // at least one picture was in work
	finished  int           // since the start
}

func newDeck() *deck { return &deck{cards: map[string]*card{}, watchers: map[*watcher]struct{}{}} }

// watcher is a page that is open: what it has not been sent yet. However slow it is, that is no more than there is.
type watcher struct {
	woken chan struct{}
	about bool
	cards map[string]struct{}
}

// watch returns a watcher to whom all is new.
func (d *deck) watch() *watcher {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := &watcher{woken: make(chan struct{}, 1), about: true, cards: map[string]struct{}{}}
	for key := range d.cards {
		w.cards[key] = struct{}{}
	}
	d.watchers[w] = struct{}{}
	w.wake()
	return w
}

func (d *deck) leave(w *watcher) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.watchers, w)
}

func (w *watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// news is what a page is sent at a time.
type news struct {
	About  *about   `json:"about,omitempty"`
	Cards  []card   `json:"cards,omitempty"` // the newest first
	Gone   []string `json:"gone,omitempty"`  // keys
	Totals totals   `json:"totals"`
}

// take returns what is new to w, with at most so many cards, the newest first.
func (d *deck) take(w *watcher, most int) news {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := news{Totals: d.totals()}
	if w.about {
		now := d.about // a copy: it is sent when d.mu is held no longer
		n.About = &now
	}
	var due []*card
	for key := range w.cards {
		if c := d.cards[key]; c != nil {
			due = append(due, c)
		} else {
			n.Gone = append(n.Gone, key)
			delete(w.cards, key)
		}
	}
	slices.SortFunc(due, func(a, b *card) int { return b.Seq - a.Seq })
	for _, c := range due[:min(most, len(due))] {
		n.Cards = append(n.Cards, c.clone())
		delete(w.cards, c.Key)
	}
	w.about = false
	if len(w.cards) > 0 {
		w.wake()
	}
	return n
}

// clone is a card that does not change any more.
func (c *card) clone() card {
	out := *c
	out.Steps, out.Renditions = slices.Clone(c.Steps), slices.Clone(c.Renditions)
	return out
}

func (d *deck) announce(a about) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.about = a
	for w := range d.watchers {
		w.about = true
		w.wake()
	}
}

// changed tells all pages of a card, with d.mu held.
func (d *deck) changed(key string) {
	for w := range d.watchers {
		w.cards[key] = struct{}{}
		w.wake()
	}
}

// add puts a card on top of the deck, and takes the lowest one off if there are too many, with d.mu held.
func (d *deck) add(c *card) {
	d.seq++
	c.Seq = d.seq
	d.cards[c.Key] = c
	d.changed(c.Key)
	if len(d.cards) > maxCards {
		lowest := slices.MinFunc(slices.Collect(maps.Values(d.cards)), func(a, b *card) int { return a.Seq - b.Seq })
		delete(d.cards, lowest.Key)
		d.changed(lowest.Key)
	}
}

// resuming says whether cards are being restored: of what is gone by then, none are.
func (d *deck) resuming(now bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = nil
	if now {
		d.gone = map[string]struct{}{}
	}
}

// restore adds the card of a picture that was resized before the process started: no steps are known of it.
func (d *deck) restore(r report.Result, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, gone := d.gone[r.Source.Key]; !gone && d.cards[r.Source.Key] == nil { // no newer upload has come meanwhile
		d.add(&card{Key: r.Source.Key, Bytes: r.Source.Bytes, At: at, State: done, Result: &r})
	}
}

// card is that of a key, or nil.
func (d *deck) card(key string) *card {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cards[key]
}

// discard takes the card of an object that is gone off the deck, if it is the one that was seen before, or was restored: any
// other is of a newer upload.
func (d *deck) discard(key string, seen *card) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone != nil {
		d.gone[key] = struct{}{}
	}
	if c := d.cards[key]; c != nil && (c == seen || c.work == nil) {
		d.drop(c)
	}
}

// drop takes a card off the deck, unless there is another one of its key by now, with d.mu held.
func (d *deck) drop(c *card) {
	if d.cards[c.Key] == c {
		delete(d.cards, c.Key)
		d.changed(c.Key)
	}
}

// gone reports whether the object of a report is no longer there.
func gone(r report.Report) bool {
	return len(r.Results) > 0 && (r.Results[0].Status == report.Gone || r.Results[0].Status == report.Deleted)
}

// uploads are the objects of all cards, the newest first.
func (d *deck) uploads() (objects []s3io.Listed) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range slices.SortedFunc(maps.Values(d.cards), func(a, b *card) int { return b.Seq - a.Seq }) {
		objects = append(objects, s3io.Listed{Key: c.Key, Size: c.Bytes})
	}
	return objects
}

// work is one way of a picture through the handler.
type work struct {
	deck  *deck
	card  *card
	began time.Time
}

// begin starts the card of an upload, which goes on top; that of one that is done again stays where it is.
func (d *deck) begin(key string, size int64, again bool) *work {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := &work{deck: d, card: &card{Key: key, Bytes: size, State: working}, began: time.Now()}
	w.card.work, w.card.At = w, w.began
	if old := d.cards[key]; old != nil && again {
		w.card.Seq, w.card.At = old.Seq, old.At
		d.cards[key] = w.card
		d.changed(key)
	} else {
		d.add(w.card)
	}
	if d.inWork++; d.inWork == 1 {
		d.busySince = w.began
	}
	return w
}

// step notes what the handler tells.
func (w *work) step(s handler.Step) {
	w.deck.mu.Lock()
	defer w.deck.mu.Unlock()
	w.card.Steps = append(w.card.Steps, step{
		s.Stage, s.Rendition.Size, string(s.Rendition.Format), milliseconds(s.Span.Start.Sub(w.began)), milliseconds(s.Span.End.Sub(w.began)),
	})
	if s.Stage == handler.Upload {
		w.card.Renditions = append(w.card.Renditions, s.Rendition)
	}
	w.changed()
}

// changed tells of the card, if it is still in the deck.
func (w *work) changed() {
	if w.deck.cards[w.card.Key] == w.card {
		w.deck.changed(w.card.Key)
	}
}

// end notes what came of it.
func (w *work) end(answer report.Report, err error) {
	w.deck.mu.Lock()
	defer w.deck.mu.Unlock()
	d, c := w.deck, w.card
	if d.inWork--; d.inWork == 0 {
		d.busy += time.Since(d.busySince)
	}
	d.finished++
	c.State = done
	switch {
	case err != nil:
		c.State, c.Failure = failed, describe(err)
	case gone(answer):
		d.drop(c)
	case len(answer.Results) > 0:
		c.Result = &answer.Results[0]
		c.Renditions = nil
		c.Reference = reference(*c.Result, c.Steps)
	}
	w.changed()
}

func describe(err error) *failure {
	var f *report.Failure
	if !errors.As(err, &f) {
		return &failure{Class: report.ClassInternal, Error: err.Error()}
	}
	return &failure{Class: f.Class, Error: f.Err.Error(), Written: f.Written, Missing: f.Missing}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// totals are over all cards, but for PerSecond, which is over all pictures since the start.
type totals struct {
	Pictures  int     `json:"pictures"`  // resized
	Others    int     `json:"others"`    // rejected, failed
	InWork    int     `json:"inWork"`    //
	BytesIn   int64   `json:"bytesIn"`   // of those resized
	BytesOut  int64   `json:"bytesOut"`  //
	Median    float64 `json:"p50"`       // milliseconds
	P95       float64 `json:"p95"`       //
	PerSecond float64 `json:"perSecond"` // while there was something to do
	Memory    int64   `json:"memory"`    // bytes, resident
}

// totals needs d.mu.
func (d *deck) totals() totals {
	t := totals{InWork: d.inWork, Memory: residentMemory()}
	var times []float64
	for _, c := range d.cards {
		switch {
		case c.State == working:
		case c.Result == nil || c.Result.Status != report.Resized:
			t.Others++
		default:
			t.Pictures++
			t.BytesIn += c.Result.Source.Bytes
			for _, r := range c.Result.Renditions {
				t.BytesOut += int64(r.Bytes)
			}
			if c.Result.Timings != nil {
				times = append(times, c.Result.Timings.Total)
			}
		}
	}
	slices.SortFunc(times, cmp.Compare)
	t.Median, t.P95 = rank(times, 50), rank(times, 95)
	busy := d.busy
	if d.inWork > 0 {
		busy += time.Since(d.busySince)
	}
	if busy > 0 {
		t.PerSecond = float64(d.finished) / busy.Seconds()
	}
	return t
}

// rank is the nearest-rank percentile of sorted values, or 0 of none.
func rank(sorted []float64, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}
