package devserver

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// change is what a back end says of an object as it takes its place, or leaves it.
type change struct {
	bucket, key string
	removed     bool
	marked      bool // removed by a delete marker: its versions stay
	size        int64
	etag        string // without quotes
	versionID   string // empty unless the bucket is versioned

	// Set by note.
	at        time.Time
	sequencer uint64
}

// request is one that may change objects.
type request struct {
	notifier *notifier
	changes  []change
}

type requestKey struct{}

// note notes what the request with ctx has done to an object. Back ends call it
// under the lock under which they did it, so that sequencers run in the order in
// which objects replaced one another.
func note(ctx context.Context, c change) {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok || c.removed && !r.notifier.removals {
		return
	}
	c.at = time.Now()
	c.sequencer = r.notifier.nextSequencer(c.at)
	r.changes = append(r.changes, c)
}

// notifier passes requests on to the API and tells of the objects they change.
type notifier struct {
	api      http.Handler
	tell     func(events.S3Event)
	parallel int
	removals bool
	buckets  map[string]bool
	region   string
	owner    string

	mu        sync.Mutex
	draining  bool
	queue     []events.S3Event
	running   int // goroutines in deliver, at most parallel
	sequencer uint64

	// pending counts the requests that are under way and the events that
	// OnEvent has not yet returned from.
	pending sync.WaitGroup
}

func newNotifier(o Options, api http.Handler) *notifier {
	n := &notifier{api: api, tell: o.OnEvent, parallel: o.Parallel, removals: o.Removals, buckets: map[string]bool{}, region: o.Region, owner: o.Owner}
	for _, bucket := range o.Notify {
		n.buckets[bucket] = true
	}
	return n
}

func (n *notifier) serve(w *response, r *http.Request) {
	if !n.mayChange(r) {
		n.api.ServeHTTP(w, r)
		return
	}
	if !n.admit() {
		shuttingDown.reply(w, r)
		return
	}
	defer n.pending.Done()

	noted := &request{notifier: n}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, noted))
	n.api.ServeHTTP(w, r)
	w.finish()
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // the server does this for its own request only, not for our copy
	}
	if w.status < 300 {
		for _, c := range noted.changes {
			n.enqueue(n.event(w.Header(), r, c))
		}
	}
}

// mayChange reports whether the request could change an object in a bucket that
// notifies; whether it did, the back end says.
func (n *notifier) mayChange(r *http.Request) bool {
	bucket, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	return n.buckets[bucket] && (r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodDelete && n.removals)
}

// admit counts a request as pending, unless such are no longer taken.
func (n *notifier) admit() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining {
		return false
	}
	n.pending.Add(1)
	return true
}

// drain refuses such requests from now on and returns what to wait for.
func (n *notifier) drain() *sync.WaitGroup {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.draining = true
	return &n.pending
}

func (n *notifier) enqueue(e events.S3Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending.Add(1) // before the request that it is of is done with
	n.queue = append(n.queue, e)
	if n.running < n.parallel {
		n.running++
		go n.deliver()
	}
}

// deliver tells of what is queued, one event after another, and ends with the
// queue, so that an endpoint at rest has no goroutine of its own.
func (n *notifier) deliver() {
	for {
		n.mu.Lock()
		if len(n.queue) == 0 {
			n.running--
			n.mu.Unlock()
			return
		}
		e := n.queue[0]
		n.queue = n.queue[1:]
		n.mu.Unlock()

		n.tell(e)
		n.pending.Done()
	}
}

// nextSequencer counts up from the clock, so that it goes on increasing over a
// restart.
func (n *notifier) nextSequencer(at time.Time) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sequencer = max(n.sequencer+1, uint64(at.UnixNano()))
	return n.sequencer
}
