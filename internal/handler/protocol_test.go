package handler_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/protocol"
	"s3resizer/s3io"
)

// What is shown of the model in package protocol holds for the handler as far as the handler does what the model's runs do.
// Here, ways through the model are drawn, and real handlers are led along them: at each step, the calls to S3 that each of
// them waits for are those that come next in the model, and what is written, what is refused and who ends is the same.
func TestTheHandlerIsTheModels(t *testing.T) {
	with := func(more ...string) config.Settings {
		return settings(t, append(slices.Clone(orderSettings), more...)...)
	}
	usual, other := with(), with("RESIZE_QUALITY=jpeg=50")
	g := drawGallery(t)
	seen := tally{}
	for name, c := range map[string]struct {
		settings []config.Settings
		comes    []int // by the gallery's number; -1 is a deletion, -2 what is no picture
		protocol.World
	}{
		"uploads":                            {[]config.Settings{usual}, []int{0, 1}, protocol.World{Deaths: 2, Lost: 1}},
		"the first again":                    {[]config.Settings{usual}, []int{0, 1, 0}, protocol.World{Deaths: 1, Handlers: 3}},
		"rejections":                         {[]config.Settings{usual}, []int{0, -2, 1}, protocol.World{Deaths: 1, Lost: 1}},
		"rejections last":                    {[]config.Settings{usual}, []int{0, 1, -2}, protocol.World{Deaths: 2}},
		"two settings":                       {[]config.Settings{usual, other}, []int{0, 1}, protocol.World{Deaths: 1, Handlers: 3}},
		"deletions":                          {[]config.Settings{with("RESIZE_DELETE=on")}, []int{0, -1, 1}, protocol.World{Deaths: 1}},
		"deletions at last":                  {[]config.Settings{with("RESIZE_DELETE=on")}, []int{0, 1, -1}, protocol.World{Deaths: 1, Lost: 1}},
		"deletions, kept":                    {[]config.Settings{usual}, []int{0, 1, -1}, protocol.World{Deaths: 1}},
		"originals go":                       {[]config.Settings{with(deletes)}, []int{0, 1}, protocol.World{Deaths: 1, Lost: 1}},
		"rejected ones do not":               {[]config.Settings{with(deletes)}, []int{0, -2, 1}, protocol.World{Deaths: 1}},
		"originals go, and so does the rest": {[]config.Settings{with(deletes, "RESIZE_DELETE=on")}, []int{0, -1, 1}, protocol.World{Deaths: 1}},
		"no records":                         {[]config.Settings{with("RESIZE_RECORD=off")}, []int{0, 1, -1}, protocol.World{Deaths: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pair{T: t, settings: c.settings, data: [][]byte{nil}, World: c.World}
			p.Uploads, p.Renditions, p.Handlers = []protocol.Upload{{}}, len(renditionSizes), max(2, p.Handlers)
			for i, s := range c.settings {
				p.Settings = append(p.Settings, protocol.Settings{Fingerprint: uint8(i), Delete: s.Delete, Discards: s.DeleteOriginal, Unrecorded: !s.Record})
			}
			for i, n := range c.comes {
				p.change(g, n, uint8(i+1))
			}
			p.Events = append(p.Events, protocol.Event{From: protocol.Mend})
			if c.settings[0].DeleteOriginal && c.settings[0].Delete {
				p.Events = append(p.Events, protocol.Event{From: protocol.Removed, After: protocol.Discarded})
			}
			for seed := range number(t, "PROTOCOL_SEEDS", 60) {
				p.walk(seed, seen)
			}
		})
	}
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%8d × %s", seen[what], what)
	}
	for _, verb := range []protocol.Verb{protocol.Dies, protocol.Removes, protocol.ReadsRecord, protocol.Discards} {
		if seen[string(verb)] == 0 {
			t.Errorf("never once: somebody %s", verb)
		}
	}
	for _, verb := range []protocol.Verb{protocol.Writes, protocol.WritesAgain, protocol.Removes} {
		if seen[string(verb)+": refused"] == 0 {
			t.Errorf("never once: somebody %s, and is refused", verb)
		}
	}
}

// pair is a world of the model and what is real beside it.
type pair struct {
	*testing.T
	protocol.World
	settings []config.Settings
	data     [][]byte // of the uploads

	s3    direct
	state protocol.State
	runs  []*led
	steps []string
}

