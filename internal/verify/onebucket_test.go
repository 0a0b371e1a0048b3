package verify_test

import (
	"slices"
	"testing"

	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// In one bucket, originals are neither strays nor are renditions originals, whatever the template.
func TestOneBucket(t *testing.T) {
	for _, template := range []string{"resized/{size}/{key}", "resized/{dir}{name}-{size}{ext}"} {
		t.Run(template, func(t *testing.T) {
			m := newMemory()
			s := settings(t, "RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE="+template)
			for i, key := range []string{"a.png", "b/c.png", "z.png"} {
				m.upload(t, key, 10+i)
				m.resize(t, s, key)
			}
			m.upload(t, "resized/of-somebody-else.png", 7)
			m.upload(t, ".s3resizer/notes.png", 7)
			check := func(o verify.Options, findings ...string) verify.Progress {
				o.Store, o.Settings = m, s
				got, v := found(t, o)
				want(t, got, findings...)
				return v.Progress()
			}
			if p := check(verify.Options{}); p.Originals != 3 || p.Renditions != 6 || p.NotOurs != 2 {
				t.Errorf("%+v", p)
			}
			if p := check(verify.Options{Prefix: "b/"}); p.Originals != 1 || p.Renditions != 2 {
				t.Errorf("with a prefix: %+v", p)
			}
			z := []string{s.Key.For("z.png", "s", ""), s.Key.For("z.png", "m", ""), ".s3resizer/z.png.json"}
			delete(m.objects[source], "z.png")
			delete(m.objects[source], s.Key.For("a.png", "m", ""))
			check(verify.Options{}, "orphan "+z[0], "orphan "+z[1], "orphan "+z[2], "missing-rendition "+s.Key.For("a.png", "m", ""))
		})
	}
}

// What was made of an original that the function has deleted itself is no orphan. It can't be made anew either.
func TestOriginalsThatWereDeleted(t *testing.T) {
	m, s := newMemory(), settings(t, "RESIZE_ORIGINAL=delete")
	for i, key := range []string{"a.png", "b.png", "c.png", "d.png"} {
		m.upload(t, key, 10+i)
	}
	for _, key := range []string{"a.png", "b.png"} {
		m.resize(t, s, key)
	}
	m.resize(t, settings(t, "RESIZE_SIZES=s=2,m=4,x=8"), "c.png") // under settings of before
	m.resize(t, s, "c.png")
	m.resize(t, settings(t), "d.png")
	delete(m.objects[source], "d.png") // by somebody else
	m.upload(t, "a.png", 0)            // an upload that is rejected, and deleted by somebody
	m.resize(t, s, "a.png")
	delete(m.objects[source], "a.png")
	if len(m.objects[source]) > 0 {
		t.Fatalf("there still is %v", m.objects[source])
	}
	delete(m.objects[destination], "m-b.png")
	m.change(t, "s-b.png", func(u *s3io.Upload) { u.Metadata["s3resizer-source-etag"] = "another" })
	var orphans []verify.Finding
	v := verify.New(verify.Options{Bucket: source, Store: m, Settings: s, Found: func(f verify.Finding) {
		if f.Kind == verify.Orphan {
			orphans = append(orphans, f)
		}
	}})
	if err := v.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := v.Progress()
	if p.Kept != 3 || p.Originals != 0 || p.Findings[verify.Lost] != 2 || p.Findings[verify.Leftover] != 1 || len(orphans) != 3 || p.Total() != 6 || p.Broken != 0 {
		t.Errorf("%+v, orphans %v", p, orphans)
	}
	// While somebody thinks about it, the same bytes come again, are resized, and deleted: now it is a set that is kept.
	m.upload(t, "d.png", 13)
	m.resize(t, s, "d.png")
	i := slices.IndexFunc(orphans, func(f verify.Finding) bool { return f.Key == "s-d.png" })
	if removed, back, err := v.Remove(t.Context(), orphans[i]); removed || back != nil || err != nil {
		t.Errorf("removed: %t, %v, %v", removed, back, err)
	}
	if _, there := m.objects[destination]["s-d.png"]; !there {
		t.Error("a rendition of a set that is kept was removed")
	}
}
