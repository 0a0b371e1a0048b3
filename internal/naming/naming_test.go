package naming

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// keys has what a key may be, and a thousand random ones: spaces, plus, percent, control characters, letters of every
// script, up to 1,024 bytes.
func keys() []string {
	all := []string{
		"a", "a b+c", "100%", "a%20b%2Fc%zz", "a?b=c&d=e;f#g", `it's "so"`, `a\b`, "a*b|c<d>e$f`g!h(i)[j]{k}^l~m", "\u00e9/e\u0301", "\U0001F469\u200D\U0001F680",
		"\x00\x01\x7f\u0085\u2028", "\t\n\r", "/a", "//a//", "../../a", ".", "..", ".s3resizer/a.json", strings.Repeat("ü", 512), ":a", "s3://b/k",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var b strings.Builder
		for range 1 + random.IntN(300) {
			r := rune(random.IntN(0x250))
			if random.IntN(8) == 0 {
				r = rune(random.IntN(utf8.MaxRune))
			}
			if utf8.ValidRune(r) && b.Len()+utf8.RuneLen(r) <= MaxKey {
				b.WriteRune(r)
			}
		}
		all = append(all, b.String()+"x")
	}
	return all
}

// Every encoding gives the key back, in every way in which S3 and those who read it decode it.
func TestEncodingsComeBack(t *testing.T) {
	for _, key := range keys() {
		if got, err := FromForm(Form(key)); err != nil || got != key {
			t.Errorf("form %q: %q, %v", key, got, err)
		}
		form, err1 := FromForm(Percent(key))
		path, err2 := url.PathUnescape(Percent(key))
		if err1 != nil || err2 != nil || form != key || path != key {
			t.Errorf("percent %q: %q as a form, %v; %q as a path, %v", key, form, err1, path, err2)
		}
		if got := FromURL("photos", URL("photos", key)); got != key {
			t.Errorf("URL %q: %q", key, got)
		}
		if other := FromURL("photo", URL("photos", key)); other != "" {
			t.Errorf("URL %q is of another bucket: %q", key, other)
		}
		for encoding, text := range map[string]string{"form": Form(key), "percent": Percent(key), "URL": URL("photos", key)} {
			if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) || strings.Contains(text, "#") {
				t.Errorf("%s of %q is no plain ASCII: %q", encoding, key, text)
			}
			if encoding != "URL" && strings.ContainsAny(text, ",") {
				t.Errorf("%s of %q has a comma: %q", encoding, key, text)
			}
		}
	}
}

func TestRecordsComeBack(t *testing.T) {
	for _, key := range keys() {
		if got := Recorded(Record(key)); got != key || Reserved(Record(key)) != Records || Reserved(SlowNote(key)) != SlowNotes {
			t.Errorf("%q: %q", key, got)
		}
		if HasRecord(key) != (len(Record(key)) <= MaxKey) {
			t.Errorf("%q", key)
		}
	}
	for _, other := range []string{"", "a.json", ".s3resizer/a", "small-a.jpg"} {
		if got := Recorded(other); got != "" {
			t.Errorf("%q is the record of %q", other, got)
		}
	}
}

// Two of (key, size, extension) that differ have keys that differ, and each has its parts in it.
func TestEveryRenditionHasItsKey(t *testing.T) {
	for _, template := range []string{"{size}-{key}", "t/{size}/{key}", "{dir}{name}-{size}{ext}", "{dir}{size}/{name}{ext}"} {
		parsed, err := ParseKey(template)
		if err != nil || parsed.String() != template {
			t.Fatalf("%s: %v, %v", template, parsed, err)
		}
		of := map[string]string{}
		for _, key := range keys() {
			for _, size := range []string{"small", "large"} {
				made := parsed.For(key, size, "")
				if other, taken := of[made]; taken && other != size+" of "+key {
					t.Errorf("%s: %q is the %s of %q, and the %s", template, made, size, key, other)
				}
				of[made] = size + " of " + key
				if parsed.For(key, size, ".jpg") != made+".jpg" || len(made) < len(key)+len(size) {
					t.Errorf("%s: %q of %q", template, made, key)
				}
			}
		}
	}
}
