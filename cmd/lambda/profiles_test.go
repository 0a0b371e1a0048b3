package main

import (
	"slices"
	"testing"

	"s3resizer/internal/report"
	"s3resizer/resize"
)

// Two profiles, a folder that is left alone, and what is in none of them, in one event.
func TestSettingsByPrefix(t *testing.T) {
	s := newStage(t, "RESIZE_QUALITY=70", "RESIZE_SIZES=small=40,large=90", `RESIZE_PROFILES=[
		{"prefix": "avatars/", "sizes": "avatar=32", "formats": "webp", "key_template": "{dir}{size}/{name}{ext}", "cache_control": "max-age=60"},
		{"prefix": "avatars/old/", "skip": true},
		{"prefix": "여행/", "quality": "90"}
	]`)
	picture := photo(t, 120, 100)
	keys := []string{"a.jpg", "avatars/b.jpg", "avatars/old/c.jpg", "여행/d.jpg"}
	made := [][]string{{"small-a.jpg", "large-a.jpg"}, {"avatars/avatar/b.jpg.webp"}, nil, {"small-여행/d.jpg", "large-여행/d.jpg"}}
	first := s.upload(t, "photos", keys[0], picture)
	answer := s.invoke(t, together(first, s.upload(t, "photos", keys[1], picture), s.upload(t, "photos", keys[2], picture), s.upload(t, "photos", keys[3], picture)))
	fingerprints := map[string]bool{}
	for i, r := range answer.Results {
		if r.Source.Key != keys[i] {
			t.Fatalf("%+v", answer)
		}
		if made[i] == nil {
			if r.Status != report.Skipped || r.Reason != "it is in avatars/old/, which RESIZE_PROFILES skips" {
				t.Errorf("%s: %+v", keys[i], r)
			}
			if _, err := s.Head(t.Context(), "photos-resized", ".s3resizer/"+keys[i]+".json"); err == nil {
				t.Errorf("%s has a record", keys[i])
			}
			continue
		}
		var got []string
		for _, rendition := range r.Renditions {
			got = append(got, rendition.Key)
		}
		info, err := s.Head(t.Context(), "photos-resized", made[i][0])
		if r.Status != report.Resized || !slices.Equal(got, made[i]) || err != nil {
			t.Fatalf("%s became %q, want %q; %v, %v", keys[i], got, made[i], r.Status, err)
		}
		fingerprints[info.Metadata["s3resizer-settings"]] = true
	}
	if len(fingerprints) != 3 {
		t.Errorf("fingerprints %v, want one for each of the three", fingerprints)
	}
	results := answer.Results
	if b := results[1].Renditions[0]; b.Width != 32 || b.Format != resize.WebP || results[3].Renditions[0].Bytes <= results[0].Renditions[0].Bytes {
		t.Errorf("%+v, %+v, %+v", b, results[0].Renditions, results[3].Renditions)
	}
	if info, err := s.Head(t.Context(), "photos-resized", made[1][0]); err != nil || info.CacheControl != "max-age=60" {
		t.Errorf("Cache-Control %q, %v", info.CacheControl, err)
	}
	// What was made under the same profile is found done when the event comes again for an older upload.
	s.upload(t, "photos", keys[0], photo(t, 130, 100))
	s.invoke(t, first)
	if again := s.invoke(t, first).Results[0]; again.Status != report.Superseded {
		t.Errorf("the first event, again: %+v", again)
	}
}
