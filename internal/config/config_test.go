package config

import (
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"s3resizer/resize"
)

func TestDefaults(t *testing.T) {
	s, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []resize.Size{{Name: "small", Width: 368}, {Name: "medium", Width: 720}, {Name: "large", Width: 1440}}; !reflect.DeepEqual(s.Sizes, want) {
		t.Errorf("sizes %v, want %v", s.Sizes, want)
	}
	if s.MaxBytes != 128<<20 || s.Limits.MaxPixels != 150_000_000 || s.Limits.MaxFrames != 500 || s.Limits.MaxMemory < 1<<20 || s.Processors < 1 || s.DeadlineMargin != 500*time.Millisecond {
		t.Errorf("limits %+v, %d bytes, margin %v", s.Limits, s.MaxBytes, s.DeadlineMargin)
	}
	if got := s.DestBucket.For("holiday"); got != "holiday-resized" {
		t.Errorf("destination bucket %q", got)
	}
	if got := s.Key.For("photos/cat.jpg", "small", ""); got != "small-photos/cat.jpg" {
		t.Errorf("key %q", got)
	}
	if !s.Record || !s.Metrics || s.LogLevel != slog.LevelInfo || s.Background != (resize.Color{R: 255, G: 255, B: 255}) {
		t.Errorf("record %v, metrics %v, log level %v, background %v", s.Record, s.Metrics, s.LogLevel, s.Background)
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := Load([]string{
		"PATH=/bin", "RESIZE_SIZES=small=0", "RESIZE_FORMATS=jpeg,bmp", "RESIZE_QUALITY=200", "RESIZE_QUALTY=80",
		"RESIZE_KEY_TEMPLATE={key}", "RESIZE_MAX_BYTES=many", "RESIZE_BUCKET_OWNER=me", "RESIZE_LOG_LEVEL=loud", "RESIZE_METRICS=yes", "RESIZE_RECORD=no",
		"RESIZE_CACHE_CONTROL=no-store\nX-Evil: 1", "RESIZE_ON_TRUNCATED=sometimes", "RESIZE_EFFORT=png=3",
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`RESIZE_SIZES="small=0"`, `RESIZE_FORMATS="jpeg,bmp"`, `"bmp"`, `RESIZE_QUALITY="200"`, "RESIZE_QUALTY is not a setting",
		`RESIZE_KEY_TEMPLATE="{key}"`, "{size} once", `RESIZE_MAX_BYTES="many"`, `RESIZE_BUCKET_OWNER="me"`, "12 digits", `RESIZE_LOG_LEVEL="loud"`, `"debug", "info"`, `RESIZE_METRICS="yes": want "on" or "off"`, `RESIZE_RECORD="no"`, "RESIZE_CACHE_CONTROL",
		`RESIZE_EFFORT="png=3": want a number from 1 to 9`,
		`RESIZE_ON_TRUNCATED="sometimes": want "reject" or "accept"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %s:\n%v", want, err)
		}
	}
}

func TestEffort(t *testing.T) {
	for value, want := range map[string]resize.Effort{
		"": {WebP: 2, AVIF: 2, GIF: 4}, "9": {WebP: 6, AVIF: 9, GIF: 9}, "avif=1, gif=7": {WebP: 2, AVIF: 1, GIF: 7},
	} {
		s, err := Load([]string{"RESIZE_EFFORT=" + value})
		if err != nil || s.Spec().Effort != want {
			t.Errorf("%q: %+v, %v, want %+v", value, s.Spec().Effort, err, want)
		}
	}
	for _, value := range []string{"0", "10", "avif", "avif=", "avif=0", "3,4", "jpeg=3"} {
		if _, err := Load([]string{"RESIZE_EFFORT=" + value}); err == nil {
			t.Errorf("%q is taken", value)
		}
	}
}

func TestValues(t *testing.T) {
	s, err := Load([]string{
		"RESIZE_QUALITY=jpeg=75,avif=40", "RESIZE_BACKGROUND=#102030", "RESIZE_FORMATS=source, webp", "RESIZE_MAX_BYTES=1GiB",
		"RESIZE_KEY_TEMPLATE={dir}{name}-{size}{ext}", "RESIZE_DEST_BUCKET=thumbs.{bucket}", "RESIZE_RECORD=off", "RESIZE_BUCKET_OWNER=any",
		"RESIZE_METRICS=off", "RESIZE_LOG_LEVEL=Warn",
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Quality != (resize.Quality{JPEG: 75, WebP: 80, AVIF: 40}) || s.Background != (resize.Color{R: 16, G: 32, B: 48}) || s.MaxBytes != 1<<30 {
		t.Errorf("quality %+v, background %v, %d bytes", s.Quality, s.Background, s.MaxBytes)
	}
	if s.Metrics || s.LogLevel != slog.LevelWarn {
		t.Errorf("metrics %v, log level %v", s.Metrics, s.LogLevel)
	}
	if s.Record || s.BucketOwner != AnyOwner || s.DestBucket.For("b") != "thumbs.b" {
		t.Errorf("record %v, owner %q, bucket %q", s.Record, s.BucketOwner, s.DestBucket.For("b"))
	}
	for key, want := range map[string]string{"a/b c.tar.gz": "a/b c.tar-x.gz", "plain": "plain-x", "d/": "d/-x", ".hidden": "-x.hidden"} {
		if got := s.Key.For(key, "x", ""); got != want {
			t.Errorf("key of %q is %q, want %q", key, got, want)
		}
	}
	if got := s.Key.For("a.heic", "small", ".jpg"); got != "a-small.heic.jpg" {
		t.Errorf("an extension that differs is appended: got %q", got)
	}
}

func TestWhatTravels(t *testing.T) {
	for value, want := range map[string]Copy{
		"": {}, "tags": {Tags: true}, "copyright, metadata": {Copyright: true, Metadata: true}, "content-disposition,copyright,metadata,tags": {true, true, true, true},
	} {
		s, err := Load([]string{"RESIZE_COPY=" + value})
		if err != nil || s.Copy != want || s.Spec().Credit != want.Copyright {
			t.Errorf("%q: %+v, %v", value, s.Copy, err)
		}
	}
	for _, value := range []string{"exif", "tags,", "tags,tags", "all", "Metadata", "metadata tags", "nothing"} {
		if _, err := Load([]string{"RESIZE_COPY=" + value}); err == nil || !strings.Contains(err.Error(), "want a comma list of metadata, tags, content-disposition and copyright, each once at most") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// A set that is complete under the default stays so when the setting comes; one that may have grey in it is another.
func TestTheValuesInForce(t *testing.T) {
	values := Values([]string{"RESIZE_FORMATS=webp", "RESIZE_SIZES=", "HOME=/"})
	if values["RESIZE_FORMATS"] != "webp" || values["RESIZE_SIZES"] != "small=368,medium=720,large=1440" || values["HOME"] != "" {
		t.Errorf("%v", values)
	}
}

func TestTheFingerprintTellsWhetherCutPicturesAreAccepted(t *testing.T) {
	prints := map[string]string{}
	for _, environ := range []string{"", "RESIZE_ON_TRUNCATED=reject", "RESIZE_ON_TRUNCATED=accept"} {
		s, err := Load([]string{environ})
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.HasSuffix(environ, "accept"); s.AcceptTruncated != want || s.Spec().AcceptTruncated != want {
			t.Errorf("%s: %v", environ, s.AcceptTruncated)
		}
		prints[environ] = s.Fingerprint()
	}
	if prints["RESIZE_ON_TRUNCATED=reject"] != prints[""] || prints["RESIZE_ON_TRUNCATED=accept"] == prints[""] {
		t.Errorf("%v", prints)
	}
}

func TestLogLevelsAreTheFourThatLinesHave(t *testing.T) {
	for _, value := range []string{"debug", "INFO", "warn", "Error"} {
		if s, err := Load([]string{"RESIZE_LOG_LEVEL=" + value}); err != nil || !strings.EqualFold(s.LogLevel.String(), value) {
			t.Errorf("%s: %v, %v", value, s.LogLevel, err)
		}
	}
	for _, value := range []string{"info+1", "warn-4", "info+0", "0", "warning"} {
		if _, err := Load([]string{"RESIZE_LOG_LEVEL=" + value}); err == nil {
			t.Errorf("%s is accepted", value)
		}
	}
}

func TestAmbiguousNamesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		sizes, template string
		ok              bool
	}{
		"a size that begins like another":    {"a=1,a-b=2", "{size}-{key}", false},
		"a slash tells them apart":           {"a=1,a-b=2", "{size}/{key}", true},
		"a common end does not matter there": {"small=1,xsmall=2", "{size}-{key}", true},
		"but does behind the name":           {"small=1,xsmall=2", "{dir}{name}{size}{ext}", false},
		"unless something stands between":    {"small=1,xsmall=2", "{dir}{name}-{size}{ext}", true},
		"a size that is an extension":        {"a=1,jpg=2", "{key}.{size}", false}, // x.a.jpg: a of x, jpg of x.a
		"told from it by what follows":       {"a=1,jpg=2", "{key}.{size}.x", true},
		"the size behind the directory":      {"a=1,a-b=2", "{dir}{size}-{name}{ext}", false},
		"the name alone":                     {"a=1,b=2", "{size}-{name}", false},
		"the parts in another order":         {"a=1,b=2", "{size}{name}{dir}{ext}", false},
		"no size":                            {"a=1", "{key}", false},
		"an unknown part":                    {"a=1", "{size}{key}{width}", false},
		"a way out of the folder":            {"a=1", "../{size}-{key}", false},
		"a brace of its own":                 {"a=1", "{size}{{key}", false},
	} {
		_, err := Load([]string{"RESIZE_SIZES=" + c.sizes, "RESIZE_KEY_TEMPLATE=" + c.template})
		if (err == nil) != c.ok {
			t.Errorf("%s: %s with %s: %v", name, c.template, c.sizes, err)
		}
	}
}

// Random sizes, templates and keys: of those that are accepted, no two (source, size) pairs share a name.
func TestAcceptedTemplatesNeverCollide(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, most int) string {
		var b strings.Builder
		for range random.IntN(most + 1) {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	accepted := 0
	for range 3000 {
		parts := []string{"{key}"}
		if random.IntN(2) == 0 {
			parts = []string{"{dir}", "{name}", "{ext}"}
		}
		at := random.IntN(len(parts) + 1)
		parts = append(parts[:at:at], append([]string{"{size}"}, parts[at:]...)...)
		template := text("a-./", 2)
		for _, part := range parts {
			template += part + text("a-./", 2)
		}
		s, err := Load([]string{"RESIZE_KEY_TEMPLATE=" + template, "RESIZE_SIZES=a=1,a-a=2,b=3,-b=4"[:len("RESIZE_SIZES=a=1,a-a=2")+random.IntN(2)*9]})
		if err != nil {
			continue
		}
		accepted++
		owner := map[string]string{}
		for range 300 {
			key := text("a-b./", 6)
			for _, size := range s.Sizes {
				made, of := s.Key.For(key, size.Name, ""), size.Name+" of "+key
				if other, taken := owner[made]; taken && other != of {
					t.Fatalf("template %q: %q is the %q and the %q", template, made, of, other)
				}
				owner[made] = of
			}
		}
	}
	if accepted < 100 {
		t.Errorf("only %d templates were accepted: the test shows little", accepted)
	}
}

func TestWhereRenditionsAreListed(t *testing.T) {
	for template, want := range map[string]struct {
		before string // of the size a
		only   bool
		folder string // of the prefix x/y
	}{
		"{size}-{key}":            {"a-", true, ""},
		"{size}{dir}{name}{ext}":  {"a", true, ""},
		"t/{size}/{key}":          {"t/a/", true, ""},
		"{size}/{key}/picture":    {"a/", false, ""},
		"{dir}{size}-{name}{ext}": {"a-", false, "x/"},
		"{dir}{name}-{size}{ext}": {"-a", false, "x/"},
		"thumbs/{key}/{size}":     {"/a", false, "thumbs/x/"},
	} {
		s, err := Load([]string{"RESIZE_KEY_TEMPLATE=" + template, "RESIZE_SIZES=a=1"})
		if err != nil {
			t.Fatal(err)
		}
		before, only := s.Key.Before("a")
		if only != want.only || only && before != want.before {
			t.Errorf("%s: %q, %v", template, before, only)
		}
		if folder := s.Key.Folder("x/y"); folder != want.folder {
			t.Errorf("%s: the folder is %q", template, folder)
		}
		if output := s.Key.For("x/y.png", "a", ""); !strings.HasPrefix(output, want.folder) || only && output != before+"x/y.png" {
			t.Errorf("%s: %q", template, output)
		}
	}
}
