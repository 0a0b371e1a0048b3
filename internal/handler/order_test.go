package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// One key is uploaded again and again, deleted, with what was made of it or without, and uploaded broken, while its events come late, twice and in any order,
// several handlers are at work on them, calls to S3 fail or succeed with their answer lost, and handlers are killed
// between any two calls. When all is quiet, what is there is of the newest upload.
//
// TORTURE=n does it n times instead of 1,000; ORDER_SEED=n plays one interleaving again and tells its steps.
func TestEveryOrder(t *testing.T) {
	checkLeaks(t)
	seeds, first := number(t, "TORTURE", 1000), uint64(0)
	if os.Getenv("ORDER_SEED") != "" {
		seeds, first = 1, number(t, "ORDER_SEED", 0)
	}
	g := drawGallery(t)
	with := func(more ...string) config.Settings {
		return settings(t, append(slices.Clone(orderSettings), more...)...)
	}
	variants := []config.Settings{
		with(), with(), with("RESIZE_DELETE=on"), with("RESIZE_DELETE=on"), with("RESIZE_RECORD=off"), with("RESIZE_RECORD=off", "RESIZE_DELETE=on"),
	}
	var (
		next  atomic.Uint64
		group sync.WaitGroup
		mu    sync.Mutex
		seen  = tally{}
		wrong int
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for n := next.Add(1) - 1; n < seeds; n = next.Add(1) - 1 {
				w, err := newWorld(t, first+n, g, variants...)
				if err == nil {
					err = errors.Join(w.play(), w.close())
				}
				mu.Lock()
				if seeds == 1 {
					t.Logf("%s", strings.Join(w.steps, "\n"))
				}
				if err != nil {
					t.Errorf("ORDER_SEED=%d: %v", first+n, err)
					wrong++
				}
				for what, n := range w.seen {
					seen[what] += n
				}
				stop := wrong >= 5
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%8d × %s", seen[what], what)
	}
	for _, what := range hardest {
		if seeds >= 1000 && seen[what] == 0 {
			t.Errorf("never once: %s", what)
		}
	}
}

// Without this, the seed of a failure would be of no use.
func TestASeedIsOneInterleaving(t *testing.T) {
	g, s := drawGallery(t), settings(t, append(slices.Clone(orderSettings), "RESIZE_DELETE=on")...)
	for seed := range uint64(10) {
		var steps [2][]string
		for i := range steps {
			w, err := newWorld(t, seed, g, s)
			if err == nil {
				err = errors.Join(w.play(), w.close())
			}
			if err != nil {
				t.Fatal(err)
			}
			steps[i] = w.steps
		}
		if !slices.Equal(steps[0], steps[1]) {
			t.Errorf("seed %d: %d steps\n%s\n\nthen %d\n%s", seed, len(steps[0]), strings.Join(steps[0], "\n"), len(steps[1]), strings.Join(steps[1], "\n"))
		}
	}
}

func number(t *testing.T, variable string, fallback uint64) uint64 {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		return fallback
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// tally counts what happened, so that it can be told that it did.
type tally map[string]int

// What a thousand interleavings must have met, or they show little.
const (
	aStaleWrite = "write of an older upload while the newest one was there"
	aStaleDeath = "run killed that had written of an older upload while the newest one was there"
	aReturn     = "upload of the same bytes as an older one"
	aLateWrite  = "write while the object was gone, and what was made of it had to go"
	aLateDeath  = "run killed that had written while the object was gone, and what was made of it had to go"
	aRashDelete = "removal while there was an upload again"
	aRashDeath  = "run killed that had removed something while there was an upload again"
	aSparing    = "removal of what had been replaced, which the S3 refused"
	anOldOne    = "deletion of the newest version, which left the one before it"

	// What there is in the end.
	aPicture     = "a picture and its renditions"
	aDeletion    = "no object"
	aCleanUp     = "no object, and nothing of what was made of it"
	aRejection   = "a broken upload, and no renditions or no records"
	aKeptSet     = "a broken upload, and an older set that its record names"
	aMixture     = "a broken upload, and renditions of several older ones"
	anUnnamedSet = "a broken upload, and an older set that its record does not name"
)

var hardest = []string{
	aStaleWrite, aStaleDeath, aReturn, aLateWrite, aLateDeath, aRashDelete, aRashDeath, anOldOne, string(fails), string(lost), string(cut), string(killed), string(killedLate),
	"status resized", "status superseded", "status rejected", "status gone", "status deleted",
	"in the end, " + aPicture, "in the end, " + aDeletion, "in the end, " + aCleanUp, "in the end, " + aRejection, "in the end, " + aKeptSet, "in the end, " + aMixture,
}

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

// ended looks whether an execution has, and what it has to say. What failed or died will be delivered again.
func (w *world) ended(e *execution) error {
	if e.end == nil {
		return nil
	}
	if e.spared {
		w.seen[aSparing]++
	}
	w.active = slices.DeleteFunc(w.active, func(other *execution) bool { return other == e })
	if e.end.err != nil {
		if f := (*report.Failure)(nil); errors.As(e.end.err, &f) {
			f.TraceID = "" // another one each time
		}
		w.tell("%s: %v", e.name, e.end.err)
		w.queue = append(w.queue, delivery{event: e.event})
		return nil
	}
	result := e.end.answer.Results[0]
	w.tell("%s: %s %.4s", e.name, result.Status, result.Source.ETag)
	w.seen["status "+string(result.Status)]++
	if e.began < w.changes {
		return nil // it may have seen several uploads
	}
	var want []report.Status
	switch {
	case w.newest == "" && w.set.Delete:
		want = []report.Status{report.Gone, report.Deleted}
	case w.newest == "":
		want = []report.Status{report.Gone}
	case w.uploads[w.newest].height == 0:
		want = []report.Status{report.Rejected}
	default:
		want = []report.Status{report.Resized, report.Superseded}
	}
	if !slices.Contains(want, result.Status) || result.Source.ETag != w.newest {
		return fmt.Errorf("%s: %s, of %s; all the time the source was %q: want %v", e.name, result.Status, result.Source.ETag, w.newest, want)
	}
	if e.alone {
		_, err := w.verify() // nobody else can have changed what it is content with
		return err
	}
	return nil
}

// verify looks whether what is in the destination is of the newest upload, and says what there is.
func (w *world) verify() (what string, err error) {
	renditions, err := w.renditions()
	if err != nil {
		return "", err
	}
	record, of, err := w.record()
	newest := w.uploads[w.newest]
	switch {
	case err != nil:
		return "", err
	case !w.set.Record && record != nil:
		return "", errors.New("a record, though records are off")
	case w.newest == "" && w.set.Delete && (record != nil || len(renditions) > 0):
		return "", fmt.Errorf("the object is gone, and there are renditions %v and the record %+v", renditions, record)
	case w.newest == "" && w.set.Delete:
		return aCleanUp, nil
	case w.newest == "":
		return aDeletion, nil // whatever there is may stay; that each rendition is what it says was seen
	case newest.height == 0 && !w.set.Record:
		return aRejection, nil
	case newest.height == 0:
		return w.verifyRejected(record, of, renditions)
	}
	for size := range renditionSizes {
		if renditions[size] != w.newest {
			return "", fmt.Errorf("%s is of %q, the newest upload is %s (%s)", size, renditions[size], w.newest, newest.name)
		}
	}
	if w.set.Record && (record == nil || of != w.newest || record.Status != report.Resized || record.Source.ETag != w.newest || record.Source.Height != newest.height || len(record.Renditions) != len(renditionSizes)) {
		return "", fmt.Errorf("the record is of %q: %+v; the newest upload is %s (%s)", of, record, w.newest, newest.name)
	}
	return aPicture, nil
}

// verifyRejected looks at the record of a newest upload that is no picture: it says so, and whose renditions are there.
func (w *world) verifyRejected(record *report.Result, of string, renditions map[string]string) (what string, err error) {
	if record == nil || of != w.newest || record.Status != report.Rejected || record.Source.ETag != w.newest {
		return "", fmt.Errorf("the record is of %q: %+v; the newest upload is %s, and broken", of, record, w.newest)
	}
	complete := renditions["small"] // whose set there is, or ""
	for size := range renditionSizes {
		if renditions[size] != complete {
			complete = ""
		}
	}
	previous := record.Previous
	switch {
	case previous == nil && complete != "":
		return anUnnamedSet, nil
	case previous == nil && len(renditions) > 0:
		return aMixture, nil
	case previous == nil:
		return aRejection, nil
	case complete == "" || previous.Source.ETag != complete || previous.Source.Height != w.uploads[complete].height || len(previous.Renditions) != len(renditionSizes):
		return "", fmt.Errorf("the record names an older set %+v; there are %v", previous, renditions)
	default:
		return aKeptSet, nil
	}
}

// renditions returns, by size, the ETag of the upload that each rendition says it is of, having seen that it is.
func (w *world) renditions() (map[string]string, error) {
	of := map[string]string{}
	for size, width := range renditionSizes {
		info, data, err := w.get(size + "-" + orderKey)
		if err != nil {
			return nil, err
		}
		if data == nil {
			continue
		}
		of[size] = info.Metadata["s3resizer-source-etag"]
		source, known := w.uploads[of[size]]
		height := int(math.Round(float64(source.height) * float64(width) / orderWidth))
		made, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", size, err)
		}
		if !known || made.Width != width || made.Height != height {
			return nil, fmt.Errorf("%s is %d × %d, and says it is of %q (%s); want %d × %d", size, made.Width, made.Height, of[size], source.name, width, height)
		}
	}
	return of, nil
}

// record returns the commit record, nil if there is none, and the ETag of the upload that it says it is of.
func (w *world) record() (record *report.Result, of string, err error) {
	info, data, err := w.get(".s3resizer/" + orderKey + ".json")
	if err != nil || data == nil {
		return nil, "", err
	}
	err = json.Unmarshal(data, &record)
	return record, info.Metadata["s3resizer-source-etag"], err
}

// get reads an object of the destination; no data if it is not there.
func (w *world) get(key string) (s3io.Info, []byte, error) {
	o, err := w.s3.Open(context.Background(), "photos-resized", key)
	if s3io.ClassOf(err) == s3io.NotFound {
		return s3io.Info{}, nil, nil
	}
	if err != nil {
		return s3io.Info{}, nil, err
	}
	defer o.Close()
	data, err := io.ReadAll(o)
	return o.Info, data, err
}
