package handler_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/s3io"
)

const (
	orderKey   = "cat.jpg"
	orderWidth = 32 // of every picture

	// At most 4 uploads, each told of twice, 8 faults, and a few runs that gave up on a source replaced too often: 20 or 30.
	maxDeliveries = 100
)

var (
	// Widths at which no two pictures of the gallery have renditions of the same height.
	renditionSizes = map[string]int{"small": 8, "medium": 16, "large": 32}
	orderSettings  = []string{"RESIZE_SIZES=small=8,medium=16,large=32"}
)

// upload is something to put at the key.
type upload struct {
	name   string
	data   []byte
	height int // 0 if it is no picture
}

// gallery has uploads that can be told apart by their renditions' heights.
type gallery struct{ pictures, broken []upload }

func drawGallery(t *testing.T) (g gallery) {
	t.Helper()
	for i := range 8 {
		img := image.NewGray(image.Rect(0, 0, orderWidth, 8+4*i))
		noise := rand.New(rand.NewPCG(uint64(i), 0))
		for p := range img.Pix {
			img.Pix[p] = uint8(noise.Uint32())
		}
		var data bytes.Buffer
		encode := func() error { return jpeg.Encode(&data, img, nil) }
		if i%4 == 0 {
			encode = func() error { return png.Encode(&data, img) } // which takes longer to make renditions of
		}
		if err := encode(); err != nil {
			t.Fatal(err)
		}
		g.pictures = append(g.pictures, upload{fmt.Sprintf("picture %d", i), data.Bytes(), img.Rect.Dy()})
	}
	half := func(u upload) upload { return upload{"half of " + u.name, u.data[:len(u.data)/2], 0} }
	g.broken = []upload{
		{"a text", []byte("no picture at all"), 0}, // found out at once
		half(g.pictures[3]), half(g.pictures[4]),   // found out in their pixels
	}
	return g
}

// world is an S3, what is uploaded to it, and the handlers at work there.
type world struct {
	t       testing.TB
	random  *rand.Rand
	gallery gallery
	set     config.Settings
	server  *devserver.S3
	s3      direct
	events  chan []byte
	steps   []string
	seen    tally

	uploads  map[string]upload // by ETag
	newest   string            // ETag, or "" if the object is deleted
	before   string            // ETag of the version that would be the newest without that one, or "" if there is none
	changes  int               // uploads and deletions so far
	left     int               // uploads and deletions to come
	queue    []delivery
	active   []*execution
	started  int
	parallel int     // executions at most
	trouble  float64 // how likely a call goes wrong
	faults   int     // to come, at most
}

// delivery is an event on its way to a handler.
type delivery struct {
	event string
	began int // the value of world.changes when its handler began
	// What it has done that was wrong by then, as tallied; nil if nothing.
	wrong []string
}

func newWorld(t testing.TB, seed uint64, g gallery, variants ...config.Settings) (*world, error) {
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 0)), gallery: g, events: make(chan []byte, 1), seen: tally{}, uploads: map[string]upload{}}
	w.set = pick(w, variants)
	w.left, w.parallel = 2+w.random.IntN(3), 1+w.random.IntN(4)
	w.trouble, w.faults = []float64{0, 0.1, 0.25}[w.random.IntN(3)], 8
	var err error
	w.server, err = devserver.New(devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}, OnEvent: func(e events.S3Event) {
		raw, _ := devserver.EventJSON(e)
		w.events <- raw
	}})
	if err != nil {
		return w, err
	}
	w.s3 = direct{w.server, w.random.IntN(2) == 0}
	return w, nil
}

// close ends it all, at whatever point.
func (w *world) close() error {
	for _, e := range w.active {
		e.kill()
	}
	return w.server.Shutdown(context.Background())
}

// play lets things happen until nothing is left to, and then looks at what is there.
func (w *world) play() error {
	for {
		var actions []func() error
		may := func(times int, action func() error) {
			for range times {
				actions = append(actions, action)
			}
		}
		if w.left > 0 {
			may(2, w.upload)
		}
		awake := slices.DeleteFunc(slices.Clone(w.active), (*execution).asleep)
		if len(w.queue) > 0 && len(awake) < w.parallel {
			may(3, w.deliver)
		}
		for _, e := range awake {
			may(e.pace, func() error { return w.step(e) })
		}
		if len(actions) == 0 && len(w.active) > 0 {
			may(1, w.wake)
		}
		if len(actions) == 0 {
			what, err := w.verify()
			w.seen["in the end, "+what]++
			return err
		}
		if err := actions[w.random.IntN(len(actions))](); err != nil {
			return err
		}
	}
}

