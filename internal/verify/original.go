package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"s3resizer/internal/backfill"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

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
	if err != nil {
		return nil, err
	}
	label, ours := report.LabelOf(source)
	if !ours || label.Names(v.Bucket, o.Key) {
		return v.examine(ctx, o)
	}
	if findings[0].Kind != OlderUpload {
		return nil, nil // a rendition among the originals
	}
	return []Finding{{Kind: Leftover, Key: findings[0].Key, Original: o.Key, Reason: fmt.Sprintf(
		"its set is of the upload before: a rendition of %s was copied over s3://%s/%s; delete that, or upload a picture there", label.Source, v.Bucket, o.Key)}}, nil
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
	o.claimed = map[string]bool{recordKey: true, naming.SlowNote(o.Key): true}
	label, _ := report.LabelOf(info)
	switch {
	case !label.Names(v.Bucket, o.Key) || record.Source.ETag != label.ETag || record.Status != report.Resized && record.Status != report.Rejected:
		add(WrongRecord, recordKey, "it is not the record of s3://%s/%s", v.Bucket, o.Key)
		return findings, nil
	case label.ETag != o.ETag:
		add(OlderUpload, recordKey, "it is of the upload %s, the newest is %s", label.ETag, o.ETag)
	case label.Settings != v.fingerprint(o.Key):
		add(OlderSettings, recordKey, "its settings have the fingerprint %s, these have %s", label.Settings, v.fingerprint(o.Key))
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
		return record.Renditions, o.ETag, v.fingerprint(o.Key)
	default:
		return setOf(v.Settings.For(o.Key), record), o.ETag, v.fingerprint(o.Key)
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
