package naming

import (
	"net/url"
	"strings"
)

// Form encodes a key as S3 does in its events: as in a form, where a space is a plus, but with slashes as they are.
func Form(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// FromForm decodes what [Form] and [Percent] make, which is what S3 has in its events and in the tasks of its batches.
func FromForm(encoded string) (string, error) { return url.QueryUnescape(encoded) }

// Percent encodes a key as it stands in a URL, a copy's source and a manifest of S3 Batch Operations, and as signatures are
// made over it: all but slashes and the unreserved characters of RFC 3986. Read as a form, it is the same key.
func Percent(key string) string { return strings.ReplaceAll(Form(key), "+", "%20") }

// URL names an object in one line of ASCII, s3://bucket/key, for people and for an object's metadata. It is a URL as Go
// writes it (RFC 3986's path), in which fewer characters are escaped than by [Percent]: labels of all releases have it.
func URL(bucket, key string) string {
	return "s3://" + bucket + "/" + (&url.URL{Path: key}).EscapedPath()
}

// FromURL returns the key in a [URL] of the bucket, or "" if it is of another one, or none.
func FromURL(bucket, named string) string {
	escaped, ours := strings.CutPrefix(named, "s3://"+bucket+"/")
	key, err := url.PathUnescape(escaped)
	if !ours || err != nil {
		return ""
	}
	return key
}
