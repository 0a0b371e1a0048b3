package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
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

// Several processes of the function, under two settings, work at once on a key that is uploaded over and over, and deleted.
// They are killed (SIGKILL) at any moment. What brings the events is like SQS: some come twice, and one that was not answered
// comes again, to whichever process, sooner or later than others. When the last one is answered, the key has what a quiet run
// makes of its last upload, byte for byte, or nothing if it was deleted.
//
// TORTURE plays 600 rounds instead of 24; KILL_SEED=n begins with that round. A round's seed decides what comes, but not how
// fast the machine is.
func TestKilledAtAnyMoment(t *testing.T) {
	if os.Getenv("LAMBDA_FUNCTION") != "" {
		t.Skip("SIGKILL would end docker's client, not the function in its container")
	}
	const lanes = 3
	rounds, seed := uint64(24), number(t, "KILL_SEED", 1)
	if os.Getenv("TORTURE") != "" {
		rounds = 600
	}
	k := killer{stage: emptyStage(t, account), uploading: &sync.Mutex{}}
	k.nothing = k.outputs(t, "never.jpg")
	for i := range 3 {
		k.pictures = append(k.pictures, photo(t, 500, 400-50*i)) // of another height each
	}
	settings := []string{"RESIZE_QUALITY=80", "RESIZE_QUALITY=60"}
	for _, quality := range settings {
		k.quiet(t, quality, "RESIZE_DELETE=on")
	}
	for lane := range uint64(lanes) {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			k := k
			k.messages, k.pending, k.ended = make(chan json.RawMessage, 1000), &atomic.Int64{}, &atomic.Int64{}
			var working sync.WaitGroup
			var mortals []*mortal
			for i, quality := range append(settings, settings[0]) {
				m := newMortal(t, &k, rand.NewPCG(seed+lane, uint64(i+1)), quality, "RESIZE_DELETE=on")
				mortals = append(mortals, m)
				working.Go(func() { m.work(t) })
			}
			for n := lane; n < rounds; n += lanes {
				k.round(t, seed+n)
			}
			close(k.messages)
			working.Wait()
			killed := 0
			for _, m := range mortals {
				killed += m.killed
			}
			t.Logf("%d rounds from %d on: %d deliveries, %d kills", rounds/lanes, seed+lane, k.ended.Load(), killed)
			if killed < int(rounds/lanes) {
				t.Error("that is hardly any")
			}
		})
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

// killer uploads, deletes, and brings the events of that to those who are mortal.
type killer struct {
	*stage
	uploading *sync.Mutex
	pictures  [][]byte
	sets      []map[string]bool // what quiet runs have made, by picture
	nothing   string

	messages chan json.RawMessage
	pending  *atomic.Int64 // messages that were not answered
	ended    *atomic.Int64 // deliveries
}

// quiet learns what is made of each picture if nothing happens meanwhile.
func (k *killer) quiet(t *testing.T, environ ...string) {
	p := k.launch(t, environ...)
	defer p.end(syscall.SIGTERM)
	for i, data := range k.pictures {
		key := fmt.Sprintf("quiet-%d.jpg", i)
		if r := k.invoke(t, k.upload(t, "photos", key, data)).Results[0]; r.Status != report.Resized {
			t.Fatalf("%+v", r)
		}
		if len(k.sets) == i {
			k.sets = append(k.sets, map[string]bool{})
		}
		k.sets[i][k.outputs(t, key)] = true
	}
}

