package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"s3resizer/internal/config"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// run is one attempt at one object, and what is known of it so far.
type run struct {
	h           *Handler
	object      object
	settings    *config.Settings // that apply to the object
	fingerprint string           // theirs
	destination string           // bucket
	info        s3io.Info
	source      *resize.Source
	summary     resize.Summary // once it is rendered
	started     time.Time
	opening     time.Time
	lastByte    time.Time
	worked      time.Duration // on the picture, with what S3 took meanwhile
	waited      atomic.Int64  // that, in nanoseconds

	second bool          // and there was another attempt before it
	done   report.Result // the record, if all was done before
	told   bool          // the record says what came of it

	// What is asked of the destination beside the decoding. Nothing is written before the answers are there.
	record   errgroup.Group
	standing s3io.Info      // the record as it was then, if there was one
	names    errgroup.Group // whether those of the renditions are free

	carried carried
	tags    errgroup.Group // those in carried

	mu         sync.Mutex // renditions finish in parallel
	renditions []report.Rendition
	removed    []report.Removed
	encoded    time.Time // the last one's end
	upload     resize.Span

	// Of the attempt before this one.
	made    report.Result // that did not stand
	written []report.Rendition
	lacking []string // what it had not written
}

func newRun(h *Handler, o object, started time.Time) *run {
	return &run{
		h: h, object: o, settings: h.settings.For(o.key), fingerprint: h.fingerprint(o.key), destination: h.settings.DestBucket.For(o.bucket),
		started: started, opening: time.Now(),
	}
}

// again is the next attempt, after one that came to a result which does not stand.
func (r *run) again(made report.Result) *run {
	next := newRun(r.h, r.object, r.started)
	next.made = made
	next.second, next.removed, next.written = true, r.removed, r.inOrder()
	next.lacking = r.missing(next.written)
	return next
}

// idle says why there is nothing to do, whatever there is; or "".
func (r *run) idle() string {
	switch {
	case r.object.skip != "":
		return r.object.skip
	case r.settings.Skip:
		return "it is in " + r.settings.Prefix + ", which RESIZE_PROFILES skips"
	case r.object.removal != "" && !r.settings.Delete:
		return r.object.removal + ": what was made of it stays, as RESIZE_DELETE is off"
	default:
		return ""
	}
}

// reading notes when the last byte was read.
func (r *run) reading(body io.Reader) io.Reader { return sourceBody{body, r} }

// sourceBody is the body of a source. It knows how long it is, and can be fetched again, as resize.Open likes.
type sourceBody struct {
	io.Reader
	run *run
}

func (b sourceBody) Read(p []byte) (int, error) {
	defer b.run.waiting()()
	n, err := b.Reader.Read(p)
	b.run.lastByte = time.Now()
	return n, err
}

func (b sourceBody) Len() int { return int(b.run.info.Size) }