// led is a real handler on its way through the model.
type led struct {
	run *execution
	direct
	again   bool // the answer to the next put is lost, and the client tries once more
	refused bool // the last write or removal was
	wrote   s3io.Upload
}

func (l *led) Put(ctx context.Context, u s3io.Upload) (etag string, err error) {
	etag, err = l.direct.Put(ctx, u)
	if l.again && err == nil {
		etag, err = l.direct.Put(ctx, u)
	}
	l.refused, l.again, l.wrote = s3io.ClassOf(err) == s3io.Changed, false, u
	return etag, err
}

func (l *led) Delete(ctx context.Context, bucket, key, etag string) error {
	err := l.direct.Delete(ctx, bucket, key, etag)
	l.refused = s3io.ClassOf(err) == s3io.Changed
	return err
}

// change adds a change of the source to the world.
func (p *pair) change(g gallery, n int, after uint8) {
	if n == -1 {
		p.Changes = append(p.Changes, protocol.Change{})
		if p.settings[0].Delete {
			p.Events = append(p.Events, protocol.Event{From: protocol.Removed, After: after})
		}
		return
	}
	data, kind := g.broken[0].data, protocol.Broken
	if n >= 0 {
		data, kind = g.pictures[n].data, protocol.Picture
	}
	upload := protocol.Upload{ETag: uint8(n + 10), Kind: kind}
	place := slices.Index(p.Uploads, upload)
	if place < 0 {
		place = len(p.Uploads)
		p.Uploads, p.data = append(p.Uploads, upload), append(p.data, data)
	}
	p.Changes = append(p.Changes, protocol.Change{Upload: uint8(place)})
	p.Events = append(p.Events, protocol.Event{After: after, ETag: upload.ETag})
}

// walk goes a way through the model that is drawn.
func (p *pair) walk(seed uint64, seen tally) {
	server, err := devserver.New(devserver.Options{Buckets: []string{"photos", "photos-resized"}})
	if err != nil {
		p.Fatal(err)
	}
	p.s3, p.state, p.runs, p.steps = direct{server, true}, p.Start(), make([]*led, p.Handlers), nil
	defer func() {
		for _, r := range p.runs {
			if r != nil && r.run.end == nil {
				r.run.kill()
			}
		}
		if err := server.Shutdown(context.Background()); err != nil {
			p.Error(err)
		}
	}()
	random := rand.New(rand.NewPCG(seed, 0))
	for {
		type way struct {
			protocol.Step
			to protocol.State
		}
		var ways []way
		p.Next(p.state, func(s protocol.Step, to protocol.State) { ways = append(ways, way{s, to}) })
		if len(ways) == 0 {
			return
		}
		chosen := ways[random.IntN(len(ways))]
		p.steps = append(p.steps, p.Tell(chosen.Step))
		err := p.do(chosen.Step)
		if p.state = chosen.to; err == nil {
			err = p.compare()
		}
		if err != nil {
			p.Fatalf("seed %d: %v, after\n%s", seed, err, strings.Join(p.steps, "\n"))
		}
		what := string(chosen.Do)
		if chosen.Refused {
			what += ": refused"
		}
		seen[what]++
	}
}

// do takes a step in reality.
func (p *pair) do(s protocol.Step) error {
	switch s.Do {
	case protocol.Changes:
		if data := p.data[p.Changes[s.On].Upload]; data != nil {
			_, err := p.s3.Put(p.Context(), s3io.Upload{Bucket: "photos", Key: orderKey, Data: data})
			return err
		}
		return p.s3.Delete(p.Context(), "photos", orderKey, "")
	case protocol.Begins:
		r := &led{direct: p.s3}
		r.run = execute(p, delivery{event: p.event(p.Events[s.On])}, fmt.Sprintf("%c", 'A'+s.Run-1), r, p.settings[s.Settings-1])
		p.runs[s.Run-1] = r
		return r.run.rest()
	}
	r := p.runs[s.Run-1]
	if s.Do == protocol.Dies {
		r.run.kill()
		p.runs[s.Run-1] = nil
		return nil
	}
	i := slices.IndexFunc(r.run.pending, func(c *call) bool { return p.call(c) == p.expected(s) })
	if i < 0 {
		return fmt.Errorf("it waits for %v", r.run.pending)
	}
	r.again, r.refused = s.Do == protocol.WritesAgain, false
	if err := r.run.let(i, passes); err != nil {
		return err
	}
	if r.refused != s.Refused {
		return fmt.Errorf("refused: %t", r.refused)
	}
	if s.Upload != 0 {
		under := r.wrote.Metadata["s3resizer-settings"]
		if rejected := bytes.Contains(r.wrote.Data, []byte(`"status":"rejected"`)); under != p.settings[s.Settings-1].Fingerprint() || rejected != s.Rejected {
			return fmt.Errorf("written under the settings %s, rejected: %t", under, rejected)
		}
	}
	if ended := r.run.end != nil; ended != s.Ends {
		return fmt.Errorf("ended: %t (%+v), waiting for %v", ended, r.run.end, r.run.pending)
	}
	if r.run.end != nil && (r.run.end.err == nil) != s.Well {
		return fmt.Errorf("it ended with %+v", r.run.end)
	}
	if r.run.end != nil {
		p.runs[s.Run-1] = nil
	}
	return nil
}