// outputs tells what there is of a key, but for the key's name: each rendition, and what the record says.
func (s *stage) outputs(t *testing.T, key string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range []string{"small-" + key, "medium-" + key, "large-" + key} {
		object, err := s.Open(t.Context(), "photos-resized", name)
		if s3io.ClassOf(err) == s3io.NotFound {
			fmt.Fprintf(&text, "%s: none\n", name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(object)
		object.Close()
		if err != nil {
			t.Fatal(err)
		}
		label, _ := report.LabelOf(object.Info)
		fmt.Fprintf(&text, "%s: %s, %d bytes with the hash %x, of %s under %s\n", name, object.ETag, len(data), sha256.Sum256(data), label.ETag, label.Settings)
	}
	record, info, err := report.Read(t.Context(), s, "photos-resized", key)
	if err != nil && s3io.ClassOf(err) != s3io.NotFound {
		t.Fatal(err)
	}
	label, _ := report.LabelOf(info)
	fmt.Fprintf(&text, "record: %s, %s under %s: %+v\n", record.Status, record.Source.ETag, label.Settings, record.Renditions)
	return strings.ReplaceAll(text.String(), key, "KEY")
}

// round changes a key a few times, and looks at what there is when all is quiet again.
func (k *killer) round(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	key, last := fmt.Sprintf("%d.jpg", seed), deleted
	var story []int
	for range 1 + random.IntN(4) {
		var event json.RawMessage
		if last != deleted && random.IntN(4) == 0 {
			last = deleted
			if err := k.Delete(t.Context(), "photos", key, ""); err != nil {
				t.Fatal(err)
			}
			event = fmt.Appendf(nil, `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"photos"},"object":{"key":%q}}}]}`, key)
		} else {
			last = random.IntN(len(k.pictures))
			k.uploading.Lock() // S3's next event is this one's
			event = k.upload(t, "photos", key, k.pictures[last])
			k.uploading.Unlock()
		}
		story = append(story, last)
		for range 1 + random.IntN(3) {
			k.pending.Add(1)
			k.send(event, time.Duration(random.IntN(60))*time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
	}
	for k.pending.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	got := k.outputs(t, key)
	if last == deleted && got != k.nothing || last != deleted && !k.sets[last][got] {
		t.Errorf("KILL_SEED=%d: after the pictures %v (%d: it was deleted) there is", seed, story, deleted)
		for line := range strings.Lines(got) {
			t.Logf("%.1000s", line)
		}
	}
}

const deleted = -1

func (k *killer) send(event json.RawMessage, after time.Duration) {
	time.AfterFunc(after, func() { k.messages <- event })
}

// mortal is a platform with one process of the function at a time, which can die.
type mortal struct {
	*stage
	k      *killer
	mu     sync.Mutex
	random *rand.Rand
	killed int

	calls, stalls, last atomic.Int32 // that it has made of S3 in this delivery; that which takes long; that which it dies of
	die                 atomic.Pointer[context.CancelFunc]
	gate                sync.RWMutex // locked for reading while a request acts
	lives               int          // that are over; behind gate
}

func newMortal(t *testing.T, k *killer, source rand.Source, environ ...string) *mortal {
	m := &mortal{stage: k.beside(t), k: k, random: rand.New(source)}
	proxy := s3fault.Start(t, k.endpoint)
	proxy.Inject(s3fault.Always, s3fault.Any, m.pass)
	m.environ = append(append(m.environ, environ...), "AWS_ENDPOINT_URL_S3="+proxy.URL)
	return m
}

func (m *mortal) intN(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.random.IntN(n)
}

// work answers messages.
func (m *mortal) work(t *testing.T) {
	defer func() {
		for range m.k.messages { // it could not be launched: the test has failed, and is to end
			m.k.pending.Add(-1)
		}
	}()
	var process *process
	for event := range m.k.messages {
		if process == nil {
			process = m.launch(t)
		}
		const calls = 8 // of an ordinary delivery, and one
		stalls := int32(1 + m.intN(2*calls))
		m.calls.Store(0)
		m.stalls.Store(stalls)
		if m.last.Store(int32(m.intN(3 * calls))); stalls < calls && m.intN(2) == 0 {
			m.last.Store(stalls + int32(m.intN(3)))
		}
		ctx, die := context.WithCancel(t.Context())
		m.die.Store(&die)
		_, err := m.api.Invoke(ctx, event, time.Minute)
		m.k.ended.Add(1)
		if ctx.Err() != nil {
			m.bury(process)
			process = nil
		}
		die()
		if err == nil { // what it had said before it died counts
			m.k.pending.Add(-1)
		} else {
			m.k.send(event, time.Duration(m.intN(150))*time.Millisecond)
		}
	}
	if process != nil {
		process.end(syscall.SIGTERM)
	}
}

// bury ends a process, and what it has asked for that has not begun to act.
func (m *mortal) bury(p *process) {
	m.killed++
	p.end(syscall.SIGKILL)
	m.gate.Lock()
	m.lives++
	m.gate.Unlock()
	for m.api.Idle() > 0 { // the server has not seen yet that the connection is gone
		time.Sleep(time.Millisecond)
	}
}

// pass is what happens to a request: it takes a while, and its answer does, too; and the process may not live to see either.
func (m *mortal) pass(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
	m.gate.RLock()
	life := m.lives
	m.gate.RUnlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	call := m.calls.Add(1)
	m.nap(call == m.stalls.Load())
	fatal := call == m.last.Load()
	answer := httptest.NewRecorder()
	m.gate.RLock()
	if m.lives == life && (!fatal || m.intN(2) == 0) {
		whole := r.WithContext(context.WithoutCancel(r.Context()))
		whole.Body = io.NopCloser(bytes.NewReader(body))
		s3.ServeHTTP(answer, whole)
	}
	dead := m.lives != life
	m.gate.RUnlock()
	if fatal && !dead {
		(*m.die.Load())()
		<-r.Context().Done()
	}
	if dead || fatal {
		panic(http.ErrAbortHandler)
	}
	m.nap(false)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// nap is short, or so long that others end two deliveries meanwhile, if there are any.
func (m *mortal) nap(long bool) {
	time.Sleep(time.Duration(m.intN(6)) * time.Millisecond)
	ended, deadline := m.k.ended.Load(), time.Now().Add(time.Second)
	for long && m.k.pending.Load() > 1 && m.k.ended.Load() < ended+2 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
}
