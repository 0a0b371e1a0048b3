// Package verify looks at what was made of a bucket's pictures: at the renditions themselves, and not at the records
// alone.
//
// The one idea: what belongs together stands in the same order in every listing. The source's, the records' and those of
// the sizes (with a template such as "{size}-{key}", where each has a folder of its own) are read side by side, in one
// pass and in bounded memory; so which renditions there are costs no request, and neither does what no original claims.
// What an original's record and renditions say of themselves costs one request each. Whatever then seems to be wrong is
// looked at once more before it is told, because the bucket is in use meanwhile.
//
// It changes nothing by itself. [backfill.Backfill.Redo] is for what can be made anew, [Verification.Remove] for what was
// made of originals that are gone.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/backfill"
	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// Store is what is needed of S3. Its errors are [*s3io.Error].
type Store interface {
	backfill.Store
	// Open starts to read an object; all its bytes are of one upload.
	Open(ctx context.Context, bucket, key string) (*s3io.Object, error)
	// Delete removes an object unless, as far as the S3 looks at that, it is another one than that with the ETag by now.
	Delete(ctx context.Context, bucket, key, etag string) error
}

// Options say what to look at.
type Options struct {
	Bucket, Prefix string
	Settings       config.Settings // that the renditions should be of
	Store          Store
	// Quick trusts a rendition whose bytes, by size and ETag in the listing, are those that its record tells of: it is not
	// asked for its metadata. That takes a template whose sizes have folders of their own.
	Quick bool
	// Decode reads the header of each rendition's picture, too. The resize package must have been started.
	Decode bool
	// Found is told of each finding, one call at a time.
	Found func(Finding)
	// Redo, if set, is given each original that has a finding which making its set anew would mend. It is called by several
	// at once, and an error ends the run.
	Redo func(ctx context.Context, object s3io.Listed) error
}

// Kind says what is wrong.
type Kind string

// The kinds of a [Finding]. Down to Unlabelled they are mended by making the set anew.
const (
	MissingRecord    Kind = "missing-record"    // the original has no commit record
	WrongRecord      Kind = "wrong-record"      // what is in the place of its record is none of it
	MissingRendition Kind = "missing-rendition" // the record tells of it, or the settings ask for it
	OlderUpload      Kind = "older-upload"      // made of an upload that is not the original any more
	OlderSettings    Kind = "older-settings"    // made under settings with another fingerprint
	WrongSize        Kind = "wrong-size"        // of other dimensions than the original, the record or its own label say
	WrongType        Kind = "wrong-type"        // its Content-Type, or what it is by its bytes, is not that of its format
	WrongBytes       Kind = "wrong-bytes"       // of another length than the record says
	Unreadable       Kind = "unreadable"        // it has no picture's header
	Unlabelled       Kind = "unlabelled"        // by its bytes ours, but its metadata are gone
	Foreign          Kind = "foreign"           // in a rendition's place is an object that is not ours, or another original's
	Leftover         Kind = "leftover"          // ours, and not of its original's set any more
	Orphan           Kind = "orphan"            // ours, and its original is gone
	Failed           Kind = "failed"            // it could not be looked at
)

// Kinds are all of them, in that order.
func Kinds() []Kind {
	return []Kind{MissingRecord, WrongRecord, MissingRendition, OlderUpload, OlderSettings, WrongSize, WrongType, WrongBytes, Unreadable, Unlabelled, Foreign, Leftover, Orphan, Failed}
}

// Redone tells whether it is mended by making the set anew.
func (k Kind) Redone() bool {
	switch k {
	case Foreign, Leftover, Orphan, Failed:
		return false
	default:
		return true
	}
}

// Finding is something that is not as it should be.
type Finding struct {
	Kind     Kind   `json:"kind"`
	Key      string `json:"key"`      // in the destination, of what is wrong or missing; of what failed it may be ""
	Original string `json:"original"` // key of the source
	Reason   string `json:"reason"`   // for people
	ETag     string `json:"etag"`     // of an orphan, as it was found
	Bytes    int64  `json:"bytes"`    // of an orphan or a leftover
}

