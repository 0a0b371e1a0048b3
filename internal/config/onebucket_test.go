package config

import (
	"strings"
	"testing"
)

func TestSettingsThatDoNotGoTogether(t *testing.T) {
	const oneBucket = "RESIZE_DEST_BUCKET={bucket}\x00RESIZE_KEY_TEMPLATE=resized/{size}/{key}\x00"
	for environ, want := range map[string]string{
		"RESIZE_DEST_BUCKET={bucket}": "RESIZE_DEST_BUCKET, RESIZE_KEY_TEMPLATE: in one bucket renditions need a folder",
		"RESIZE_DEST_BUCKET={bucket}\x00RESIZE_KEY_TEMPLATE=resized-{size}/{key}":                                                                       "has to begin with one",
		"RESIZE_ORIGINAL=delete\x00RESIZE_RECORD=off":                                                                                                   "RESIZE_ORIGINAL, RESIZE_RECORD: want the record on",
		"RESIZE_DEST_BUCKET={bucket}\x00RESIZE_KEY_TEMPLATE=resized/{size}/{key}":                                                                       "",
		"RESIZE_DEST_BUCKET={bucket}\x00RESIZE_KEY_TEMPLATE=a/b/r-{size}{dir}{name}{ext}":                                                               "",
		oneBucket + `RESIZE_PROFILES=[{"prefix":"b/","key_template":"others/{size}/{key}"}]`:                                                            `the key_template of the profile "b/", which is "others/{size}/{key}", has to begin with it`,
		oneBucket + `RESIZE_PROFILES=[{"prefix":"b/","key_template":"{size}-{key}"}]`:                                                                   "begins as RESIZE_KEY_TEMPLATE does, with resized/",
		"RESIZE_DEST_BUCKET={bucket}\x00RESIZE_KEY_TEMPLATE=a/r-{size}/{key}\x00RESIZE_PROFILES=" + `[{"prefix":"b/","key_template":"a/{size}/{key}"}]`: "with a/r-: the key_template",
		oneBucket + `RESIZE_PROFILES=[{"prefix":"b/","key_template":"resized/b/{size}/{key}"},{"prefix":"raw/","skip":true}]`:                           "",
	} {
		_, err := Load(strings.Split(environ, "\x00"))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", environ, err, want)
		}
	}
}

func TestWhatIsNoSource(t *testing.T) {
	s, err := Load([]string{"RESIZE_DEST_BUCKET=photos", "RESIZE_KEY_TEMPLATE=a/b/r-{size}/{key}"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"cat.jpg": "", "a/cat.jpg": "", "a/b": "", "a/b/": "a/b/", "a/b/r-small/cat.jpg": "a/b/", "a/b/cat.jpg": "a/b/", "c/a/b/cat.jpg": "",
		".s3resizer/cat.jpg.json": ".s3resizer/", ".s3resizer-slow/cat.jpg": ".s3resizer-slow/", ".s3resizer": "",
	} {
		if got := s.Output("photos", key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
		if got := s.Output("others", key); got != "" {
			t.Errorf("%s of another bucket: %q", key, got)
		}
	}
}
