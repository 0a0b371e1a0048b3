package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Fingerprint tells renditions made under other settings apart: it changes with everything that decides what a rendition is
// or is called, and stands in each one's metadata. It is the first 6 bytes of the SHA-256 of [Settings.Canonical], in
// hexadecimal.
func (s Settings) Fingerprint() string {
	sum := sha256.Sum256([]byte(s.Canonical()))
	return hex.EncodeToString(sum[:6])
}

// canonicalVersion is that of the text. Another one makes every rendition of everybody stale.
const canonicalVersion = "s3resizer 2\n"

// Canonical is the text that the fingerprint is made of, docs/settings.md: its version, and then a line name=value for each
// setting that decides what a rendition is and that is not as by default, in the order of their names. A setting that comes
// later changes nothing as long as it is not set; nor does another default, because what was made with the old one is not
// worse for it.
//
// In a value, what is not printable ASCII stands as %XX, and so does a percent sign. Of numbers for each format only those
// that are not as by default are there, in the order of the formats' names.
func (s Settings) Canonical() string {
	usual := defaults()
	var lines []string
	for _, row := range Table {
		if row.decides == nil {
			continue
		}
		if differs := row.decides(s, usual); differs != "" {
			lines = append(lines, row.Name+"="+escaped(differs)+"\n")
		}
	}
	slices.Sort(lines)
	return canonicalVersion + strings.Join(lines, "")
}

// value is what differs of a setting that is one value.
func value(of func(s Settings) string) func(now, usual Settings) string {
	return func(now, usual Settings) string {
		if of(now) == of(usual) {
			return ""
		}
		return of(now)
	}
}

// numbers is what differs of a setting that has a number for each format.
func numbers(of func(s *Settings) map[string]*int) func(now, usual Settings) string {
	return func(now, usual Settings) string {
		var differ []string
		for format, number := range of(&now) {
			if *number != *of(&usual)[format] {
				differ = append(differ, fmt.Sprintf("%s=%d", format, *number))
			}
		}
		slices.Sort(differ)
		return strings.Join(differ, ",")
	}
}

// list writes values as settings have them.
func list[T any](values []T, text func(T) string) string {
	var all []string
	for _, v := range values {
		all = append(all, text(v))
	}
	return strings.Join(all, ",")
}

func escaped(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
