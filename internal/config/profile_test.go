package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"s3resizer/resize"
)

func TestTheLongestPrefixWinsAndTheRestIsInherited(t *testing.T) {
	s, err := Load([]string{
		"RESIZE_QUALITY=jpeg=70,avif=45", "RESIZE_CACHE_CONTROL=no-cache", "RESIZE_COPY=tags", "RESIZE_MAX_BYTES=1MiB", `RESIZE_PROFILES=[
			{"prefix": "avatars/", "sizes": "avatar=64", "quality": "avif=30"}, {"prefix": "raw/", "skip": true}, {"prefix": "raw/shown/"},
			{"prefix": "avatars/big/", "formats": "webp", "cache_control": "", "copy": "", "on_truncated": "accept", "skip": false}
		]`,
	})
	if err != nil {
		t.Fatal(err)
	}
	own := s
	own.Profiles = nil
	for key, change := range map[string]func(*Settings){
		"cat.jpg":       func(*Settings) {},
		"avatars":       func(*Settings) {},
		"avatars/a.jpg": func(s *Settings) { s.Sizes, s.Quality.AVIF = []resize.Size{{Name: "avatar", Width: 64}}, 30 },
		"avatars/big/a.jpg": func(s *Settings) {
			s.Formats, s.CacheControl, s.Copy, s.AcceptTruncated = []resize.Format{resize.WebP}, "", Copy{}, true
		},
		"raw/a.jpg":       func(s *Settings) { s.Skip = true },
		"raw/shown/a.jpg": func(*Settings) {},
	} {
		want := own
		change(&want)
		got := *s.For(key)
		got.Prefix, got.Named, got.Profiles = "", nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", key, got, want)
		}
	}
	for prefix, want := range map[string][]string{"": {"", "avatars/big/", "raw/shown/", "avatars/", "raw/"}, "avatars/b": {"avatars/", "avatars/big/"}, "raw/shown/x": {"raw/shown/"}} {
		var got []string
		for _, one := range s.Within(prefix) {
			got = append(got, one.Prefix)
		}
		if !slices.Equal(got, want) {
			t.Errorf("within %q there are the settings of %q, want %q", prefix, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { s.For("avatars/a.jpg") }); n > 0 {
		t.Errorf("to look for a profile takes %v allocations", n)
	}
	if names := s.SizeNames(); !slices.Equal(names, []string{"small", "medium", "large", "avatar"}) {
		t.Errorf("sizes %q", names)
	}
}

func TestTheProfilesOnThePageAreRight(t *testing.T) {
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```json\n")
	profiles, _, _ := strings.Cut(after, "```")
	s, err := Load([]string{"RESIZE_PROFILES=" + profiles})
	if err != nil || len(s.Profiles) != 3 || !s.For("raw/a.jpg").Skip || s.For("avatars/a.jpg").NamesMayMeet {
		t.Errorf("%s: %v", profiles, err)
	}
}

func TestEachProfileHasItsOwnFingerprint(t *testing.T) {
	prints := func(profiles string) (out []string) {
		s, err := Load([]string{"RESIZE_PROFILES=" + profiles})
		if err != nil {
			t.Fatal(err)
		}
		of := s.Fingerprints()
		return []string{of("x"), of("a/x"), of("b/x"), s.FingerprintWithin("a/"), s.FingerprintWithin("")}
	}
	before, after := prints(`[{"prefix":"a/","quality":"70"},{"prefix":"b/","quality":"60"}]`), prints(`[{"prefix":"a/","quality":"71"},{"prefix":"b/","quality":"60"}]`)
	if before[0] != "03ffeb02a7b9" || before[1] == before[0] || before[1] == before[2] || before[3] != before[1] {
		t.Errorf("%q", before)
	}
	if after[0] != before[0] || after[1] == before[1] || after[2] != before[2] || after[4] == before[4] {
		t.Errorf("with another quality in a/: %q, before %q", after, before)
	}
	if same := prints(`[{"prefix":"a/","quality":"avif=50"},{"prefix":"c/","skip":true}]`); same[1] != same[0] || same[2] != same[0] || same[4] == same[0] {
		t.Errorf("of profiles that change nothing: %q", same)
	}
	if none := prints(""); slices.ContainsFunc(none, func(print string) bool { return print != "03ffeb02a7b9" }) {
		t.Errorf("without profiles: %q", none)
	}
}

// All mistakes of one value are told at once, each with its place and what would be right.
func TestMistakesInProfiles(t *testing.T) {
	for value, want := range map[string][]string{
		`[]`:                       {`RESIZE_PROFILES: want a JSON array with at least one profile, such as [{"prefix":"avatars/"`},
		`{"prefix":""}`:            {`RESIZE_PROFILES: want a JSON array`},
		`null`:                     {`RESIZE_PROFILES: want a JSON array`},
		`[{"prefix":}]`:            {`RESIZE_PROFILES: at byte 12: invalid character '}'`, "want a JSON array"},
		"[{\"prefix\":\"\xe9/\"}]": {"RESIZE_PROFILES: want UTF-8"},
		`[] []`:                    {`RESIZE_PROFILES: at byte 4: `},
		`[null, "a/", {"prefix":"a/","skip":1,"skip":true,"sizes":"s=1","sizes":"a=0","quality":75,"formats":["webp"],"Quality":"75","max_bytes":"1","metrics":1,"effort":""},
			{"prefix":"","key_template":"{key}"}, {"prefix":"a/"}, {"prefix":null}, {"sizes":"a=1,a-b=2"}, {"prefix":"é` + strings.Repeat("x", 1023) + `","profiles":"[]"}]`: {
			`RESIZE_PROFILES[0]: want an object`, `RESIZE_PROFILES[1]: want an object`,
			`RESIZE_PROFILES[2].skip: 1: want true or false`, `RESIZE_PROFILES[2].skip: it is there twice`, `RESIZE_PROFILES[2].sizes: it is there twice`, `RESIZE_PROFILES[2].skip: want no settings beside it`,
			`RESIZE_PROFILES[2].sizes: "a=0": want a width`, `RESIZE_PROFILES[2].quality: 75: want a string`, `RESIZE_PROFILES[2].formats: [\"webp\"]: want a string`,
			`RESIZE_PROFILES[2].Quality: there is no such setting; want of prefix, skip, sizes, formats, quality`,
			`RESIZE_PROFILES[2].max_bytes: RESIZE_MAX_BYTES is for all of the function; want of prefix, skip, sizes`, `RESIZE_PROFILES[2].metrics: RESIZE_METRICS is`,
			`RESIZE_PROFILES[2].effort: "": want a value`, `RESIZE_PROFILES[3].prefix: want what the keys begin with`, `RESIZE_PROFILES[3].key_template: "{key}": want {size} once`,
			`RESIZE_PROFILES[4].prefix: "a/" is that of RESIZE_PROFILES[2] too`, `RESIZE_PROFILES[5].prefix: null: want a string`, `RESIZE_PROFILES[6].prefix: want what the keys begin with`,
			`RESIZE_PROFILES[7].prefix: it has 1025 bytes; want at most 1024`, `RESIZE_PROFILES[7].profiles: RESIZE_PROFILES is for all of the function`,
		},
		`[{"prefix":"a/","sizes":"a=1,a-b=2"}]`: {`RESIZE_PROFILES[0].sizes: with the key_template "{size}-{key}": with the sizes "a" and "a-b" two sources could`},
	} {
		_, err := Load([]string{"RESIZE_PROFILES=" + value})
		if err == nil {
			t.Errorf("%s is taken", value)
			continue
		}
		checkMistakes(t, err)
		lines := strings.Split(err.Error(), "\n")
		if len(want) > 2 && len(lines) != len(want) {
			t.Errorf("%d mistakes, want %d:\n%v", len(lines), len(want), err)
		}
		for _, mistake := range want {
			if !strings.Contains(err.Error(), mistake) {
				t.Errorf("the error does not have %s:\n%v", mistake, err)
			}
		}
	}
	_, err := Load([]string{"RESIZE_QUALITY=0", `RESIZE_PROFILES=[{"prefix":"a/","quality":"0"}]`})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("with a mistake beside them: %v", err)
	}
}

