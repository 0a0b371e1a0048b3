package handler

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"s3resizer/resize"
	"s3resizer/s3io"
)

// User metadata of what we write. By metaSource, and never by a name, our own outputs are told from uploads.
const (
	metaSource   = "s3resizer-source"      // s3://bucket/key of the source, the key percent-encoded
	metaETag     = "s3resizer-source-etag" // of the upload it was made from
	metaSettings = "s3resizer-settings"    // fingerprint of the settings
	metaSize     = "s3resizer-size"        // the size's name
	metaWidth    = "s3resizer-width"       // pixels
	metaHeight   = "s3resizer-height"
)

// maxSourceName is what metaSource may take of the 2 KB that S3 allows all user metadata.
const maxSourceName = 1500

// run is one attempt at one object, and what is known of it so far.
type run struct {
	h           *Handler
	object      object
	destination string // bucket
	info        s3io.Info
	source      *resize.Source
	started     time.Time
	opening     time.Time
	lastByte    time.Time

	mu         sync.Mutex // renditions finish in parallel
	renditions []Rendition
	encoded    time.Time // the last one's end
	upload     resize.Span
}

func newRun(h *Handler, o object, started time.Time) *run {
	return &run{h: h, object: o, destination: h.settings.DestBucket.For(o.bucket), started: started, opening: time.Now()}
}

// reading notes when the last byte was read.
func (r *run) reading(body io.Reader) io.Reader { return sourceBody{body, r} }

// sourceBody is the body of a source, and knows how long it is, as resize.Open likes.
type sourceBody struct {
	io.Reader
	run *run
}

func (b sourceBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.run.lastByte = time.Now()
	return n, err
}

func (b sourceBody) Len() int { return int(b.run.info.Size) }

// put uploads a rendition.
func (r *run) put(ctx context.Context, rendition resize.Rendition) error {
	out := r.describe(rendition.Size, rendition.Format)
	out.Width, out.Height, out.Bytes = rendition.Width, rendition.Height, len(rendition.Data)
	start := time.Now()
	metadata := r.metadata()
	metadata[metaSize] = out.Size
	metadata[metaWidth], metadata[metaHeight] = strconv.Itoa(out.Width), strconv.Itoa(out.Height)
	_, err := r.h.store.Put(ctx, s3io.Upload{
		Bucket: out.Bucket, Key: out.Key, ContentType: out.ContentType, Data: rendition.Data, Metadata: metadata,
		CacheControl: cmp.Or(r.h.settings.CacheControl, r.info.CacheControl),
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renditions = append(r.renditions, out)
	r.encoded = latest(r.encoded, rendition.Encode.End)
	if r.upload.Start.IsZero() || start.Before(r.upload.Start) {
		r.upload.Start = start
	}
	r.upload.End = latest(r.upload.End, time.Now())
	return nil
}

// describe names a rendition, as far as it is known before it is made.
func (r *run) describe(size string, format resize.Format) Rendition {
	return Rendition{
		Size: size, Bucket: r.destination, Key: r.h.settings.Key.For(r.object.key, size, r.source.Format, format),
		Format: format, ContentType: format.MediaType(),
	}
}

func (r *run) metadata() map[string]string {
	name := "s3://" + r.object.bucket + "/" + (&url.URL{Path: r.object.key}).EscapedPath()
	name = name[:min(len(name), maxSourceName)] // all of it stands in the record
	return map[string]string{metaSource: name, metaETag: r.info.ETag, metaSettings: r.h.fingerprint}
}

// alreadyDone tells whether every rendition, and the record, is of the source as it is now. The renditions are asked
// one by one: a run that died may have overwritten one after the record was written.
func (r *run) alreadyDone(ctx context.Context) (bool, error) {
	var keys []string
	for _, size := range r.h.settings.Sizes {
		for _, format := range r.source.Outputs(r.h.settings.Formats) {
			keys = append(keys, r.describe(size.Name, format).Key)
		}
	}
	if r.h.settings.Record {
		keys = append(keys, recordKey(r.object.key))
	}
	for _, key := range keys {
		info, err := r.h.store.Head(ctx, r.destination, key)
		if s3io.ClassOf(err) == s3io.NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if info.Metadata[metaETag] != r.info.ETag || info.Metadata[metaSettings] != r.h.fingerprint {
			return false, nil
		}
	}
	return true, nil
}

// result is what every outcome has in common.
func (r *run) result(status Status) Result {
	out := Result{Status: status, Source: Source{
		Bucket: r.object.bucket, Key: r.object.key, VersionID: r.info.VersionID, ETag: r.info.ETag, Bytes: r.info.Size,
	}}
	if r.source != nil {
		out.Source.Format, out.Source.Width, out.Source.Height = r.source.Format, r.source.Width, r.source.Height
	}
	return out
}

func (r *run) skipped(reason string) Result {
	out := r.result(Skipped)
	out.Reason = reason
	return out
}

func (r *run) resized() Result {
	out := r.result(Resized)
	out.Renditions = r.inOrder()
	decoded := r.source.Decode.End
	out.Timings = &Timings{
		Download: milliseconds(r.opening, r.lastByte), Decode: milliseconds(r.source.Decode.Start, decoded),
		Encode: milliseconds(decoded, r.encoded), Upload: milliseconds(r.upload.Start, r.upload.End),
		Total: milliseconds(r.started, time.Now()),
	}
	return out
}

// failed sorts an error out: the picture's own fault is a result; a source that is not there is one too; everything
// else is a [*Failure].
func (r *run) failed(ctx context.Context, err error) (Result, *Failure) {
	var rejection *resize.Rejection
	var fault *s3io.Error
	switch {
	case errors.As(err, &rejection):
		out := r.result(Rejected)
		out.Class, out.Reason = string(rejection.Class), rejection.Reason
		return out, nil
	case errors.As(err, &fault) && fault.Class == s3io.NotFound && fault.Op != "put":
		return r.result(Gone), nil
	default:
		return Result{}, newFailure(ctx, r.object, r.inOrder(), err)
	}
}

// inOrder returns the renditions that are in place, in the order of the settings.
func (r *run) inOrder() []Rendition {
	r.mu.Lock()
	defer r.mu.Unlock()
	rank := func(x Rendition) int {
		size := slices.IndexFunc(r.h.settings.Sizes, func(s resize.Size) bool { return s.Name == x.Size })
		return size*len(r.h.settings.Formats) + slices.Index(r.source.Outputs(r.h.settings.Formats), x.Format)
	}
	return slices.SortedFunc(slices.Values(r.renditions), func(a, b Rendition) int { return rank(a) - rank(b) })
}

// recordKey is where the commit record of an object is kept, in the destination bucket.
func recordKey(key string) string { return ".s3resizer/" + key + ".json" }

// putRecord writes the commit record: from here on, the set is complete.
func (r *run) putRecord(ctx context.Context, result Result) error {
	if !r.h.settings.Record {
		return nil
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		return err
	}
	_, err := r.h.store.Put(ctx, s3io.Upload{
		Bucket: r.destination, Key: recordKey(r.object.key), ContentType: "application/json", Data: data.Bytes(), Metadata: r.metadata(),
	})
	return err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// milliseconds between two instants, to a tenth.
func milliseconds(from, to time.Time) float64 {
	return math.Round(to.Sub(from).Seconds()*1e4) / 10
}