// Verification is a run.
type Verification struct {
	Options
	destination, fingerprint string

	mu       sync.Mutex
	progress Progress
	inARow   int // originals that could not be looked at
}

// Progress is what was looked at.
type Progress struct {
	Originals  int64 // all of them
	Rejected   int64 // that have nothing but their record
	Changed    int64 // that were overwritten or deleted while they were looked at; not looked at further
	NotOurs    int64 // objects of the destination that are nobody's here, and were left alone
	Renditions int64
	Findings   map[Kind]int64
	Broken     int64 // originals with a finding that making the set anew would mend
}

// Total is the number of findings.
func (p Progress) Total() int64 {
	var total int64
	for _, n := range p.Findings {
		total += n
	}
	return total
}

// New prepares a run.
func New(o Options) *Verification {
	return &Verification{Options: o, destination: o.Settings.DestBucket.For(o.Bucket), fingerprint: o.Settings.Fingerprint(), progress: Progress{Findings: map[Kind]int64{}}}
}

// Progress may be asked for at any time.
func (v *Verification) Progress() Progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.progress
	p.Findings = maps.Clone(p.Findings)
	return p
}

// lookers is how many subjects are looked at at once. A request takes some 20 ms: that makes up to 1600 a second.
const lookers = 32

// Run looks at everything. The error is that of a listing that could not be had, or of ctx, or a
// [*backfill.StoppedError] because originals in a row could not be looked at.
func (v *Verification) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	subjects := make(chan subject)
	group.Go(func() error {
		defer close(subjects)
		for _, part := range []iter.Seq2[subject, error]{v.sweep(ctx), v.rest(ctx)} {
			for s, err := range part {
				if err != nil {
					return err
				}
				select {
				case subjects <- s:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range lookers {
		group.Go(func() error {
			for s := range subjects {
				if err := v.look(ctx, s); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// look looks at a subject. What can't be looked at is a finding, too.
func (v *Verification) look(ctx context.Context, s subject) error {
	if s.stray != nil {
		return v.failed(ctx, v.lookAtStray(ctx, *s.stray), s.stray.Key, "")
	}
	findings, err := v.lookAtOriginal(ctx, s.original)
	if err != nil {
		return v.failed(ctx, err, "", s.original.Key)
	}
	redo, foreign := false, false
	for _, f := range findings {
		v.tell(f)
		redo, foreign = redo || f.Kind.Redone(), foreign || f.Kind == Foreign
	}
	redo = redo && !foreign // that would be overwritten
	v.count(func(p *Progress) {
		p.Originals++
		p.Renditions += s.original.renditions
		if s.original.rejected {
			p.Rejected++
		}
		if redo {
			p.Broken++
		}
	})
	for key, f := range s.original.found {
		if f.closest && !s.original.claimed[key] {
			if err := v.failed(ctx, v.lookAtStray(ctx, f.Listed), key, s.original.Key); err != nil {
				return err
			}
		}
	}
	if redo && v.Redo != nil {
		return v.Redo(ctx, s.original.Listed)
	}
	return nil
}

// maxInARow is how many originals or strays in a row can't be looked at before it is of no use to go on.
const maxInARow = 20

// failed tells of an error. It is an error itself only if there have been too many, or ctx has ended.
func (v *Verification) failed(ctx context.Context, err error, key, original string) error {
	v.mu.Lock()
	if v.inARow++; err == nil {
		v.inARow = 0
	}
	inARow := v.inARow
	v.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	failure := backfill.FailureOf(err)
	v.tell(Finding{Kind: Failed, Key: key, Original: original, Reason: string(failure.Class) + ": " + failure.Reason})
	if inARow >= maxInARow {
		return &backfill.StoppedError{InARow: inARow, Failures: inARow, Last: failure}
	}
	return nil
}

func (v *Verification) tell(f Finding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.progress.Findings[f.Kind]++
	if v.Found != nil {
		v.Found(f)
	}
}

func (v *Verification) count(add func(*Progress)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	add(&v.progress)
}

// lookAtOriginal returns what is wrong with an original's set, once more looked at: neither uploads nor the function
// wait for us.
func (v *Verification) lookAtOriginal(ctx context.Context, o *original) ([]Finding, error) {
	if o.rejected = !naming.HasRecord(o.Key); o.rejected {
		return nil, nil
	}
	findings, err := v.examine(ctx, o)
	if err != nil || len(findings) == 0 {
		return nil, err
	}
	source, err := v.head(ctx, v.Bucket, o.Key)
	if s3io.ClassOf(err) == s3io.NotFound || err == nil && source.ETag != o.ETag {
		o.found = nil
		v.count(func(p *Progress) { p.Changed++ })
		return nil, nil
	}
	if _, ours := report.LabelOf(source); err != nil || ours { // a rendition among the originals is skipped
		return nil, err
	}
	return v.examine(ctx, o)
}

// examine compares what there is with what there should be.
func (v *Verification) examine(ctx context.Context, o *original) ([]Finding, error) {
	var findings []Finding
	add := func(kind Kind, key, reason string, args ...any) {
		findings = append(findings, Finding{Kind: kind, Key: key, Original: o.Key, Reason: fmt.Sprintf(reason, args...)})
	}
	recordKey := naming.Record(o.Key)
	record, info, err := v.record(ctx, o.Key)
	if s3io.ClassOf(err) == s3io.NotFound {
		add(MissingRecord, recordKey, "there is none")
		return findings, nil
	}
	if err != nil {
		return nil, err
	}
	o.claimed = map[string]bool{recordKey: true}
	label, _ := report.LabelOf(info)
	switch {
	case !label.Names(v.Bucket, o.Key) || record.Source.ETag != label.ETag || record.Status != report.Resized && record.Status != report.Rejected:
		add(WrongRecord, recordKey, "it is not the record of s3://%s/%s", v.Bucket, o.Key)
		return findings, nil
	case label.ETag != o.ETag:
		add(OlderUpload, recordKey, "it is of the upload %s, the newest is %s", label.ETag, o.ETag)
	case label.Settings != v.fingerprint:
		add(OlderSettings, recordKey, "its settings have the fingerprint %s, these have %s", label.Settings, v.fingerprint)
	}
	set, upload, settings := v.set(record, o)
	current := len(findings) == 0 && record.Status == report.Resized
	o.rejected = len(findings) == 0 && record.Status == report.Rejected
	o.renditions = 0
	for _, want := range set {
		o.claimed[want.Key] = true
		if current && !tells(record, want) {
			add(WrongRecord, recordKey, "it does not tell of %s with %d × %d pixels", want.Key, want.Width, want.Height)
		}
		if listed, there := o.found[want.Key]; v.Quick && current && there && want.ETag != "" && listed.ETag == want.ETag && listed.Size == int64(want.Bytes) {
			o.renditions++
			continue
		}
		finding, err := v.rendition(ctx, want, o.Key, upload, settings, current)
		if err != nil {
			return nil, err
		}
		if finding.Kind != MissingRendition {
			o.renditions++
		}
		if finding.Kind != "" {
			findings = append(findings, finding)
		}
	}
	return findings, nil
}

// tells tells whether the record has the rendition.
func tells(record report.Result, want report.Rendition) bool {
	return slices.ContainsFunc(record.Renditions, func(r report.Rendition) bool {
		return r.Key == want.Key && r.Width == want.Width && r.Height == want.Height && r.Bytes > 0
	})
}

// set returns the renditions that there should be, and of which upload and, if that is known, which settings.
func (v *Verification) set(record report.Result, o *original) (set []report.Rendition, upload, settings string) {
	switch {
	case record.Status == report.Rejected && record.Previous != nil:
		return record.Previous.Renditions, record.Previous.Source.ETag, ""
	case record.Status == report.Rejected:
		return nil, "", ""
	case record.Source.ETag != o.ETag: // of what format the newest is, nobody knows
		return record.Renditions, o.ETag, v.fingerprint
	default:
		return setOf(v.Settings, record), o.ETag, v.fingerprint
	}
}

// rendition looks at one, and returns the first thing that is wrong with it. Exactly tells whether want says what it should be
// in every respect.
func (v *Verification) rendition(ctx context.Context, want report.Rendition, key, upload, settings string, exactly bool) (Finding, error) {
	is := func(kind Kind, reason string, args ...any) (Finding, error) {
		return Finding{Kind: kind, Key: want.Key, Original: key, Reason: fmt.Sprintf(reason, args...)}, nil
	}
	info, picture, err := v.open(ctx, want.Key)
	var rejection *resize.Rejection
	if err != nil && !errors.As(err, &rejection) {
		if s3io.ClassOf(err) == s3io.NotFound {
			return is(MissingRendition, "there is none")
		}
		return Finding{}, err
	}
	label, ours := report.LabelOf(info)
	dimensions := func(width, height int) string { return fmt.Sprintf("%d × %d", width, height) }
	wanted, labelled := dimensions(want.Width, want.Height), dimensions(label.Width, label.Height)
	switch {
	case !ours && want.ETag != "" && info.ETag == want.ETag && info.Size == int64(want.Bytes):
		return is(Unlabelled, "it has the bytes that the record tells of, and no metadata of s3resizer's")
	case !ours:
		return is(Foreign, "it was not made by s3resizer")
	case !label.Names(v.Bucket, key):
		return is(Foreign, "it was made of %s", label.Source)
	case label.ETag != upload:
		return is(OlderUpload, "it is of the upload %s, not of %s", label.ETag, upload)
	case settings != "" && label.Settings != settings:
		return is(OlderSettings, "its settings have the fingerprint %s, these have %s", label.Settings, settings)
	case info.ContentType != want.ContentType:
		return is(WrongType, "its Content-Type is %q, not %s", info.ContentType, want.ContentType)
	case labelled != wanted:
		return is(WrongSize, "it says that it has %s pixels, not %s", labelled, wanted)
	case want.Bytes != 0 && info.Size != int64(want.Bytes) && (exactly || settings == ""):
		return is(WrongBytes, "it has %d bytes, not %d", info.Size, want.Bytes)
	case rejection != nil:
		return is(Unreadable, "%s", rejection.Reason)
	case picture != nil && picture.Format != want.Format:
		return is(WrongType, "by its bytes it is %s, not %s", picture.Format, want.Format)
	case picture != nil && dimensions(picture.Width, picture.Height) != wanted:
		return is(WrongSize, "it has %s pixels, not %s", dimensions(picture.Width, picture.Height), wanted)
	}
	return Finding{}, nil
}

// open asks for a rendition's metadata and, if that is wanted, for its picture's header. The error may be a
// [*resize.Rejection] of that.
func (v *Verification) open(ctx context.Context, key string) (info s3io.Info, picture *resize.Source, err error) {
	if !v.Decode {
		info, err = v.head(ctx, v.destination, key)
		return info, nil, err
	}
	err = backfill.Patiently(ctx, func() error {
		object, err := v.Store.Open(ctx, v.destination, key)
		if err != nil {
			return err
		}
		defer object.Close()
		info = object.Info
		picture, err = resize.Open(ctx, object, v.Settings.Limits)
		if err != nil {
			return err
		}
		picture.Close()
		return nil
	})
	return info, picture, err
}

func (v *Verification) head(ctx context.Context, bucket, key string) (info s3io.Info, err error) {
	err = backfill.Patiently(ctx, func() error {
		info, err = v.Store.Head(ctx, bucket, key)
		return err
	})
	return info, err
}

func (v *Verification) record(ctx context.Context, key string) (record report.Result, info s3io.Info, err error) {
	err = backfill.Patiently(ctx, func() error {
		record, info, err = report.Read(ctx, v.Store, v.destination, key)
		return err
	})
	return record, info, err
}

// lookAtStray looks at an object of the destination that no original's set has. It is told of only if it says itself that
// it is ours and of this source, and if its name may be one that a template gave it: whatever else somebody keeps in the
// bucket, copies of renditions too, is not ours to judge.
func (v *Verification) lookAtStray(ctx context.Context, object s3io.Listed) error {
	info, err := v.head(ctx, v.destination, object.Key)
	if s3io.ClassOf(err) == s3io.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	label, _ := report.LabelOf(info)
	key := v.originalOf(object.Key, label)
	if key == "" || !plausible(object.Key, key, label) {
		v.count(func(p *Progress) { p.NotOurs++ })
		return nil
	}
	if !strings.HasPrefix(key, v.Prefix) {
		return nil
	}
	source, err := v.head(ctx, v.Bucket, key)
	switch {
	case s3io.ClassOf(err) == s3io.NotFound:
		v.tell(Finding{Orphan, object.Key, key, fmt.Sprintf("s3://%s/%s is gone", v.Bucket, key), info.ETag, info.Size})
		return nil
	case err != nil:
		return err
	case report.MadeOf(info, source.ETag, v.fingerprint): // it came meanwhile, or is looked at with its original
		return nil
	}
	record, _, err := v.record(ctx, key)
	if s3io.ClassOf(err) == s3io.NotFound || err == nil && record.Source.ETag != source.ETag {
		return nil // which renditions the original should have is not known before its set is made anew
	}
	if err != nil {
		return err
	}
	set, _, _ := v.set(record, &original{Listed: s3io.Listed{Key: key, ETag: source.ETag}})
	if object.Key == naming.Record(key) || slices.ContainsFunc(set, func(r report.Rendition) bool { return r.Key == object.Key }) {
		return nil // looked at with its original
	}
	reason := fmt.Sprintf("it is of the upload %s and the settings %s; the newest set has no such rendition", label.ETag, label.Settings)
	v.tell(Finding{Leftover, object.Key, key, reason, info.ETag, info.Size})
	return nil
}

// originalOf returns the key of what an object was made of, or "" if that is not known to be of this bucket. Where the
// label has no room for all of a key, that has to be in the object's own name.
func (v *Verification) originalOf(object string, label report.Label) string {
	candidates := []string{label.Key(v.Bucket), naming.Recorded(object)}
	for _, folder := range v.sizeFolders() {
		if name, ok := strings.CutPrefix(object, folder); ok {
			for _, ending := range extensions() {
				candidates = append(candidates, strings.TrimSuffix(name, ending))
			}
		}
	}
	for _, key := range candidates {
		if key != "" && label.Names(v.Bucket, key) {
			return key
		}
	}
	return ""
}

// plausible tells whether an object with the label may have been given its name by a template: every one has the size and
// all parts of the original's key in it.
func plausible(key, original string, label report.Label) bool {
	if label.Size == "" {
		return naming.Recorded(key) == original
	}
	if !strings.Contains(key, label.Size) {
		return false
	}
	slash := strings.LastIndex(original, "/") + 1
	dot := strings.LastIndex(original, ".")
	if dot < slash {
		dot = len(original)
	}
	for _, part := range []string{original[:slash], original[slash:dot], original[dot:]} { // in that order
		at := strings.Index(key, part)
		if at < 0 {
			return false
		}
		key = key[at+len(part):]
	}
	return true
}

// Remove removes an orphan. It returns false if there is no reason to any more: its original, or another object in its
// place, has come meanwhile.
//
// The original is asked for right before. An upload may still come between that and the removal, and be done: so the
// original is asked for once more afterwards, and if it is there then, it is returned: its set has to be made anew.
func (v *Verification) Remove(ctx context.Context, orphan Finding) (removed bool, back *s3io.Listed, err error) {
	if _, err := v.head(ctx, v.Bucket, orphan.Original); s3io.ClassOf(err) != s3io.NotFound {
		return false, nil, err
	}
	err = v.Store.Delete(ctx, v.destination, orphan.Key, orphan.ETag)
	if s3io.ClassOf(err) == s3io.Changed {
		return false, nil, nil
	}
	info, gone := v.head(ctx, v.Bucket, orphan.Original)
	if gone == nil { // whatever came of the removal
		back = &s3io.Listed{Key: info.Key, ETag: info.ETag, Size: info.Size}
	} else if s3io.ClassOf(gone) != s3io.NotFound {
		err = cmp.Or(err, gone)
	}
	return err == nil, back, err
}
