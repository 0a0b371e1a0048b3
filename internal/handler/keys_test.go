package handler_test

import (
	"net/url"
	"strings"
	"testing"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/report"
	"s3resizer/s3io"
)

// Every key that S3 takes comes back out of the event as it was, and ends in three renditions beside its record.
func TestEveryKeyIsTakenAsItIs(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_SIZES=small=40")
	picture := photo(t, 60, 40, 1)
	for name, key := range map[string]string{
		"no suffix":             "picture",
		"spaces and pluses":     "a b+c  d++.jpg",
		"percent signs":         "100%.jpg",
		"an escape as it looks": "a%20b%2Fc%zz.jpg",
		"a query":               "a?b=c&d=e;f#g.jpg",
		"quotes":                `it's "so".jpg`,
		"a backslash":           `a\b.jpg`,
		"shell's favourites":    "a*b|c<d>e$f`g!h(i)[j]{k}^l~m.jpg",
		"composed":              "caf\u00e9.jpg",
		"decomposed":            "cafe\u0301.jpg",
		"four bytes a letter":   "\U0001F469\u200D\U0001F680/\U0001F305.jpg",
		"right to left":         "\u05ea\u05de\u05d5\u05e0\u05d4/\u0635\u0648\u0631\u0629.jpg",
		"invisible ones":        "a\u200bb\u2028c\u00a0d\ufeffe.jpg",
		"a tab and a newline":   "a\tb\nc.jpg",
		"a leading slash":       "/a.jpg",
		"empty folders":         "a//b///c.jpg",
		"up and away":           "../../a.jpg",
		"up in the middle":      "a/../b/./c.jpg",
		"dots alone":            "..",
		"a rendition's name":    "small-a.jpg",
		"a record's name":       ".s3resizer/a.jpg.json",
		"as long as goes":       strings.Repeat("k", 1024-len(".s3resizer/.json")),
	} {
		t.Run(name, func(t *testing.T) {
			result := one(t, h, b.upload(t, key, picture))
			if result.Status != report.Resized || result.Source.Key != key {
				t.Fatalf("%+v", result)
			}
			info, _ := b.get(t, "photos-resized", "small-"+key)
			if source := info.Metadata["s3resizer-source"]; source != "s3://photos/"+(&url.URL{Path: key}).EscapedPath() {
				t.Errorf("its rendition says it is of %s", source)
			}
			b.get(t, "photos-resized", ".s3resizer/"+key+".json")
		})
	}
}

// S3 allows a key 1,024 bytes, and what is made of an upload has a longer name than it.
func TestAKeyThatLeavesNoRoom(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("ü", 508) + ".jpg" // 1,020 bytes
	event := b.upload(t, long, photo(t, 60, 40, 1))
	for name, c := range map[string]struct {
		settings string
		want     string
	}{
		"its renditions'":      {"RESIZE_RECORD=on", "medium-"},
		"without a record too": {"RESIZE_RECORD=off", "medium-"},
		"its record's":         {"RESIZE_KEY_TEMPLATE={dir}{size}{name}{ext}", ".s3resizer/"},
	} {
		t.Run(name, func(t *testing.T) {
			sizes := "RESIZE_SIZES=medium=40"
			if name == "its record's" {
				sizes = "RESIZE_SIZES=m=40"
			}
			result := one(t, b.handler(t, b, c.settings, sizes), event)
			if result.Status != report.Rejected || result.Class != "key-too-long" || !strings.Contains(result.Reason, c.want) || !strings.Contains(result.Reason, "1024") {
				t.Errorf("%+v", result)
			}
		})
	}
	if r := one(t, b.handler(t, b, "RESIZE_RECORD=off", "RESIZE_SIZES=m=40"), event); r.Status != report.Resized {
		t.Errorf("with room for its renditions and no record: %+v", r)
	}
}

// With these templates a rendition could have the name of another upload's record.
func TestRenditionsStayOutOfTheRecords(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, ".s3resizer/a.json", photo(t, 60, 40, 1))
	r := one(t, b.handler(t, b, "RESIZE_KEY_TEMPLATE={dir}{name}-{size}{ext}"), event)
	if r.Status != report.Rejected || r.Class != "reserved-key" || !strings.Contains(r.Reason, ".s3resizer/") {
		t.Errorf("%+v", r)
	}
	event = b.upload(t, "x.json", photo(t, 60, 40, 1))
	if r := one(t, b.handler(t, b, "RESIZE_KEY_TEMPLATE=.s3resizer/{size}-{key}"), event); r.Class != "reserved-key" {
		t.Errorf("%+v", r)
	}
}

// The templates of two profiles, or one with the sizes of both, may give two sources one name. Which comes second is told.
func TestNamesThatTwoProfilesShare(t *testing.T) {
	b := newBench(t)
	for name, profiles := range map[string]string{
		"by sizes":     `RESIZE_PROFILES=[{"prefix":"p/","sizes":"other=20,small-er=30"}]`,
		"by templates": `RESIZE_PROFILES=[{"prefix":"small-er-p/","key_template":"{dir}{name}{ext}/{size}"}, {"prefix":"p/","sizes":"other=20,small-er=30"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			h := b.handler(t, b, "RESIZE_SIZES=small=40", profiles)
			first := b.upload(t, "er-p/x.jpg", photo(t, 60, 40, 1))
			if r := one(t, h, first); r.Status != report.Resized || r.Renditions[0].Key != "small-er-p/x.jpg" {
				t.Fatalf("%+v", r)
			}
			r := one(t, h, b.upload(t, "p/x.jpg", photo(t, 60, 40, 2)))
			if r.Status != report.Rejected || r.Class != "key-taken" || !strings.Contains(r.Reason, "s3://photos/er-p/x.jpg") {
				t.Errorf("the second: %+v", r)
			}
			if r := one(t, h, first); r.Status != report.Resized && r.Status != report.Superseded {
				t.Errorf("the first, again: %+v", r)
			}
			if r := one(t, h, b.upload(t, "p/y.jpg", photo(t, 60, 40, 2))); r.Status != report.Resized || len(r.Renditions) != 2 {
				t.Errorf("another one: %+v", r)
			}
		})
	}
}

func TestABucketWithDots(t *testing.T) {
	checkLeaks(t)
	const bucket = "photos.example.com"
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{bucket, bucket + "-resized"}, Notify: []string{bucket}})
	b := &bench{s3io.New(cfg, s3io.Options{}), events}
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: bucket, Key: "a.jpg", Data: photo(t, 60, 40, 1)}); err != nil {
		t.Fatal(err)
	}
	if r := one(t, b.handler(t, b), <-events); r.Status != report.Resized || r.Renditions[0].Bucket != bucket+"-resized" {
		t.Errorf("%+v", r)
	}
}
