// Package gallery is the page of `s3resizer dev`: pictures are dropped on it, and it shows what becomes of them and when.
//
// The one idea: the page is an app like any other. It uploads by presigned URLs to the S3 endpoint that it is served
// from, and shows what is in the buckets; that a picture was put there, by it or by anybody else, it learns from the
// events that the endpoint raises. Between the two stands the function's own handler, which is asked to tell of each
// step of its work. Nothing is shown that was not measured, but for the grey lane, which is reckoned (see reference.go).
//
// What it holds in memory is bounded: a card for each of the newest pictures, and for each page that is open the keys of
// the cards that it has not been sent yet.
package gallery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"s3resizer/internal/config"
	"s3resizer/internal/handler"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Options say what a gallery shows, and how it reaches it.
type Options struct {
	Bucket string       // of the uploads
	Store  *s3io.Client // reaches the endpoint that serves the page
	Access aws.Config   // of the same endpoint, for presigned URLs
	// Environ is where the settings come from, Settings what it says. What the page changes is laid over it.
	Environ  []string
	Settings config.Settings
	// Timeout is how long a picture may take, as Lambda gives it to a function; 0 is for ever.
	Timeout time.Duration
	// Told, if set, is told what came of each picture.
	Told func(report.Report, error)
	// Samples, if set, uploads pictures for those who have none at hand.
	Samples func(context.Context) error
}

// Gallery resizes what it is told of and shows it. It is an http.Handler for paths under devserver.PagePath.
type Gallery struct {
	o       Options
	deck    *deck
	mux     http.Handler
	started time.Time

	mu      sync.Mutex
	handler *handler.Handler
	environ []string // in force

	again  sync.WaitGroup // what is done besides the endpoint's events
	ending chan struct{}
}

// New makes a gallery; it is ready at once.
func New(o Options) *Gallery {
	g := &Gallery{o: o, deck: newDeck(), environ: o.Environ, started: time.Now(), ending: make(chan struct{})}
	g.use(o.Settings)
	g.mux = g.routes()
	return g
}

// Close ends the work that was not started by an event, after the pictures under way.
func (g *Gallery) Close() {
	g.mu.Lock()
	close(g.ending)
	g.mu.Unlock()
	g.again.Wait()
}

func (g *Gallery) current() *handler.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.handler
}

// use makes settings those in force, with g.mu held or before anybody else knows g.
func (g *Gallery) use(s config.Settings) {
	g.handler = handler.New(g.o.Store, s, slog.New(slog.DiscardHandler))
	g.deck.announce(g.about(s))
}

// Event resizes the object that an event of the endpoint tells of, or removes what was made of it.
func (g *Gallery) Event(e events.S3Event, raw json.RawMessage) {
	object := e.Records[0].S3.Object
	if strings.HasPrefix(e.Records[0].EventName, "ObjectRemoved:") {
		g.remove(object.URLDecodedKey, raw)
		return
	}
	g.resize(object.URLDecodedKey, object.Size, raw, false)
}

// remove has the handler see to an object that was removed, and takes its card away.
func (g *Gallery) remove(key string, event json.RawMessage) {
	seen := g.deck.card(key)
	answer, err := g.current().Handle(context.Background(), event)
	if err == nil && (gone(answer) || g.isGone(key)) {
		g.deck.discard(key, seen)
	}
	if g.o.Told != nil {
		g.o.Told(answer, err)
	}
}

// isGone asks the endpoint, because the handler looks at no removal with RESIZE_DELETE=off.
func (g *Gallery) isGone(key string) bool {
	_, err := g.o.Store.Head(context.Background(), g.o.Bucket, key)
	return s3io.ClassOf(err) == s3io.NotFound
}

// resize puts an object through the handler, and what the handler tells of it onto its card; again is whether it had
// been before. The marker of a folder is no picture, and has no card.
func (g *Gallery) resize(key string, size int64, event json.RawMessage, again bool) {
	ctx, end := context.Background(), func(report.Report, error) {}
	if size > 0 || !strings.HasSuffix(key, "/") {
		work := g.deck.begin(key, size, again)
		ctx, end = handler.WithTrace(ctx, work.step), work.end
	}
	if g.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.o.Timeout)
		defer cancel()
	}
	answer, err := g.current().Handle(ctx, event)
	end(answer, err)
	if g.o.Told != nil {
		g.o.Told(answer, err)
	}
}

// recordsAtOnce is how many records are read at a time: each is a request of its own, which mostly waits.
const recordsAtOnce = 16