func (w *world) tell(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// upload puts something else at the key, or nothing.
func (w *world) upload() error {
	w.left--
	w.changes++
	var u upload
	chance := w.random.IntN(100)
	if w.set.Delete && chance >= 45 && w.newest != "" {
		chance = 70 + chance*30/100 // more deletions
	}
	switch {
	case chance < 60 || w.newest == "":
		u = pick(w, w.gallery.pictures)
	case chance < 85:
		u = pick(w, w.gallery.broken)
	case w.set.Delete && w.before != "" && chance < 92:
		return w.uncover()
	default:
		w.tell("delete")
		w.newest, w.before = "", ""
		if w.set.Delete {
			w.raise(removal)
		}
		return w.s3.Delete(context.Background(), "photos", orderKey, "")
	}
	etag, err := w.s3.Put(context.Background(), s3io.Upload{Bucket: "photos", Key: orderKey, Data: u.data})
	if err != nil {
		return err
	}
	w.tell("upload %s, %.4s", u.name, etag)
	if _, again := w.uploads[etag]; again {
		w.seen[aReturn]++
	}
	w.newest, w.before, w.uploads[etag] = etag, w.newest, u
	event := string(<-w.events)
	if w.random.IntN(8) == 0 {
		event = `{"bucket":"photos","key":"` + orderKey + `"}` // as from somebody who knows of no ETag
	}
	w.raise(event)
	return nil
}

// raise sends an event on its way, once or twice.
func (w *world) raise(event string) {
	for range 1 + w.random.IntN(3)/2 {
		w.queue = append(w.queue, delivery{event: event})
	}
}

// removal is what S3 tells of an object, or of a version of it, that was deleted.
const removal = `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"photos"},"object":{"key":"` + orderKey + `","sequencer":"0A"}}}]}`

// uncover deletes the newest version, so that the one before it is the newest again, which no event of an upload tells.
func (w *world) uncover() error {
	w.tell("delete the newest version, which leaves %.4s", w.before)
	w.seen[anOldOne]++
	etag, err := w.s3.Put(context.Background(), s3io.Upload{Bucket: "photos", Key: orderKey, Data: w.uploads[w.before].data})
	if err != nil || etag != w.before {
		return fmt.Errorf("%s instead of %s: %w", etag, w.before, err)
	}
	<-w.events
	w.newest, w.before = etag, ""
	w.raise(removal)
	return nil
}

func pick[T any](w *world, from []T) T { return from[w.random.IntN(len(from))] }

// deliver starts a handler on one of the events that are due, whichever.
func (w *world) deliver() error {
	if w.started == maxDeliveries {
		return fmt.Errorf("after %d deliveries, and long after the last fault, events still come back: %s", w.started, strings.Join(w.steps[len(w.steps)-20:], "; "))
	}
	i := w.random.IntN(len(w.queue))
	d := w.queue[i]
	w.queue = slices.Delete(w.queue, i, i+1)
	d.began = w.changes
	w.started++
	e := execute(w.t, d, fmt.Sprintf("run %d", w.started), w.s3, w.set)
	e.pace = []int{1, 4, 16}[w.random.IntN(3)]
	if w.random.IntN(3) == 0 {
		e.nap = 1 + w.random.IntN(10)
	}
	w.active = append(w.active, e)
	e.alone = len(w.active) == 1
	for _, other := range w.active[:len(w.active)-1] {
		other.alone = false
	}
	if err := e.rest(); err != nil {
		return err
	}
	w.tell("%s begins at pace %d", e.name, e.pace)
	return w.ended(e)
}

// wake goes on with one of the handlers that went to sleep between two calls, now that all else is done. Often it wakes
// to no good.
func (w *world) wake() error {
	e := pick(w, w.active)
	w.tell("%s wakes up", e.name)
	e.nap = 0
	trouble := w.trouble
	defer func() { w.trouble = trouble }()
	w.trouble = min(1, 4*trouble)
	return w.step(e)
}

// step lets one call of an execution through, to some fate.
func (w *world) step(e *execution) error {
	i := w.random.IntN(len(e.pending))
	c, f := e.pending[i], w.fate(e.pending[i])
	if mistake, death := w.mistake(c); mistake != "" && f != fails && f != killed {
		e.wrong = append(e.wrong, death)
		w.seen[mistake]++
	}
	w.tell("%s: %v %s", e.name, c, f)
	if f != passes {
		w.seen[string(f)]++
	}
	if f == killed || f == killedLate {
		for _, death := range slices.Compact(e.wrong) {
			w.seen[death]++
		}
	}
	if err := e.let(i, f); err != nil {
		return err
	}
	return w.ended(e)
}

// fate draws what becomes of a call.
func (w *world) fate(c *call) fate {
	if w.faults == 0 || w.random.Float64() >= w.trouble {
		return passes
	}
	w.faults--
	fates := []fate{fails, killed, killed}
	switch c.op {
	case "put", "delete":
		fates = append(fates, lost, killedLate, killedLate)
	case "open":
		fates = append(fates, cut)
	}
	return fates[w.random.IntN(len(fates))]
}

// mistake tells what is wrong with a call by now, and what it is called if its handler dies after it.
func (w *world) mistake(c *call) (mistake, death string) {
	switch {
	case c.op == "put" && w.newest != "" && c.of != w.newest:
		return aStaleWrite, aStaleDeath
	case c.op == "put" && w.newest == "" && w.set.Delete:
		return aLateWrite, aLateDeath
	case c.op == "delete" && w.newest != "":
		return aRashDelete, aRashDeath
	default:
		return "", ""
	}
}
