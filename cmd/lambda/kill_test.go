package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"s3resizer/internal/report"
	"s3resizer/internal/s3fault"
	"s3resizer/s3io"
)

// The function is killed (SIGKILL) at random moments of its work, at uploads of a few keys again and again. Its platform
// does what Lambda does: an event that was not answered comes again, to a new process, sooner or later than others.
// Whenever the last event has been answered, there is a complete set, of the newest upload.
//
// This is the short form; TORTURE makes it 200 kills.
func TestKilledAtAnyMoment(t *testing.T) {
	if os.Getenv("LAMBDA_FUNCTION") != "" {
		t.Skip("SIGKILL would end docker's client, not the function in its container")
	}
	kills, seed := 10, uint64(1)
	if os.Getenv("TORTURE") != "" {
		kills = 200
	}
	k := newKiller(t, seed)
	defer k.stop()
	for round := 0; k.killed < kills; round++ {
		key := fmt.Sprintf("%d.jpg", k.random.IntN(4))
		k.upload(key)
		for len(k.pending) > 0 {
			i := k.random.IntN(len(k.pending))
			if k.killed < kills && k.random.IntN(3) > 0 {
				k.killDuring(i)
				if k.random.IntN(4) == 0 {
					k.upload(key)
				}
			} else {
				k.deliver(i)
			}
		}
		k.complete(key)
	}
	t.Logf("%d kills, seed %d, at %d uploads: %d when the delivery had stored nothing yet, %d after one rendition, %d after two, %d after three, %d after the record; %d in a process's first invocation",
		k.killed, seed, k.uploads, k.stored[0], k.stored[1], k.stored[2], k.stored[3], k.stored[4], k.fresh)
	t.Logf("%d deliveries in all; %d events had been answered before the kill, and did not come again", k.deliveries, k.answered)
}

// killer is a platform whose functions die.
type killer struct {
	*stage
	t        *testing.T
	random   *rand.Rand
	pictures [][]byte
	process  *process // nil if none runs
	worked   bool     // it has answered before
	s3       string   // where a request takes a while, and never the same
	takes    time.Duration

	pending []json.RawMessage
	newest  map[string]s3io.Info // by key

	killed, fresh, answered, deliveries, uploads int
	writes                                       atomic.Int32 // of the delivery
	stored                                       [5]int       // kills, by the delivery's writes until then
}

func newKiller(t *testing.T, seed uint64) *killer {
	k := &killer{stage: emptyStage(t, account), t: t, random: rand.New(rand.NewPCG(seed, 0)), newest: map[string]s3io.Info{}, takes: 100 * time.Millisecond}
	for i := range 3 {
		k.pictures = append(k.pictures, photo(t, 1600, 1200-100*i)) // of another height each
	}
	slow := s3fault.Start(t, k.endpoint)
	var mu sync.Mutex
	waits := rand.New(rand.NewPCG(seed, 1))
	slow.Inject(s3fault.Always, s3fault.Any, func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
		mu.Lock()
		before, after := waits.IntN(20), waits.IntN(20)
		mu.Unlock()
		s3fault.Delay(time.Duration(before)*time.Millisecond)(w, r, s3)
		if r.Method == http.MethodPut {
			k.writes.Add(1)
		}
		time.Sleep(time.Duration(after) * time.Millisecond) // it is done, and not yet said
	})
	k.s3 = "AWS_ENDPOINT_URL_S3=" + slow.URL
	return k
}

func (k *killer) stop() {
	if k.process != nil {
		k.process.end(syscall.SIGKILL)
		k.process = nil
	}
}

func (k *killer) upload(key string) {
	k.t.Helper()
	k.uploads++
	data := append(bytes.Clone(k.pictures[k.random.IntN(len(k.pictures))]), fmt.Sprint(k.uploads)...) // decoders stop before what follows
	k.pending = append(k.pending, k.stage.upload(k.t, "photos", key, data))
	info, err := k.Head(k.t.Context(), "photos", key)
	if err != nil {
		k.t.Fatal(err)
	}
	k.newest[key] = info
}