// What a profile may have are the settings that the fingerprint tells of, by themselves: a setting that comes later is one too.
func TestAProfileMayHaveWhatDecidesWhatARenditionIs(t *testing.T) {
	values := map[string]string{
		"RESIZE_SIZES": "a=1", "RESIZE_FORMATS": "webp", "RESIZE_QUALITY": "1", "RESIZE_EFFORT": "1", "RESIZE_KEY_TEMPLATE": "{size}/{key}", "RESIZE_CACHE_CONTROL": "no-store",
		"RESIZE_BACKGROUND": "black", "RESIZE_ON_TRUNCATED": "accept", "RESIZE_COPY": "tags",
	}
	for _, row := range Table {
		value := values[row.Name]
		s, err := Load([]string{`RESIZE_PROFILES=[{"prefix":"a/","` + inProfile(row.Name) + `":"` + value + `"}]`})
		if may := row.decides != nil; may != (value != "") || may != (err == nil) || may && s.Fingerprints()("a/x") == s.Fingerprint() {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

func TestWhatLambdaHasNoRoomForIsToldBefore(t *testing.T) {
	environ := []string{"PATH=/bin", "RESIZE_SIZES=", "RESIZE_CACHE_CONTROL=a<b", "RESIZE_PROFILES= [ {\"prefix\": \"a b/\",\n\"skip\":true}\n]"}
	if packed, err := PackedProfiles(environ); err != nil || packed != `[{"prefix":"a b/","skip":true}]` {
		t.Errorf("%s, %v", packed, err)
	}
	of := func(length int) error {
		_, err := PackedProfiles([]string{`RESIZE_PROFILES=[{"prefix":"` + strings.Repeat("x", length) + `"}]`})
		return err
	}
	most := 4096 - len(`{"RESIZE_PROFILES":"[{\"prefix\":\"\"}]"}`)
	if err := of(most); err != nil {
		t.Error(err)
	}
	if err := of(most + 1); err == nil || !strings.Contains(err.Error(), "4097 bytes") {
		t.Error(err)
	}
}

// Random profiles: where none is noted, no two sources have a rendition of one name.
func TestNamesThatAreNotNotedNeverMeet(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	one := func(from ...string) string { return from[random.IntN(len(from))] }
	text := func() (text string) {
		for range random.IntN(6) {
			text += one("a", "b", "-", ".", "/")
		}
		return text
	}
	apart, together := 0, 0
	for range 1500 {
		profile := func() string {
			return fmt.Sprintf(`{"prefix":"%s","sizes":"%s","key_template":"%s"}`, text()+one("a", "b/"), one("a=1", "b=1", "a-a=1", "a=1,b=2"),
				one("{size}-{key}", "{size}-{key}", "{size}/{key}", "{key}-{size}", "{dir}{size}-{name}{ext}", "{dir}{name}-{size}{ext}", "b/{dir}{name}-{size}{ext}"))
		}
		s, err := Load([]string{"RESIZE_SIZES=" + one("a=1", "b=1", "a-b=1"), "RESIZE_KEY_TEMPLATE=" + one("{size}-{key}", "{size}/{key}"), "RESIZE_PROFILES=[" + profile() + "," + profile() + "]"})
		if err != nil {
			continue
		}
		owner := map[string]string{}
		for range 200 {
			key := text() + one("", s.Profiles[0].Prefix, s.Profiles[1].Prefix) + text()
			for _, size := range s.For(key).Sizes {
				made, of := s.For(key).Key.For(key, size.Name, ""), size.Name+" of "+key
				other, taken := owner[made]
				owner[made] = of
				if !taken || other == of {
					continue
				}
				together++
				_, otherKey, _ := strings.Cut(other, " of ")
				if !s.For(key).NamesMayMeet || !s.For(otherKey).NamesMayMeet {
					t.Fatalf("%q is the %s and the %s, with %s %v, %s %v", made, of, other, s.For(key).Key, s.For(key).Sizes, s.For(otherKey).Key, s.For(otherKey).Sizes)
				}
			}
		}
		if !s.NamesMayMeet && !s.Profiles[0].NamesMayMeet && !s.Profiles[1].NamesMayMeet {
			apart++
		}
	}
	if t.Logf("%d apart, %d names met", apart, together); apart < 100 || together < 20 {
		t.Error("that shows little")
	}
}

func TestWhereTheNamesOfTwoProfilesMayMeet(t *testing.T) {
	for name, c := range map[string]struct {
		profiles string
		meet     bool
	}{
		"other sizes":                       {`[{"prefix":"a/","sizes":"avatar=1,small=2"},{"prefix":"b/","skip":true}]`, false},
		"a size that begins like another":   {`[{"prefix":"a/","sizes":"small-er=1"}]`, true}, // of x/y, and small of er-x/y
		"a folder for itself":               {`[{"prefix":"a/","key_template":"tiny/{size}/{key}"}]`, false},
		"a folder that begins like a size":  {`[{"prefix":"a/","key_template":"small-{key}/{size}"}]`, true},
		"beside the source":                 {`[{"prefix":"a/","key_template":"{dir}{name}-{size}{ext}"}]`, false},
		"beside one that begins so":         {`[{"prefix":"small-a/","key_template":"{dir}{name}-{size}{ext}"}]`, true},
		"two of them, apart":                {`[{"prefix":"a/","key_template":"{dir}{name}-{size}{ext}"},{"prefix":"b/","key_template":"{key}@{size}"}]`, false},
		"two of them, one within the other": {`[{"prefix":"a/","key_template":"{dir}{name}-{size}{ext}"},{"prefix":"a/b/","key_template":"{key}@{size}"}]`, true},
	} {
		s, err := Load([]string{"RESIZE_PROFILES=" + c.profiles})
		if err != nil {
			t.Fatal(err)
		}
		noted := s.NamesMayMeet || slices.ContainsFunc(s.Profiles, func(p *Settings) bool { return p.NamesMayMeet })
		if noted != c.meet {
			t.Errorf("%s: %v", name, noted)
		}
	}
}
