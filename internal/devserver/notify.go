package devserver

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// created is what a back end says of an object as it takes its place.
type created struct {
	bucket, key string
	size        int64
	etag        string // without quotes
	versionID   string // empty unless the bucket is versioned

	// Set by noteCreated.
	at        time.Time
	sequencer uint64
}

// upload is a request that may create an object.
type upload struct {
	notifier *notifier
	created  *created
}

type uploadKey struct{}

// noteCreated notes an object that the request with ctx created. Back ends
// call it under the lock under which the object took its place, so that
// sequencers run in the order in which objects replaced one another.
func noteCreated(ctx context.Context, c created) {
	up, ok := ctx.Value(uploadKey{}).(*upload)
	if !ok {
		return
	}
	c.at = time.Now()
	c.sequencer = up.notifier.nextSequencer(c.at)
	up.created = &c
}

// notifier passes requests on to the API and tells of the objects they create.
type notifier struct {
	api      http.Handler
	tell     func(events.S3Event)
	parallel int
	buckets  map[string]bool
	region   string
	owner    string

	mu        sync.Mutex
	draining  bool
	queue     []events.S3Event
	running   int // goroutines in deliver, at most parallel
	sequencer uint64

	// pending counts the uploads that are under way and the events that
	// OnCreated has not yet returned from.
	pending sync.WaitGroup
}

func newNotifier(o Options, api http.Handler) *notifier {
	n := &notifier{api: api, tell: o.OnCreated, parallel: o.Parallel, buckets: map[string]bool{}, region: o.Region, owner: o.Owner}
	for _, bucket := range o.Notify {
		n.buckets[bucket] = true
	}
	return n
}

func (n *notifier) serve(w *response, r *http.Request) {
	if !n.mayCreate(r) {
		n.api.ServeHTTP(w, r)
		return
	}
	if !n.admit() {
		shuttingDown.reply(w, r)
		return
	}
	told := false
	defer func() {
		if !told {
			n.pending.Done()
		}
	}()

	up := &upload{notifier: n}
	r = r.WithContext(context.WithValue(r.Context(), uploadKey{}, up))
	n.api.ServeHTTP(w, r)
	w.finish()
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // the server does this for its own request only, not for our copy
	}
	if up.created != nil && w.status < 300 {
		told = true
		n.enqueue(n.event(w.Header(), r, *up.created))
	}
}

// mayCreate reports whether the request could create an object in a bucket
// that notifies; whether it did, the back end says.
func (n *notifier) mayCreate(r *http.Request) bool {
	bucket, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	return n.buckets[bucket] && (r.Method == http.MethodPut || r.Method == http.MethodPost)
}

// admit counts an upload as pending, unless uploads are no longer taken.
func (n *notifier) admit() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining {
		return false
	}
	n.pending.Add(1)
	return true
}

// drain refuses uploads from now on and returns what to wait for.
func (n *notifier) drain() *sync.WaitGroup {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.draining = true
	return &n.pending
}

func (n *notifier) enqueue(e events.S3Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
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
