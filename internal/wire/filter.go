package wire

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Filter says which of a bucket's events are meant.
type Filter struct {
	prefixes []string
	suffixes []string
	events   []string
}

// NewFilter is for objects whose keys begin with any of the prefixes and end with any of the suffixes (any key, if there are
// none); both as keys have them, in upper or lower case. With deletions, it is for s3:ObjectRemoved:* and
// s3:LifecycleExpiration:* beside s3:ObjectCreated:*.
func NewFilter(prefixes, suffixes []string, deletions bool) (Filter, error) {
	f := Filter{sorted(prefixes), sorted(suffixes), []string{"s3:ObjectCreated:*"}}
	if deletions {
		f.events = []string{"s3:LifecycleExpiration:*", "s3:ObjectCreated:*", "s3:ObjectRemoved:*"} // sorted
	}
	for _, part := range slices.Concat(prefixes, suffixes) {
		if strings.Contains(part, "*") {
			return Filter{}, fmt.Errorf("%q: filters have no wildcards: name what keys begin with behind the bucket or by --prefix, and what they end with by --suffix", part)
		}
		if len(encode(part)) > 1024 {
			return Filter{}, fmt.Errorf("%q: S3 takes at most 1024 characters, encoded", part)
		}
	}
	return f, cmp.Or(apart("--prefix", f.prefixes, strings.HasPrefix), apart("--suffix", f.suffixes, strings.HasSuffix))
}

func sorted(parts []string) []string { return slices.Compact(slices.Sorted(slices.Values(parts))) }

// apart refuses parts of which one covers another one.
func apart(flag string, parts []string, covers func(long, short string) bool) error {
	for _, long := range parts {
		for _, short := range parts {
			if long != short && covers(long, short) {
				return fmt.Errorf("%s %q covers %[1]s %[3]q, and S3 does not take both: leave the longer one out", flag, short, long)
			}
		}
	}
	return nil
}

// entries are what a bucket needs for f: S3 takes one prefix and one suffix in each. An id follows from where its entry leads and for
// which keys, not from the events, so that an entry for others is replaced.
func (f Filter) entries(to Target) []entry {
	var all []entry
	for _, prefix := range orAny(f.prefixes) {
		for _, suffix := range orAny(f.suffixes) {
			e := entry{kind: to.kind, arn: to.arn.String(), events: f.events, prefix: encode(prefix), suffix: encode(suffix)}
			sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{string(e.kind), e.arn, e.prefix, e.suffix}))
			e.id = idPrefix + hex.EncodeToString(sum[:6])
			all = append(all, e)
		}
	}
	return all
}

func orAny(parts []string) []string {
	if len(parts) == 0 {
		return []string{""}
	}
	return parts
}

// names reports whether f, where it says anything, says e's prefix and suffix.
func (f Filter) names(e entry) bool {
	says := func(parts []string, as string) bool {
		return len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool { return encode(part) == as })
	}
	return says(f.prefixes, e.prefix) && says(f.suffixes, e.suffix)
}

// encode writes a part of a key as S3 wants it in a filter: a space is a plus, and what is not among the safe
// characters of keys is percent-encoded.
func encode(part string) string {
	var b strings.Builder
	for _, c := range []byte(part) {
		switch {
		case c == ' ':
			b.WriteByte('+')
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/!-_.*'()", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// decode undoes encode; what somebody wrote otherwise stays as it is.
func decode(part string) string {
	if decoded, err := url.QueryUnescape(part); err == nil {
		return decoded
	}
	return part
}
