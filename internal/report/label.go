package report

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"

	"s3resizer/internal/naming"
	"s3resizer/s3io"
)

// User metadata of what we write. Our own outputs are known by their source, never by a name.
const (
	metaSource   = "s3resizer-source"
	metaETag     = "s3resizer-source-etag"
	metaSettings = "s3resizer-settings"
	metaSize     = "s3resizer-size"
	metaWidth    = "s3resizer-width"
	metaHeight   = "s3resizer-height"
	metaCopied   = "s3resizer-copied"

	metaOurs = "s3resizer-" // what all of them begin with
)

// Label is what the metadata of an object of ours say of it.
type Label struct {
	Source        string // the source, as [SourceName] has it
	ETag          string // of the upload that it was made from
	Settings      string // their fingerprint
	Size          string // the size's name; of a record ""
	Width, Height int    // pixels; of a record 0
	Copied        string // a digest of what RESIZE_COPY took along, "" for nothing; of a record ""
}

// LabelOf returns the label of a rendition or a record, or false for what is not ours.
func LabelOf(output s3io.Info) (Label, bool) {
	m := output.Metadata
	width, _ := strconv.Atoi(m[metaWidth]) // 0 is no picture's
	height, _ := strconv.Atoi(m[metaHeight])
	l := Label{m[metaSource], m[metaETag], m[metaSettings], m[metaSize], width, height, m[metaCopied]}
	return l, l.Source != ""
}

// Metadata returns the user metadata that say so.
func (l Label) Metadata() map[string]string {
	m := map[string]string{metaSource: l.Source, metaETag: l.ETag, metaSettings: l.Settings}
	if l.Size != "" {
		m[metaSize], m[metaWidth], m[metaHeight] = l.Size, strconv.Itoa(l.Width), strconv.Itoa(l.Height)
	}
	if l.Copied != "" {
		m[metaCopied] = l.Copied
	}
	return m
}

// Foreign returns the user metadata of an object that are no label's. The label of another object may be among them where
// that was copied.
func Foreign(metadata map[string]string) map[string]string {
	theirs := maps.Clone(metadata)
	maps.DeleteFunc(theirs, func(name, _ string) bool { return strings.HasPrefix(name, metaOurs) })
	return theirs
}

// MadeOf reports whether a rendition or a record is of the upload with the given ETag, under the settings with the given
// fingerprint. It is in the metadata, so a HEAD is enough. Of a record it says that the upload is done: its set was
// complete, or it was rejected.
func MadeOf(output s3io.Info, etag, fingerprint string) bool {
	l, _ := LabelOf(output)
	return l.ETag == etag && l.Settings == fingerprint
}

// Names reports whether the source is that object.
func (l Label) Names(bucket, key string) bool { return l.Source == SourceName(bucket, key) }

// Key returns the key of the source, or "" if that is of another bucket, or the label does not have all of it.
func (l Label) Key(bucket string) string {
	if strings.Contains(l.Source, "#") {
		return ""
	}
	return naming.FromURL(bucket, l.Source)
}

// maxSourceName is what the source may take of the 2 KB that S3 allows all user metadata, in bytes.
const maxSourceName = 1500

// SourceName is what a label calls a source: its [naming.URL]. The end of a long one is in place of the rest, which the
// record has; no # stands in one otherwise.
func SourceName(bucket, key string) string {
	name := naming.URL(bucket, key)
	if len(name) <= maxSourceName {
		return name
	}
	sum := sha256.Sum256([]byte(name)) // of two long names that begin alike, each is still of one source
	return name[:maxSourceName-1-hex.EncodedLen(len(sum))] + "#" + hex.EncodeToString(sum[:])
}