func (p *pair) event(e protocol.Event) string {
	switch e.From {
	case protocol.Removed:
		return removal
	case protocol.Mend:
		return `{"bucket":"photos","key":"` + orderKey + `"}`
	}
	upload := slices.IndexFunc(p.Uploads, func(u protocol.Upload) bool { return u.ETag == e.ETag })
	return fmt.Sprintf(`{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"photos"},"object":{"key":%q,"eTag":%q,"sequencer":"0A"}}}]}`,
		orderKey, p.etag(upload))
}

func (p *pair) etag(upload int) string {
	sum := md5.Sum(p.data[upload])
	return hex.EncodeToString(sum[:])
}

// compare looks whether the handlers wait for what comes next in the model.
func (p *pair) compare() error {
	want := make([][]string, len(p.runs))
	p.Next(p.state, func(s protocol.Step, _ protocol.State) {
		if s.Run == 0 || s.Do == protocol.Begins || s.Do == protocol.Dies {
			return
		}
		if call := p.expected(s); !slices.Contains(want[s.Run-1], call) {
			want[s.Run-1] = append(want[s.Run-1], call)
		}
	})
	for i, r := range p.runs {
		var got []string
		if r != nil {
			if err := p.pass(r, want[i]); err != nil {
				return err
			}
			for _, c := range r.run.pending {
				got = append(got, p.call(c))
			}
		}
		slices.Sort(want[i])
		slices.Sort(got)
		if !slices.Equal(got, want[i]) {
			return fmt.Errorf("%c waits for %v; in the model for %v", 'A'+i, got, want[i])
		}
	}
	return nil
}

// outputs are the keys of what the model knows, in its order.
func outputs() []string {
	return []string{"small-" + orderKey, "medium-" + orderKey, "large-" + orderKey, ".s3resizer/" + orderKey + ".json"}
}

// pass lets those calls through of which the model knows nothing, because they never find anything: a removal begins with
// the record, which may name other keys, and asks for those that the renditions of another format would have.
func (p *pair) pass(r *led, want []string) error {
	for len(r.run.pending) == 1 && r.run.pending[0].bucket != "photos" {
		c := r.run.pending[0]
		if slices.Contains(want, p.call(c)) || c.op != "open" && slices.Contains(outputs(), c.key) {
			break
		}
		if err := r.run.let(0, passes); err != nil {
			return err
		}
	}
	return nil
}

// call is a real call in words.
func (p *pair) call(c *call) string {
	of := ""
	if c.op == "put" {
		of = " of " + c.of
	}
	return c.op + " " + c.bucket + " " + c.key + of
}

// expected is a step of the model in the same words.
func (p *pair) expected(s protocol.Step) string {
	output := "photos-resized " + outputs()[s.On]
	switch s.Do {
	case protocol.Reads:
		return "open photos " + orderKey
	case protocol.Discards:
		return "delete photos " + orderKey
	case protocol.LooksAtSource:
		return "head photos " + orderKey
	case protocol.ReadsRecord:
		return "open photos-resized " + outputs()[p.Renditions]
	case protocol.Looks:
		return "head " + output
	case protocol.Removes:
		return "delete " + output
	default:
		return "put " + output + " of " + p.etag(int(s.Upload))
	}
}
