package handler

import (
	"context"
	"errors"
	"math"
	"time"

	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// rejected is the result for a picture that can't or won't be resized. Of the older set that it leaves in place, that of the
// record about to be replaced, it names what there is, if nothing has happened to it since. If that is of the very same upload
// under the same settings, it was made where the limits are wider, or a decoder is there that is missing here; then it stands.
// (That metadata are too large is not of the bytes: a set of the same ones is of an upload with others.)
func (r *run) rejected(ctx context.Context, rejection *resize.Rejection) (report.Result, error) {
	out := r.result(report.Rejected)
	out.Class, out.Reason = report.Class(rejection.Class), reason(rejection)
	if !r.recorded() {
		return out, nil
	}
	if err := r.record.Wait(); err != nil {
		return report.Result{}, err
	}
	if r.settings.DeleteOriginal {
		if err := r.holds(ctx); err != nil {
			return report.Result{}, err
		}
	}
	record, info, err := r.readRecord(ctx)
	if err != nil {
		return report.Result{}, err
	}
	set := record.Set()
	if there, err := r.setInPlace(ctx, set); err != nil || !there {
		return out, err
	}
	if record.Status == report.Resized && report.MadeOf(info, r.info.ETag, r.fingerprint) && out.Class != report.ClassMetadata {
		out := r.result(report.Superseded)
		out.Source.Format, out.Source.Width, out.Source.Height = record.Source.Format, record.Source.Width, record.Source.Height
		return out, nil
	}
	out.Previous = set
	return out, nil
}

// setInPlace reports whether a set is still whole. A run may have begun to replace it, and died; or replaced it, under
// other settings, by one of the same upload.
func (r *run) setInPlace(ctx context.Context, set *report.Set) (bool, error) {
	if set == nil || len(set.Renditions) == 0 {
		return false, nil
	}
	var keys []string
	for _, rendition := range set.Renditions {
		keys = append(keys, rendition.Key)
	}
	return r.inPlace(ctx, keys, func(i int, info s3io.Info) bool {
		label, _ := report.LabelOf(info)
		return label.ETag == set.Source.ETag && info.Size == int64(set.Renditions[i].Bytes)
	})
}

// result is what every outcome has in common.
func (r *run) result(status report.Status) report.Result {
	out := report.Result{Version: report.Version, TraceID: r.object.trace, Status: status, Source: report.Source{
		Bucket: r.object.bucket, Key: r.object.key, VersionID: r.info.VersionID, ETag: r.info.ETag, Bytes: r.info.Size,
	}}
	if r.source != nil {
		out.Source.Format, out.Source.Width, out.Source.Height = r.source.Format, r.source.Width, r.source.Height
		if frames := max(r.source.Frames, r.source.Unread); frames > 1 {
			out.Source.Frames = frames
		}
		out.Source.Alpha, out.Source.Truncated = &r.source.Alpha, r.summary.Truncated
	}
	return out
}

func (r *run) skipped(reason string) report.Result {
	out := r.result(report.Skipped)
	out.Reason = reason
	return out
}

func (r *run) resized() report.Result {
	out := r.result(report.Resized)
	out.Source.Deleted = r.settings.DeleteOriginal && !r.summary.Truncated
	out.Source.ThumbHash, out.Source.Color = r.summary.ThumbHash, r.summary.Color.String()
	out.Renditions = r.inOrder()
	decoded := r.summary.Decode.End
	out.Timings = &report.Timings{
		Download: milliseconds(r.opening, r.lastByte), Decode: milliseconds(r.summary.Decode.Start, decoded),
		Encode: milliseconds(decoded, r.encoded), Upload: milliseconds(r.upload.Start, r.upload.End),
		Total: milliseconds(r.started, time.Now()),
	}
	return out
}

// failed sorts an error out: the picture's own fault is a result; a source that is not there is one too; everything
// else is a [*report.Failure].
func (r *run) failed(ctx context.Context, err error) (report.Result, *report.Failure) {
	var rejection *resize.Rejection
	var fault *s3io.Error
	switch {
	case errors.As(err, &rejection):
		out, err := r.rejected(ctx, rejection)
		if err != nil {
			return report.Result{}, newFailure(ctx, r.object, nil, []string{naming.Record(r.object.key)}, err)
		}
		return out, nil
	case errors.As(err, &fault) && fault.Class == s3io.NotFound && fault.Bucket == r.object.bucket && fault.Key == r.object.key:
		out, err := r.gone(ctx)
		if err != nil {
			return report.Result{}, newFailure(ctx, r.object, nil, nil, err)
		}
		return out, nil
	default:
		written := r.inOrder()
		return report.Result{}, newFailure(ctx, r.object, written, r.missing(written), err)
	}
}

// remedies are what an operator can do about a rejection, in the words of the settings and of the Makefile.
var remedies = map[resize.Remedy]string{
	resize.RemedyDecodeHEIC:      "the image's variant s3resizer:heic does it (make image HEIC=1)",
	resize.RemedyAcceptTruncated: "RESIZE_ON_TRUNCATED=accept renders what is there",
}

// reason is that of a rejection, with its remedy.
func reason(rejection *resize.Rejection) string {
	if remedy := remedies[rejection.Remedy]; remedy != "" {
		return rejection.Reason + "; " + remedy
	}
	return rejection.Reason
}

// milliseconds between two instants, to a tenth.
func milliseconds(from, to time.Time) float64 {
	return math.Round(to.Sub(from).Seconds()*1e4) / 10
}
