package handler

import (
	"strings"

	"s3resizer/s3io"
)

// Records is the folder of the commit records in the destination bucket.
const Records = ".s3resizer/"

const recordEnding = ".json"

// RecordKey is where the commit record of an object is kept.
func RecordKey(key string) string { return Records + key + recordEnding }

// RecordedKey returns the key of the object whose commit record is kept there, or "" for what is no record's key.
func RecordedKey(record string) string {
	key, ours := strings.CutPrefix(record, Records)
	key, whole := strings.CutSuffix(key, recordEnding)
	if !ours || !whole {
		return ""
	}
	return key
}

// MadeOf tells whether a rendition or a record is of the upload with the given ETag, under the settings with the given
// fingerprint. It is in the metadata, so a HEAD is enough. Of a record it says that the upload is done: its set was
// complete, or it was rejected.
func MadeOf(output s3io.Info, etag, fingerprint string) bool {
	return output.Metadata[metaETag] == etag && output.Metadata[metaSettings] == fingerprint
}
