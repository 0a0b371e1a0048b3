package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"s3resizer/internal/config"
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
