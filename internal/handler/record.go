package handler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"s3resizer/internal/config"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// Records is the folder of the commit records in the destination bucket.
const Records = ".s3resizer/"

const recordEnding = ".json"

// RecordKey is where the commit record of an object is kept.
func RecordKey(key string) string { return Records + key + recordEnding }

// HasRecord tells whether an object's key leaves room for that of a record. One that does not is rejected, and that
// stands in the report and the log alone.
func HasRecord(key string) bool { return len(RecordKey(key)) <= maxKey }

// RecordedKey returns the key of the object whose commit record is kept there, or "" for what is no record's key.
func RecordedKey(record string) string {
	key, ours := strings.CutPrefix(record, Records)
	key, whole := strings.CutSuffix(key, recordEnding)
	if !ours || !whole {
		return ""
	}
	return key
}

// ReadRecord returns the commit record of an object, and the object that it is itself; what is not a record of ours has
// no status. If there is none, the error is of the class [s3io.NotFound].
func ReadRecord(ctx context.Context, store interface {
	Open(ctx context.Context, bucket, key string) (*s3io.Object, error)
}, destination, key string) (Result, s3io.Info, error) {
	body, err := store.Open(ctx, destination, RecordKey(key))
	if err != nil {
		return Result{}, s3io.Info{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxRecord))
	if err != nil {
		return Result{}, s3io.Info{}, err
	}
	var record Result
	if json.Unmarshal(data, &record) != nil {
		return Result{}, body.Info, nil
	}
	return record, body.Info, nil
}

// MadeOf tells whether a rendition or a record is of the upload with the given ETag, under the settings with the given
// fingerprint. It is in the metadata, so a HEAD is enough. Of a record it says that the upload is done: its set was
// complete, or it was rejected.
func MadeOf(output s3io.Info, etag, fingerprint string) bool {
	return output.Metadata[metaETag] == etag && output.Metadata[metaSettings] == fingerprint
}

// Label is what the metadata of an object of ours say of it.
type Label struct {
	Source        string // its URL, cut short where it is very long: see [Label.Names] and [Label.Key]
	ETag          string // of the upload that it was made from
	Settings      string // their fingerprint
	Size          string // the size's name; of a record ""
	Width, Height int    // pixels; of a record 0
}

// LabelOf returns the label of a rendition or a record, or false for what is not ours.
func LabelOf(output s3io.Info) (Label, bool) {
	m := output.Metadata
	width, _ := strconv.Atoi(m[metaWidth]) // 0 is no picture's
	height, _ := strconv.Atoi(m[metaHeight])
	l := Label{m[metaSource], m[metaETag], m[metaSettings], m[metaSize], width, height}
	return l, l.Source != ""
}

// Names tells whether the source is that object.
func (l Label) Names(bucket, key string) bool { return l.Source == sourceName(bucket, key) }

// Key returns the key of the source, or "" if that is of another bucket, or the label does not have all of it.
func (l Label) Key(bucket string) string {
	escaped, ours := strings.CutPrefix(l.Source, "s3://"+bucket+"/")
	key, err := url.PathUnescape(escaped)
	if !ours || err != nil || strings.Contains(escaped, "#") {
		return ""
	}
	return key
}

// sourceName is what a label calls a source. The end of a long name is in place of the rest, which the record has; no #
// stands in one otherwise.
func sourceName(bucket, key string) string {
	name := "s3://" + bucket + "/" + (&url.URL{Path: key}).EscapedPath()
	if len(name) <= maxSourceName {
		return name
	}
	sum := sha256.Sum256([]byte(name)) // of two long names that begin alike, each is still of one source
	return name[:maxSourceName-1-hex.EncodedLen(len(sum))] + "#" + hex.EncodeToString(sum[:])
}

// SetOf returns the renditions that there have to be of a source under the settings, as far as its record tells: of a
// resized picture every size in every format, of a rejected upload the older set that the record names. What the record
// says of a rendition's bytes is taken over; if it does not name one, they are 0.
func SetOf(settings config.Settings, record Result) []Rendition {
	if record.Status != Resized {
		if record.Previous == nil {
			return nil
		}
		return record.Previous.Renditions
	}
	source := &resize.Source{Format: record.Source.Format, Width: record.Source.Width, Height: record.Source.Height}
	source.Alpha = hadAlpha(source, settings.Formats, record.Renditions)
	var set []Rendition
	for _, size := range settings.Sizes {
		for _, format := range source.Outputs(settings.Formats) {
			wanted := Rendition{
				Size: size.Name, Bucket: settings.DestBucket.For(record.Source.Bucket), Format: format, ContentType: format.MediaType(),
				Key: settings.Key.For(record.Source.Key, size.Name, source.Format, format),
			}
			wanted.Width, wanted.Height = source.Fit(size.Width)
			if i := slices.IndexFunc(record.Renditions, func(r Rendition) bool { return r.Key == wanted.Key }); i >= 0 {
				wanted.Bytes, wanted.ETag = record.Renditions[i].Bytes, record.Renditions[i].ETag
			}
			set = append(set, wanted)
		}
	}
	return set
}

// hadAlpha finds out what a record does not say, and the format of some renditions depends on.
func hadAlpha(source *resize.Source, wanted []resize.Format, made []Rendition) bool {
	var formats []resize.Format
	for _, r := range made {
		if !slices.Contains(formats, r.Format) {
			formats = append(formats, r.Format)
		}
	}
	with := *source
	with.Alpha = true
	return slices.Equal(formats, with.Outputs(wanted)) || slices.Contains(formats, resize.PNG) && !slices.Contains(formats, resize.JPEG)
}
