package verify_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"s3resizer/internal/naming"
	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// three is a bucket with three pictures and a text, all done.
func three(t *testing.T) *memory {
	m := newMemory()
	for i, key := range []string{"a.png", "b/c.png", "d.png"} {
		m.upload(t, key, 10+i)
	}
	m.upload(t, "notes.txt", 0)
	m.objects[source]["b/"] = s3io.Upload{} // a folder
	for key := range m.objects[source] {
		m.resize(t, settings(t), key)
	}
	return m
}

func TestWhatIsRightIsNoFinding(t *testing.T) {
	for name, test := range map[string]struct {
		options     verify.Options
		gets, heads int
	}{
		"by metadata":    {verify.Options{}, 4, 6},
		"quick":          {verify.Options{Quick: true}, 4, 0},
		"by the picture": {verify.Options{Decode: true}, 10, 0},
		"of a prefix":    {verify.Options{Prefix: "b"}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			m := three(t)
			test.options.Store, test.options.Settings = m, settings(t)
			clear(m.asked)
			got, v := found(t, test.options)
			want(t, got)
			if m.asked["get"] != test.gets || m.asked["head"] != test.heads {
				t.Errorf("it asked %v, want %d GETs and %d HEADs", m.asked, test.gets, test.heads)
			}
			if p := v.Progress(); test.options.Prefix == "" && (p.Originals != 4 || p.Rejected != 1 || p.Renditions != 6) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// long is a key whose every letter takes three bytes, and nine in a label.
var long = strings.Repeat("제", 300)

func TestEachKindOfFinding(t *testing.T) {
	label := func(name, value string) func(*s3io.Upload) {
		return func(u *s3io.Upload) { u.Metadata["s3resizer-"+name] = value }
	}
	copied := func(t *testing.T, m *memory, key, to string) {
		m.change(t, key, func(*s3io.Upload) {})
		m.objects[destination][to] = m.objects[destination][key]
	}
	for name, test := range map[string]struct {
		options verify.Options
		spoil   func(t *testing.T, m *memory)
		want    []string
		redone  bool
	}{
		"no record":     {verify.Options{}, func(_ *testing.T, m *memory) { delete(m.objects[destination], ".s3resizer/a.png.json") }, []string{"missing-record .s3resizer/a.png.json"}, true},
		"no set at all": {verify.Options{}, func(t *testing.T, m *memory) { m.upload(t, "new.png", 9) }, []string{"missing-record .s3resizer/new.png.json"}, true},
		"a record that is none": {verify.Options{}, func(t *testing.T, m *memory) {
			m.change(t, ".s3resizer/a.png.json", func(u *s3io.Upload) { u.Data = []byte("{") })
		}, []string{"wrong-record .s3resizer/a.png.json"}, true},
		"somebody else's record": {verify.Options{}, func(t *testing.T, m *memory) { copied(t, m, ".s3resizer/d.png.json", ".s3resizer/a.png.json") }, []string{"wrong-record .s3resizer/a.png.json"}, true},
		"no rendition":           {verify.Options{}, func(_ *testing.T, m *memory) { delete(m.objects[destination], "s-a.png") }, []string{"missing-rendition s-a.png"}, true},
		"no rendition, quick":    {verify.Options{Quick: true}, func(_ *testing.T, m *memory) { delete(m.objects[destination], "s-a.png") }, []string{"missing-rendition s-a.png"}, true},
		"overwritten":            {verify.Options{}, func(t *testing.T, m *memory) { m.upload(t, "a.png", 20) }, []string{"older-upload .s3resizer/a.png.json", "older-upload m-a.png", "older-upload s-a.png"}, true},
		"an older rendition":     {verify.Options{}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", label("source-etag", "old")) }, []string{"older-upload s-a.png"}, true},
		"of older settings":      {verify.Options{}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", label("settings", "old")) }, []string{"older-settings s-a.png"}, true},
		"of another type": {verify.Options{}, func(t *testing.T, m *memory) {
			m.change(t, "s-a.png", func(u *s3io.Upload) { u.ContentType = "binary/octet-stream" })
		}, []string{"wrong-type s-a.png"}, true},
		"of another size":          {verify.Options{}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", label("width", "3")) }, []string{"wrong-size s-a.png"}, true},
		"of another length":        {verify.Options{}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", func(u *s3io.Upload) { u.Data = u.Data[:9] }) }, []string{"wrong-bytes s-a.png"}, true},
		"of another length, quick": {verify.Options{Quick: true}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", func(u *s3io.Upload) { u.Data = u.Data[:9] }) }, []string{"wrong-bytes s-a.png"}, true},
		"no picture": {verify.Options{Decode: true}, func(t *testing.T, m *memory) {
			m.change(t, "s-a.png", func(u *s3io.Upload) { u.Data = make([]byte, len(u.Data)) })
		}, []string{"unreadable s-a.png"}, true},
		"another picture": {verify.Options{Decode: true}, func(t *testing.T, m *memory) {
			data := slices.Clone(m.objects[destination]["s-d.png"].Data)
			data[19] = 3 // the width in the header
			m.change(t, "s-a.png", func(u *s3io.Upload) { u.Data = data })
			m.change(t, ".s3resizer/a.png.json", func(u *s3io.Upload) { u.Data = sameLength(t, u.Data, len(data)) })
		}, []string{"wrong-size s-a.png"}, true},
		"somebody else's in its place": {verify.Options{}, func(t *testing.T, m *memory) {
			m.change(t, "s-a.png", func(u *s3io.Upload) { u.Metadata, u.Data = nil, []byte("mine") })
		}, []string{"foreign s-a.png"}, false},
		"copied without its metadata":    {verify.Options{}, func(t *testing.T, m *memory) { m.change(t, "s-a.png", func(u *s3io.Upload) { u.Metadata = nil }) }, []string{"unlabelled s-a.png"}, true},
		"another picture's in its place": {verify.Options{}, func(t *testing.T, m *memory) { copied(t, m, "s-d.png", "s-a.png") }, []string{"foreign s-a.png"}, false},
		"a rendition of another one is copied over it": {verify.Options{}, func(_ *testing.T, m *memory) {
			m.objects[source]["a.png"] = m.objects[destination]["s-d.png"]
		}, []string{"leftover .s3resizer/a.png.json"}, false},
		"deleted": {verify.Options{}, func(_ *testing.T, m *memory) { delete(m.objects[source], "a.png") }, []string{"orphan .s3resizer/a.png.json", "orphan m-a.png", "orphan s-a.png"}, false},
		"deleted, and its record": {verify.Options{Quick: true}, func(_ *testing.T, m *memory) {
			delete(m.objects[source], "a.png")
			delete(m.objects[destination], ".s3resizer/a.png.json")
		}, []string{"orphan m-a.png", "orphan s-a.png"}, false},
		"too slow once": {verify.Options{}, func(t *testing.T, m *memory) {
			for _, key := range []string{"a.png", "d.png"} {
				copied(t, m, ".s3resizer/"+key+".json", ".s3resizer-slow/"+key)
			}
			m.change(t, ".s3resizer-slow/a.png", label("source-etag", "older"))
		}, nil, false},
		"too slow, and deleted": {verify.Options{}, func(t *testing.T, m *memory) {
			copied(t, m, ".s3resizer/a.png.json", ".s3resizer-slow/a.png")
			delete(m.objects[source], "a.png")
		}, []string{"orphan .s3resizer-slow/a.png", "orphan .s3resizer/a.png.json", "orphan m-a.png", "orphan s-a.png"}, false},
		"deleted, with a name that no label holds": {verify.Options{}, func(t *testing.T, m *memory) {
			for _, key := range []string{long + "1", long + "2"} {
				m.upload(t, key, 9)
				m.resize(t, settings(t), key)
			}
			delete(m.objects[source], long+"1")
		}, []string{"orphan .s3resizer/" + long + "1.json", "orphan m-" + long + "1", "orphan s-" + long + "1"}, false},
		"deleted, of older sizes": {verify.Options{}, func(t *testing.T, m *memory) {
			m.resize(t, settings(t, "RESIZE_SIZES=big=6"), "a.png")
			m.resize(t, settings(t), "a.png")
			delete(m.objects[source], "a.png")
		}, []string{"orphan .s3resizer/a.png.json", "orphan big-a.png", "orphan m-a.png", "orphan s-a.png"}, false},
		"of older sizes": {verify.Options{}, func(t *testing.T, m *memory) {
			m.resize(t, settings(t, "RESIZE_SIZES=big=6"), "a.png")
			m.resize(t, settings(t), "a.png")
		}, []string{"leftover big-a.png"}, false},
		"of an older format": {verify.Options{}, func(t *testing.T, m *memory) {
			m.resize(t, settings(t, "RESIZE_FORMATS=source,webp"), "a.png")
			m.resize(t, settings(t), "a.png")
		}, []string{"leftover m-a.png.webp", "leftover s-a.png.webp"}, false},
		"rejected now, and the older set whole": {verify.Options{}, func(t *testing.T, m *memory) { m.upload(t, "a.png", 0); m.resize(t, settings(t), "a.png") }, nil, false},
		"rejected now, and the older set broken since": {verify.Options{}, func(t *testing.T, m *memory) {
			m.upload(t, "a.png", 0)
			m.resize(t, settings(t), "a.png")
			delete(m.objects[destination], "s-a.png")
		}, []string{"missing-rendition s-a.png"}, true},
		"objects of others": {verify.Options{}, func(t *testing.T, m *memory) {
			for _, key := range []string{"s-mine.png", "notes", ".s3resizer/settings.json", "zzz"} {
				m.objects[destination][key] = s3io.Upload{Data: []byte("mine")}
			}
			copied(t, m, "s-a.png", "backup of thumbnail 7") // by its metadata ours, by its name not
			copied(t, m, "s-a.png", "s-other.png")
			m.change(t, "s-other.png", label("source", "s3://others/other.png"))
			delete(m.objects[source], "d.png") // so that something is found
		}, []string{"orphan .s3resizer/d.png.json", "orphan m-d.png", "orphan s-d.png"}, false},
		"a rendition among the originals": {verify.Options{}, func(_ *testing.T, m *memory) { m.objects[source]["s-a.png"] = m.objects[destination]["s-a.png"] }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := three(t)
			test.spoil(t, m)
			before := maps.Clone(m.objects[destination])
			var redo []string
			o := test.options
			o.Store, o.Settings = m, settings(t)
			o.Redo = func(_ context.Context, object s3io.Listed) error { redo = append(redo, object.Key); return nil }
			got, v := found(t, o)
			want(t, got, test.want...)
			if test.redone != (len(redo) == 1) || int(v.Progress().Broken) != len(redo) {
				t.Errorf("to be made anew: %q", redo)
			}
			if !maps.EqualFunc(before, m.objects[destination], func(a, b s3io.Upload) bool { return string(a.Data) == string(b.Data) }) {
				t.Error("it changed something")
			}
			if !test.redone {
				return
			}
			m.resize(t, settings(t), redo[0])
			got, _ = found(t, verify.Options{Store: m, Settings: settings(t)})
			if name == "rejected now, and the older set broken since" {
				want(t, got, "leftover m-a.png") // it stays, and is of no set any more
				return
			}
			want(t, got)
		})
	}
}

// sameLength is a's record, telling of s-a.png that it has so many bytes.
func sameLength(t *testing.T, record []byte, bytes int) []byte {
	t.Helper()
	was := string(record)
	at := strings.Index(was, `"bytes":`+"")         // the source's
	at += strings.Index(was[at+1:], `"bytes":`) + 1 // the first rendition's, which is s-a.png's
	end := at + strings.IndexAny(was[at:], ",}")
	return []byte(was[:at] + `"bytes":` + strconv.Itoa(bytes) + was[end:])
}

// Keys that begin with one another, that end as what is made of another one, and pages that end anywhere: what is found
// is what was broken, and nothing else.
func TestWhateverTheKeysAndTheTemplate(t *testing.T) {
	pieces := []string{"a", "b", "-", ".", "/", " ", "s-", ".j", ".json", ".png", ".webp", "w", "!", "é", "\U0001F600", "0"}
	templates := []string{"{size}-{key}", "{size}/{dir}{name}{ext}", "x{size}{key}", "{dir}{name}-{size}{ext}", "thumbs/{key}/{size}"}
	seeds := uint64(120)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 0))
		m := newMemory()
		m.pageSize = 1 + random.IntN(7)
		s := settings(t, "RESIZE_KEY_TEMPLATE="+templates[random.IntN(len(templates))], "RESIZE_FORMATS="+[]string{"source", "source,webp", "webp"}[random.IntN(3)])
		keys, made := map[string]bool{}, map[string][]string{} // renditions, by original
		for range random.IntN(25) {
			var key strings.Builder
			for range 1 + random.IntN(6) {
				key.WriteString(pieces[random.IntN(len(pieces))])
			}
			keys[key.String()] = true
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			alone := newMemory()
			alone.upload(t, key, 5)
			alone.resize(t, s, key)
			if slices.ContainsFunc(slices.Collect(maps.Keys(alone.objects[destination])), func(output string) bool { _, taken := m.objects[destination][output]; return taken }) {
				continue // it would be named as what is made of another one, which KeyTemplate tells of
			}
			maps.Copy(m.objects[source], alone.objects[source])
			maps.Copy(m.objects[destination], alone.objects[destination])
			delete(alone.objects[destination], naming.Record(key))
			made[key] = slices.Sorted(maps.Keys(alone.objects[destination]))
		}
		expected := []string{}
		expect := func(kind verify.Kind, keys ...string) {
			for _, key := range keys {
				expected = append(expected, string(kind)+" "+key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(made)) {
			renditions := made[key]
			if len(renditions) == 0 {
				continue // rejected: its renditions would lie among the records
			}
			record := naming.Record(key)
			one := renditions[random.IntN(len(renditions))]
			switch random.IntN(6) {
			case 0:
				delete(m.objects[source], key)
				expect(verify.Orphan, append(renditions, record)...)
			case 1:
				delete(m.objects[destination], one)
				expect(verify.MissingRendition, one)
			case 2:
				delete(m.objects[destination], record)
				expect(verify.MissingRecord, record)
			case 3:
				m.upload(t, key, 7)
				expect(verify.OlderUpload, append(renditions, record)...)
			}
		}
		quick := random.IntN(2) == 0
		got, _ := found(t, verify.Options{Store: m, Settings: s, Quick: quick})
		if slices.Sort(expected); !slices.Equal(got, expected) {
			t.Fatalf("seed %d, %q: found\n  %s\nwant\n  %s", seed, slices.Sorted(maps.Keys(made)), strings.Join(got, "\n  "), strings.Join(expected, "\n  "))
		}
	}
}
