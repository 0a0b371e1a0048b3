// Package naming knows which key an object has: a rendition's by the template of the settings, a commit record's, and any
// key as it is written where a key can't stand as it is (an event, a URL, a manifest, a label).
//
// It is plain text to text, with nothing of S3's and nothing of pictures.
package naming

import "strings"

// MaxKey is the length that S3 allows a key, in bytes of UTF-8.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const MaxKey = 1024

// Records is the folder of the commit records in the destination bucket.
const Records = ".s3resizer/"

const recordEnding = ".json"

// Record returns the key of an object's commit record.
func Record(key string) string { return Records + key + recordEnding }

// HasRecord reports whether an object's key leaves room for that of a record. One that does not is rejected, and that
// stands in the report and the log alone.
func HasRecord(key string) bool { return len(Record(key)) <= MaxKey }

// Recorded returns the key of the object whose commit record has the key, or "" for what is no record's key.
func Recorded(record string) string {
	key, ours := strings.CutPrefix(record, Records)
	key, whole := strings.CutSuffix(key, recordEnding)
	if !ours || !whole {
		return ""
	}
	return key
}

// SlowNotes is the folder, in the destination bucket, of the notes of uploads that took all the time there was, once. It is not
// that of the records: who listens to new objects there takes each for a record. No key is longer than that of the record.
const SlowNotes = ".s3resizer-slow/"

// SlowNote returns the key of an object's note.
func SlowNote(key string) string { return SlowNotes + key }

// Reserved returns the folder of records or of notes, if a rendition with the key would lie among those, or "".
func Reserved(rendition string) string {
	for _, folder := range []string{Records, SlowNotes} {
		if strings.HasPrefix(rendition, folder) {
			return folder
		}
	}
	return ""
}
