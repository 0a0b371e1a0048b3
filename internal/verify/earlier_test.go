package verify_test

import (
	"regexp"
	"strings"
	"testing"

	"s3resizer/internal/verify"
	"s3resizer/s3io"
)

// A bucket that the first release has made is read as it is: its fingerprints are of another kind, and its records do not
// tell of alpha. All that is found is that it was made under other settings, and making it anew mends that.
func TestABucketOfTheFirstRelease(t *testing.T) {
	m := three(t)
	alpha := regexp.MustCompile(`"alpha":(true|false),`)
	for key := range m.objects[destination] {
		m.change(t, key, func(u *s3io.Upload) {
			u.Metadata["s3resizer-settings"] = "cac19bc709e9" // of the defaults
			if strings.HasPrefix(key, ".s3resizer/") {
				u.Data = alpha.ReplaceAll(u.Data, nil)
			}
		})
	}
	got, v := found(t, verify.Options{Store: m, Settings: settings(t), Decode: true})
	want(t, got,
		"older-settings .s3resizer/a.png.json", "older-settings s-a.png", "older-settings m-a.png",
		"older-settings .s3resizer/b/c.png.json", "older-settings s-b/c.png", "older-settings m-b/c.png",
		"older-settings .s3resizer/d.png.json", "older-settings s-d.png", "older-settings m-d.png",
		"older-settings .s3resizer/notes.txt.json")
	if p := v.Progress(); p.Broken != 4 {
		t.Errorf("%+v", p)
	}
	for key := range m.objects[source] {
		m.resize(t, settings(t), key)
	}
	got, _ = found(t, verify.Options{Store: m, Settings: settings(t), Decode: true})
	want(t, got)
}
