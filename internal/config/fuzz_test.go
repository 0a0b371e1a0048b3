package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"s3resizer/resize"
)

// Any environment gives settings that hold what their fields promise, or mistakes of one printable line each that name
// their variable. The entries are separated by NUL, as the system keeps them.
func FuzzSettings(f *testing.F) {
	for _, environ := range []string{
		"",
		"PATH=/bin\x00RESIZE_SIZES=small=0\x00RESIZE_FORMATS=jpeg,bmp\x00RESIZE_QUALTY=80\x00RESIZE_LOG_LEVEL=loud",
		"RESIZE_SIZES=a=1,b-2=16384\x00RESIZE_FORMATS=source, webp\x00RESIZE_QUALITY=jpeg=75,avif=40\x00RESIZE_BACKGROUND=#102030",
		"RESIZE_SIZES=a=x600:enlarge,card@2x=400x300:cover@top-left,b=1x1:cover@entropy:enlarge,c=9x8:contain",
		"RESIZE_KEY_TEMPLATE={dir}{name}-{size}{ext}\x00RESIZE_DEST_BUCKET=thumbs.{bucket}\x00RESIZE_RECORD=off\x00RESIZE_BUCKET_OWNER=123456789012",
		"RESIZE_MAX_BYTES=1GiB\x00RESIZE_MAX_PIXELS=9223372036854775807\x00RESIZE_MAX_FRAMES=1\x00RESIZE_DEADLINE_MARGIN=2s\x00RESIZE_LOG_LEVEL=debug",
		`RESIZE_PROFILES=[{"prefix":"a/","sizes":"a=1","key_template":"{size}/{key}"},{"prefix":"a/b/","skip":true}]`,
		"RESIZE_PROFILES=[{\"prefix\":\"\u200b\",\"\\u0000\":[\"\u2028\"],\"quality\":\"\\n\"},7]\x00RESIZE_QUALITY=0",
		"RESIZE_CACHE_CONTROL=public, max-age=31536000\x00RESIZE_QUALITY=100\x00RESIZE_SIZES=\x00=\x00RESIZE_",
	} {
		f.Add(environ)
	}
	f.Fuzz(func(t *testing.T, environ string) {
		s, err := Load(strings.Split(environ, "\x00"))
		if err != nil {
			checkMistakes(t, err)
			return
		}
		for _, one := range append(s.Profiles, &s) {
			checkSettings(t, *one)
			if one != s.For(one.Prefix) {
				t.Errorf("the profile %q is not that of its own prefix", one.Prefix)
			}
			if again, err := Load([]string{"RESIZE_SIZES=" + list(one.Sizes, resize.Size.String)}); err != nil || !slices.Equal(again.Sizes, one.Sizes) {
				t.Errorf("sizes %v are read as %v, %v", one.Sizes, again.Sizes, err)
			}
		}
		if again, err := Load(strings.Split(environ, "\x00")); err != nil || again.Fingerprint() != s.Fingerprint() {
			t.Errorf("loaded again: %v, fingerprint %s and %s", err, s.Fingerprint(), again.Fingerprint())
		}
	})
}

func checkMistakes(t *testing.T, err error) {
	t.Helper()
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("not a list of mistakes: %v", err)
	}
	for _, mistake := range joined.Unwrap() {
		text := mistake.Error()
		if !strings.HasPrefix(text, prefix) || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q does not name its variable, or can't be printed", text)
		}
	}
}

func checkSettings(t *testing.T, s Settings) {
	t.Helper()
	var names []string
	for _, size := range s.Sizes {
		width, height := size.Width, size.Height
		if size.Name == "" || min(width, height) < 0 || max(width, height) < 1 || max(width, height) > maxSide || slices.Contains(names, size.Name) {
			t.Errorf("sizes %v", s.Sizes)
		}
		names = append(names, size.Name)
	}
	formats := slices.Compact(slices.Sorted(slices.Values(s.Formats)))
	if len(names) == 0 || len(formats) == 0 || len(formats) != len(s.Formats) {
		t.Errorf("sizes %v, formats %v", s.Sizes, s.Formats)
	}
	for _, format := range formats {
		if !slices.Contains(resize.OutputFormats(), format) {
			t.Errorf("formats %v", s.Formats)
		}
	}
	for _, q := range []int{s.Quality.JPEG, s.Quality.WebP, s.Quality.AVIF} {
		if q < 1 || q > 100 {
			t.Errorf("quality %+v", s.Quality)
		}
	}
	if s.MaxBytes < 1 || s.Limits.MaxPixels < 1 || s.Limits.MaxFrames < 1 || s.DeadlineMargin < 0 || s.DeadlineMargin > time.Minute {
		t.Errorf("%d bytes, %+v, margin %v", s.MaxBytes, s.Limits, s.DeadlineMargin)
	}
	if strings.ContainsAny(s.CacheControl, "\r\n\x00") {
		t.Errorf("Cache-Control %q", s.CacheControl)
	}
	if bucket := s.DestBucket.For("photos"); bucket == "" || strings.ContainsAny(bucket, "/{}% ") {
		t.Errorf("destination bucket %q", bucket)
	}
}

// Where a template is accepted with its sizes, no two of (key, size, format) share a name, but for the one case that
// [KeyTemplate] tells of: a source that changes its format beside one that is named like the first one's rendition.
func FuzzKeyTemplate(f *testing.F) {
	f.Add("{size}-{key}", "small,medium,large", "photos/cat.jpg", "small-photos/cat.jpg")
	f.Add("{size}-{key}", "a,a-b", "b-x", "x")
	f.Add("{size}/{key}", "a,a-b", "x", "b/x")
	f.Add("{dir}{name}-{size}{ext}", "small,xsmall", "a/b c.tar.gz", "a/.hidden")
	f.Add("{dir}{size}/{name}{ext}", "a,b", "a/b", "a/a/b")
	f.Add("{dir}{name}{size}/{ext}", "a,ba", "x.png", "xb.png")
	f.Add("made/{key}.{size}", "a,jpg", "x", "x.a")
	f.Add("{key}@{size}.webp", "1x,2x", "여행/제주 바다.jpg", "a//b/../c")
	f.Fuzz(func(t *testing.T, template, names, keyA, keyB string) {
		var sizes []string
		for i, name := range strings.Split(names, ",") {
			sizes = append(sizes, fmt.Sprintf("%s=%d", name, i+1))
		}
		s, err := Load([]string{"RESIZE_KEY_TEMPLATE=" + template, "RESIZE_SIZES=" + strings.Join(sizes, ",")})
		if err != nil || keyA == "" || keyB == "" {
			return
		}
		type rendition struct {
			key, size string
			format    resize.Format // "" for that of the source
		}
		owners := map[string]rendition{}
		for _, key := range slices.Compact([]string{keyA, keyB}) {
			for _, size := range s.Sizes {
				for _, format := range []resize.Format{"", resize.JPEG, resize.PNG, resize.WebP, resize.AVIF} {
					made, of := s.Key.For(key, size.Name, format.Extension()), rendition{key, size.Name, format}
					if !strings.HasSuffix(made, format.Extension()) || !strings.Contains(made, size.Name) {
						t.Errorf("%q of %+v has not got its size or extension", made, of)
					}
					other, taken := owners[made]
					changed, kept := of, other
					if changed.format == "" {
						changed, kept = other, of
					}
					told := kept.format == "" && changed.size == kept.size
					if taken && !told {
						t.Errorf("template %q, sizes %v: %q is of %+v and of %+v", template, s.Sizes, made, other, of)
					}
					owners[made] = of
				}
			}
		}
	})
}