// Reopen fetches the object once more, for a picture of which nobody knows yet whether it is damaged.
func (b sourceBody) Reopen(ctx context.Context) (io.ReadCloser, error) {
	defer b.run.waiting()()
	bucket, key := b.run.object.bucket, b.run.object.key
	again, err := b.run.h.store.Open(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	if again.ETag != b.run.info.ETag {
		again.Close()
		return nil, &s3io.Error{Class: s3io.Changed, Op: "open", Bucket: bucket, Key: key, Err: errors.New("it was overwritten before it could be examined")}
	}
	return struct {
		io.Reader
		io.Closer
	}{b.run.reading(again), again}, nil
}

// emit is put for one rendition after the other.
func (r *run) emit(ctx context.Context) func(resize.Rendition) error {
	return func(rendition resize.Rendition) error { return r.put(ctx, rendition) }
}

// lookAtRecord asks which record stands, while the source is fetched.
func (r *run) lookAtRecord(ctx context.Context) {
	if !r.recorded() {
		return
	}
	r.record.Go(func() error {
		var err error
		r.standing, err = r.h.store.Head(ctx, r.destination, naming.Record(r.object.key))
		if s3io.ClassOf(err) == s3io.NotFound {
			return nil
		}
		return err
	})
}

// put uploads a rendition, but not before it is known what stands in the destination: what others write from then on is seen
// when the record is written.
func (r *run) put(ctx context.Context, rendition resize.Rendition) error {
	defer r.waiting()()
	if err := cmp.Or(r.record.Wait(), r.names.Wait(), r.tags.Wait()); err != nil {
		return err
	}
	out := r.describe(rendition.Size, rendition.Format)
	out.Width, out.Height, out.Bytes = rendition.Width, rendition.Height, len(rendition.Data)
	traced(ctx, Encode, rendition.Encode.Start, rendition.Encode.End, out)
	start := time.Now()
	label := r.label()
	label.Copied = r.carried.digest()
	label.Size, label.Width, label.Height = out.Size, out.Width, out.Height
	metadata := label.Metadata()
	maps.Copy(metadata, r.carried.Metadata) // which has none of ours
	etag, err := r.write(ctx, s3io.Upload{
		Bucket: out.Bucket, Key: out.Key, ContentType: out.ContentType, Data: rendition.Data, Metadata: metadata,
		CacheControl: r.cacheControl(), Disposition: r.carried.Disposition, Tags: r.carried.Tags,
	})
	if err != nil {
		return err
	}
	out.ETag = etag
	end := time.Now()
	traced(ctx, Upload, start, end, out)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renditions = append(r.renditions, out)
	r.encoded = latest(r.encoded, rendition.Encode.End)
	if r.upload.Start.IsZero() || start.Before(r.upload.Start) {
		r.upload.Start = start
	}
	r.upload.End = latest(r.upload.End, end)
	return nil
}

// describe names a rendition, as far as it is known before it is made.
func (r *run) describe(size string, format resize.Format) report.Rendition {
	return report.Rendition{
		Size: size, Bucket: r.destination, Key: r.settings.Key.For(r.object.key, size, format.Appended(r.source.Format)),
		Format: format, ContentType: format.MediaType(),
	}
}

// cacheControl is that of the renditions.
func (r *run) cacheControl() string { return cmp.Or(r.settings.CacheControl, r.info.CacheControl) }

// ours reports whether an object is a rendition or a record. One that was copied over its own source is an upload like any
// other: what we write never is where its source is.
func ours(info s3io.Info) bool {
	label, labelled := report.LabelOf(info)
	return labelled && !label.Names(info.Bucket, info.Key)
}

// label is that of everything that is written of the upload.
func (r *run) label() report.Label {
	return report.Label{Source: report.SourceName(r.object.bucket, r.object.key), ETag: r.info.ETag, Settings: r.fingerprint}
}

// outputs lists the keys of all that is made of the source: its renditions and its record.
func (r *run) outputs() []string {
	var keys []string
	for _, size := range r.settings.Sizes {
		for _, format := range r.source.Outputs(r.settings.Formats) {
			keys = append(keys, r.describe(size.Name, format).Key)
		}
	}
	if r.settings.Record {
		keys = append(keys, naming.Record(r.object.key))
	}
	return keys
}

// checkKeys rejects a source before anything is made of it that could not be written.
func (r *run) checkKeys() error {
	for _, key := range r.outputs() {
		if folder := naming.Reserved(key); folder != "" && key != naming.Record(r.object.key) {
			return &resize.Rejection{Class: resize.Class(report.ClassReservedKey), Reason: fmt.Sprintf(
				"its renditions would lie in %s, where the records are, and could overwrite another one's; move the upload or change RESIZE_KEY_TEMPLATE", folder)}
		}
		if len(key) > naming.MaxKey {
			return &resize.Rejection{Class: resize.Class(report.ClassKeyTooLong), Reason: fmt.Sprintf(
				"its key has %d bytes, so that %s… would have %d; S3 allows %d", len(r.object.key), strings.ToValidUTF8(key[:16], ""), len(key), naming.MaxKey)}
		}
	}
	return nil
}

// alreadyDone reports whether every rendition, and the record, is of the source as it is now. The renditions are asked
// one by one: a run that died may have overwritten one after the record was written.
//
// That is several looks, and another run may write between two of them. So what the record says is to be written in its place
// once more, which such a run sees, or else we see that run's: for that, the record has to be known before the first look.
func (r *run) alreadyDone(ctx context.Context) (bool, error) {
	if err := cmp.Or(r.record.Wait(), r.tags.Wait()); err != nil {
		return false, err
	}
	renditions := slices.DeleteFunc(r.outputs(), func(key string) bool { return key == naming.Record(r.object.key) })
	whole, err := r.inPlace(ctx, renditions, func(_ int, info s3io.Info) bool {
		label, _ := report.LabelOf(info)
		return report.MadeOf(info, r.info.ETag, r.fingerprint) && info.CacheControl == r.cacheControl() && label.Copied == r.carried.digest()
	})
	if err != nil || !whole || !r.recorded() {
		return whole, err
	}
	record, info, err := r.readRecord(ctx)
	r.done = record
	return record.Version == report.Version && record.Status == report.Resized && report.MadeOf(info, r.info.ETag, r.fingerprint), err
}

// inPlace reports whether every key is there, in the destination bucket, and as it should be.
func (r *run) inPlace(ctx context.Context, keys []string, asItShould func(i int, info s3io.Info) bool) (bool, error) {
	for i, key := range keys {
		info, err := r.h.store.Head(ctx, r.destination, key)
		if s3io.ClassOf(err) == s3io.NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if !asItShould(i, info) {
			return false, nil
		}
	}
	return true, nil
}

// stands reports whether a result, now that its record is written or all is removed, is still so: its source the newest
// upload, with the headers that it had, or gone, and the older set that it names in place. (The last rendition of a run that
// died may have come between the look at that set and the record.)
func (r *run) stands(ctx context.Context, result report.Result) (bool, error) {
	newest, err := r.h.store.Head(ctx, r.object.bucket, r.object.key)
	switch {
	case s3io.ClassOf(err) == s3io.NotFound: // what was made of it may stay, or else has to go
		return result.Status == report.Deleted || !r.settings.Delete, nil
	case err != nil || newest.ETag != result.Source.ETag || newest.CacheControl != r.info.CacheControl:
		return false, err
	}
	if same, err := r.carries(ctx, result, newest); err != nil || !same || result.Previous == nil {
		return same, err
	}
	return r.setInPlace(ctx, result.Previous)
}

// inOrder returns the renditions that are in place, in the order of the settings.
func (r *run) inOrder() []report.Rendition {
	r.mu.Lock()
	defer r.mu.Unlock()
	rank := func(x report.Rendition) int {
		size := slices.IndexFunc(r.settings.Sizes, func(s resize.Size) bool { return s.Name == x.Size })
		return size*len(r.settings.Formats) + slices.Index(r.source.Outputs(r.settings.Formats), x.Format)
	}
	return slices.SortedFunc(slices.Values(r.renditions), func(a, b report.Rendition) int { return rank(a) - rank(b) })
}

// missing names what the set lacks beside the renditions that are in place: the sizes, as long as the source's format, and
// with it their keys, are not known.
func (r *run) missing(written []report.Rendition) []string {
	if r.source == nil {
		var sizes []string
		for _, size := range r.settings.Sizes {
			sizes = append(sizes, size.Name)
		}
		return sizes
	}
	return slices.DeleteFunc(r.outputs(), func(key string) bool {
		return slices.ContainsFunc(written, func(rendition report.Rendition) bool { return rendition.Key == key })
	})
}

// recorded reports whether the object has a record.
func (r *run) recorded() bool { return r.settings.Record && naming.HasRecord(r.object.key) }

// putRecord writes the commit record in the place of the one that stood: from here on, the set is complete. If another one
// stands there by now, or none, the error is [s3io.Changed]: somebody else has finished meanwhile, maybe with renditions of
// another upload, or under other settings, between ours.
func (r *run) putRecord(ctx context.Context, result report.Result) error {
	if !r.recorded() {
		return nil
	}
	record, err := result.Record(r.destination, r.label())
	if err != nil {
		return err
	}
	if err := r.record.Wait(); err != nil {
		return err
	}
	record.Replaces = cmp.Or(r.standing.ETag, s3io.Nothing)
	_, err = r.write(ctx, record)
	return err
}

// write puts an object, and logs what it took.
func (r *run) write(ctx context.Context, u s3io.Upload) (etag string, err error) {
	start := time.Now()
	etag, err = r.h.store.Put(ctx, u)
	r.h.log.LogAttrs(ctx, slog.LevelDebug, "put", slog.String("traceId", r.object.trace), slog.String("bucket", u.Bucket), slog.String("key", u.Key), slog.Int("bytes", len(u.Data)),
		slog.Float64("milliseconds", milliseconds(start, time.Now())), slog.Bool("written", err == nil))
	return etag, err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