// Resume shows what a folder of objects holds from before, and resizes what no record tells of: an upload that was
// stored when the process was ended, and whose event went with it. What records there are, the settings decide; without
// any, every picture would be done again at each start, and none is.
func (g *Gallery) Resume(ctx context.Context) error {
	if !g.o.Settings.Record {
		return nil
	}
	g.deck.resuming(true)
	defer g.deck.resuming(false)
	var objects []s3io.Listed
	for after, more := "", true; more; {
		var page []s3io.Listed
		var err error
		if page, more, err = g.o.Store.List(ctx, g.o.Bucket, "", after); err != nil {
			return err
		}
		objects = append(objects, page...)
		if more {
			after = page[len(page)-1].Key
		}
	}
	slices.SortStableFunc(objects, func(a, b s3io.Listed) int { return a.Modified.Compare(b.Modified) })
	results := make([]*report.Result, len(objects))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(recordsAtOnce)
	for i, object := range objects {
		group.Go(func() (err error) {
			results[i], err = g.record(reading, object)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var lost []s3io.Listed
	for i, object := range objects {
		switch {
		case results[i] != nil:
			g.deck.restore(*results[i], object.Modified)
		case !g.o.Settings.For(object.Key).Skip:
			lost = append(lost, object)
		}
	}
	g.redo(lost, func() bool { return false })
	return nil
}

// record is what the record of an object says of it, or nil if there is none of the upload that is there now.
func (g *Gallery) record(ctx context.Context, object s3io.Listed) (*report.Result, error) {
	body, err := g.o.Store.Open(ctx, g.o.Settings.DestBucket.For(g.o.Bucket), naming.Record(object.Key))
	if s3io.ClassOf(err) == s3io.NotFound || s3io.ClassOf(err) == s3io.Invalid { // the latter of a key that is too long
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	result := new(report.Result)
	if json.Unmarshal(data, result) != nil || result.Source.ETag != object.ETag {
		return nil, nil
	}
	return result, nil
}

// redo resizes objects as they are now, a few at a time, until Close or until that is of no use any more.
func (g *Gallery) redo(objects []s3io.Listed, useless func() bool) {
	g.again.Go(func() {
		group := errgroup.Group{}
		group.SetLimit(g.o.Settings.Processors)
		for _, object := range objects {
			group.Go(func() error {
				select {
				case <-g.ending:
					return nil
				default:
				}
				if useless() {
					return nil
				}
				event, err := json.Marshal(map[string]string{"bucket": g.o.Bucket, "key": object.Key})
				if err == nil {
					g.resize(object.Key, object.Size, event, true)
				}
				return err
			})
		}
		_ = group.Wait() // strings can be marshalled
	})
}

// changeable are the settings that the page may change.
type changeable struct {
	Sizes   string `json:"sizes"`
	Formats string `json:"formats"`
	Quality string `json:"quality"`
}

// change lays settings over the environment, for every picture from now on and, again, for those that are shown.
func (g *Gallery) change(to changeable) error {
	environ := slices.DeleteFunc(slices.Clone(g.o.Environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"RESIZE_SIZES", "RESIZE_FORMATS", "RESIZE_QUALITY"}, name)
	})
	environ = append(environ, "RESIZE_SIZES="+to.Sizes, "RESIZE_FORMATS="+to.Formats, "RESIZE_QUALITY="+to.Quality)
	settings, err := config.Load(environ)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.ending:
		return errors.New("the endpoint is shutting down")
	default:
	}
	g.environ = environ
	g.use(settings)
	mine := g.handler
	g.redo(g.deck.uploads(), func() bool { return g.current() != mine }) // who changes them again begins again
	return nil
}

// about is what the page has to know besides pictures.
type about struct {
	Started     time.Time         `json:"started"` // of the process: what is in memory goes with it
	Bucket      string            `json:"bucket"`
	Destination string            `json:"destination"`
	Region      string            `json:"region"`
	AccessKey   string            `json:"accessKey"`
	SecretKey   string            `json:"secretKey"`
	Samples     bool              `json:"samples"` // can be had
	Kept        int               `json:"kept"`    // cards, at most
	Settings    map[string]string `json:"settings"`
	Says        map[string]string `json:"says"` // what each of them is
}

func (g *Gallery) about(s config.Settings) about {
	credentials, _ := g.o.Access.Credentials.Retrieve(context.Background()) // static ones
	says := map[string]string{}
	for _, row := range config.Table {
		says[row.Name] = row.Says
	}
	return about{
		Started: g.started, Bucket: g.o.Bucket, Destination: s.DestBucket.For(g.o.Bucket), Region: g.o.Access.Region,
		AccessKey: credentials.AccessKeyID, SecretKey: credentials.SecretAccessKey, Samples: g.o.Samples != nil, Kept: maxCards,
		Settings: config.Values(g.environ), Says: says,
	}
}
