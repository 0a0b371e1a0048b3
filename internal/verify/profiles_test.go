package verify_test

import (
	"testing"

	"s3resizer/internal/verify"
)

// Of two profiles, one has the names of its renditions in another order; a third one is left alone with what was made of it.
func TestEachOriginalIsHeldAgainstItsOwnProfile(t *testing.T) {
	s := settings(t, `RESIZE_PROFILES=[{"prefix":"b/","sizes":"big=8","key_template":"{dir}{name}@{size}{ext}"},{"prefix":"x/","sizes":"s=3,tiny=1"},{"prefix":"raw/","skip":true}]`)
	m := newMemory()
	for i, key := range []string{"a.png", "b/c.png", "b/d.png", "x/e.png", "raw/f.png", "raw/g.png"} {
		m.upload(t, key, 10+i)
		if key[0] == 'r' {
			m.resize(t, settings(t), key) // before it was skipped
		}
		m.resize(t, s, key)
	}
	for _, quick := range []bool{false, true} {
		got, v := found(t, verify.Options{Store: m, Settings: s, Quick: quick})
		want(t, got)
		if p := v.Progress(); p.Originals != 4 || p.Skipped != 2 || p.Renditions != 6 {
			t.Errorf("%+v", p)
		}
	}
	for _, prefix := range []string{"b/", "x/e", "raw/"} {
		got, _ := found(t, verify.Options{Store: m, Settings: s, Prefix: prefix})
		want(t, got)
	}

	delete(m.objects[source], "b/c.png")
	delete(m.objects[source], "x/e.png")
	delete(m.objects[source], "raw/g.png")
	delete(m.objects[destination], "b/d@big.png")
	m.resize(t, settings(t), "b/d.png") // without the profile, over its record
	gone := []string{"orphan .s3resizer/b/c.png.json", "orphan b/c@big.png"}
	older := []string{"missing-rendition b/d@big.png", "older-settings .s3resizer/b/d.png.json"}
	// Within a prefix, what was made under names that the settings don't give there is not looked for.
	left := []string{"leftover m-b/d.png", "leftover s-b/d.png"}
	got, _ := found(t, verify.Options{Store: m, Settings: s, Prefix: "b/"})
	want(t, got, append(gone, older...)...)
	got, _ = found(t, verify.Options{Store: m, Settings: s})
	all := append(append(append([]string{}, gone...), older...), left...)
	want(t, got, append(all, "orphan .s3resizer/x/e.png.json", "orphan s-x/e.png", "orphan tiny-x/e.png",
		"orphan .s3resizer/raw/g.png.json", "orphan m-raw/g.png", "orphan s-raw/g.png")...)
}