func (k *killer) ensureProcess() {
	k.t.Helper()
	if k.process == nil {
		k.process, k.worked = k.launch(k.t, k.s3), false
	}
}

// deliver lets the function work on a pending event to its end.
func (k *killer) deliver(i int) {
	k.t.Helper()
	k.ensureProcess()
	k.deliveries++
	begun := time.Now()
	for _, result := range k.invoke(k.t, k.pending[i]).Results {
		if result.Status != report.Resized && result.Status != report.Superseded {
			k.t.Fatalf("%+v", result)
		}
	}
	k.takes, k.worked = (k.takes+time.Since(begun))/2, true
	k.done(i)
}

func (k *killer) done(i int) { k.pending = append(k.pending[:i:i], k.pending[i+1:]...) }

// killDuring kills the function at some moment of its work on a pending event.
func (k *killer) killDuring(i int) {
	k.t.Helper()
	k.ensureProcess()
	k.deliveries++
	k.killed++
	if !k.worked {
		k.fresh++
	}
	k.writes.Store(0)
	call, err := k.api.Start(k.pending[i], time.Minute)
	if err != nil {
		k.t.Fatal(err)
	}
	k.sleep()
	k.stop()
	k.stored[min(k.writes.Load(), 4)]++

	// What it had said before it died counts; and what it had not, nobody waits for.
	answer, cancel := context.WithTimeout(k.t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := call.Wait(answer); err == nil {
		k.answered++
		k.done(i)
	}
	for k.api.Idle() > 0 { // the server has not seen yet that the connection is gone
		time.Sleep(time.Millisecond)
	}
}

// sleep ends at some moment of the work: by the clock, from the first to a little after the last, or, since most of the
// time is spent before the first write, between two writes.
func (k *killer) sleep() {
	if k.random.IntN(2) == 0 {
		time.Sleep(time.Duration(k.random.Float64() * 1.1 * float64(k.takes)))
		return
	}
	writes, rest := k.random.Int32N(4), time.Duration(k.random.IntN(20))*time.Millisecond
	for deadline := time.Now().Add(10 * k.takes); k.writes.Load() < writes && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(rest)
}

// complete fails the test unless record and renditions are those of the newest upload, and of one another.
func (k *killer) complete(key string) {
	k.t.Helper()
	newest := k.newest[key]
	get := func(name string) (s3io.Info, []byte) {
		object, err := k.Open(k.t.Context(), "photos-resized", name)
		if err != nil {
			k.t.Fatal(err)
		}
		defer object.Close()
		data, err := io.ReadAll(object)
		if err != nil {
			k.t.Fatal(err)
		}
		return object.Info, data
	}
	_, record := get(".s3resizer/" + key + ".json")
	var recorded report.Result
	if err := json.Unmarshal(record, &recorded); err != nil {
		k.t.Fatalf("%s: %v", record, err)
	}
	if recorded.Status != report.Resized || recorded.Source.ETag != newest.ETag || len(recorded.Renditions) != 3 {
		k.t.Errorf("after %d kills the record is %s; the newest upload is %s", k.killed, record, newest.ETag)
	}
	for _, r := range recorded.Renditions {
		info, data := get(r.Key)
		picture, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || !strings.HasSuffix(r.Key, "-"+key) || len(data) != r.Bytes || picture.Width != r.Width || picture.Height != r.Height {
			k.t.Errorf("after %d kills %s is of %d bytes, %d × %d, %v; the record says %+v", k.killed, r.Key, len(data), picture.Width, picture.Height, err, r)
		}
		if info.Metadata["s3resizer-source-etag"] != newest.ETag {
			k.t.Errorf("after %d kills %s is of upload %s, the newest is %s", k.killed, r.Key, info.Metadata["s3resizer-source-etag"], newest.ETag)
		}
	}
}
