package main_test

import (
	"slices"
	"testing"
)

// profiled gives the processes profiles, in the place of those of before.
func (b *bucketful) profiled(profiles string) {
	b.env = append(slices.Clone(b.env), "RESIZE_PROFILES="+profiles)
}

// One profile changes: what is under it is stale, and nothing else.
func TestBackfillAndVerifyByPrefix(t *testing.T) {
	b := newBucketful(t)
	for _, key := range []string{"a.jpg", "avatars/b.jpg", "avatars/c.jpg", "raw/d.jpg", "team/e.jpg"} {
		b.upload(t, key, jpegOf(t, 60, 40))
	}
	const skip = `{"prefix":"raw/","skip":true},{"prefix":"team/","key_template":"{dir}{name}@{size}{ext}"}]`
	b.profiled(`[{"prefix":"avatars/","sizes":"avatar=32"},` + skip)
	e := b.run(t, "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, `^Left alone, by a profile: s3://photos/raw/$`)
	wantLine(t, e.stdout, `^ +resized +4 `)
	b.wantSet(t, "a.jpg")
	for _, output := range []string{"avatar-avatars/b.jpg", "avatar-avatars/c.jpg", "team/e@large.jpg"} {
		if _, err := b.Head(t.Context(), "photos-resized", output); err != nil {
			t.Error(err)
		}
	}
	if reads := b.reads(); len(reads) != 4 || reads["raw/d.jpg"] != 0 {
		t.Errorf("it read %v", reads)
	}
	e = b.verify(t, "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +originals +4$`)
	wantLine(t, e.stdout, `^ +skipped by a profile +1$`)
	wantLine(t, e.stdout, `^ +renditions +8$`)

	b.profiled(`[{"prefix":"avatars/","sizes":"avatar=32","quality":"60"},` + skip)
	e = b.run(t, "--dry-run", "s3://photos")
	e.want(t, 0)
	wantLine(t, e.stdout, `^ +nothing to do +2 `)
	wantLine(t, e.stdout, `^ +to be resized +2 `)
	e = b.verify(t, "s3://photos", "--quick")
	e.want(t, 1)
	wantLine(t, e.stdout, `^older-settings +s3://photos-resized/.s3resizer/avatars/b\.jpg\.json: `)
	wantLine(t, e.stdout, `^ +older-settings +4$`)
	wantLine(t, e.stdout, `^ +findings +4$`)
	b.reads()
	b.run(t, "s3://photos/avatars/b").want(t, 0)
	wantLine(t, b.verify(t, "s3://photos", "--fix").stdout, `^Made anew: 1 set\.$`)
	if reads := b.reads(); len(reads) != 2 || reads["avatars/b.jpg"] != 1 || reads["avatars/c.jpg"] != 1 {
		t.Errorf("it read %v", reads)
	}
	b.verify(t, "s3://photos/avatars/").want(t, 0)
}

func TestSettingsOfAKey(t *testing.T) {
	profiles := []string{"RESIZE_QUALITY=70", `RESIZE_PROFILES=[{"prefix":"avatars/","quality":"avif=30"}, {"prefix":"raw/","skip":true}]`}
	for key, want := range map[string][]string{
		"avatars/a.jpg": {`avatars/a.jpg: in the profile of avatars/`, `RESIZE_QUALITY +avif=30  \(without the profile: 70\)`, `RESIZE_PROFILES +\[\{"prefix":"avatars/","quality":"avif=30"\},\{"prefix":"raw/"`},
		"raw/a.jpg":     {`raw/a.jpg: skipped, by the profile of raw/`},
		"a.jpg":         {`a.jpg: in no profile`, `RESIZE_QUALITY +70$`},
	} {
		e := finish(t, process(t, binary, t.TempDir(), profiles, "settings", "--key", key))
		e.want(t, 0)
		for _, line := range want {
			wantLine(t, e.stdout, `^`+line)
		}
	}
	one := append(slices.Clone(profiles), "RESIZE_DEST_BUCKET={bucket}", "RESIZE_KEY_TEMPLATE=avatars/r/{size}/{key}")
	wantLine(t, finish(t, process(t, binary, t.TempDir(), one, "settings", "--key", "avatars/r/small/a.jpg")).stdout, `^avatars/r/small/a\.jpg: no source, .* avatars/r/$`)
	e := finish(t, process(t, binary, t.TempDir(), profiles, "settings", "--fingerprint", "--key", "avatars/a.jpg"))
	e.want(t, 0)
	wantLine(t, e.stdout, `^RESIZE_QUALITY=avif=30,jpeg=70,webp=70$`)
	finish(t, process(t, binary, t.TempDir(), []string{`RESIZE_PROFILES=[{"prefix":"a/","quality":0}]`}, "settings")).
		want(t, 2, "RESIZE_PROFILES[0].quality: 0: want a string")
}

func TestDemoByPrefix(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "mine/avatars/a.jpg", jpegOf(t, 160, 100))
	write(t, dir, "mine/b.jpg", jpegOf(t, 160, 100))
	write(t, dir, "mine/raw/c.jpg", jpegOf(t, 160, 100))
	e := finish(t, process(t, binary, dir, []string{`RESIZE_PROFILES=[{"prefix":"avatars/","sizes":"avatar=64"},{"prefix":"raw/","skip":true}]`}, "demo", "--photos", "mine", "--out", "o"))
	e.want(t, 0)
	wantLine(t, e.stdout, `^source +bytes +small +medium +large +avatar +ms +name$`)
	wantLine(t, e.stdout, `^160×100 .* {40,}64×40 .* avatars/a\.jpg$`)
	wantLine(t, e.stdout, `^raw/c\.jpg: skipped: it is in raw/, which RESIZE_PROFILES skips$`)
	wantFiles(t, dir, "mine/avatars/a.jpg", "mine/b.jpg", "mine/raw/c.jpg", "o/.s3resizer-demo", "o/avatar-avatars/a.jpg", "o/small-b.jpg", "o/medium-b.jpg", "o/large-b.jpg", "o/contact-sheet.jpg")
}
