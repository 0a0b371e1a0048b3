package icc

import (
	"bytes"
	"encoding/binary"
)

// Bounded returns a profile without its multi-process elements (D2Bx and B2Dx, ICC.1:2010, 9.2.17 to 9.2.24 and 10.14). They may be
// as many as fit in the file, and each is computed for every pixel, in floats. The standard has every profile with them say the
// same by a matrix or a table, for those that don't know them. A profile without any is returned as it is.
func Bounded(profile []byte) []byte {
	if len(profile) < 132 {
		return profile
	}
	bounded := profile
	for at, left := 132, binary.BigEndian.Uint32(profile[128:]); left > 0 && at+12 <= len(profile); at, left = at+12, left-1 {
		if name := string(profile[at : at+3]); name == "D2B" || name == "B2D" {
			if &bounded[0] == &profile[0] {
				bounded = bytes.Clone(profile)
			}
			copy(bounded[at:], "none") // a tag that nobody asks for
		}
	}
	return bounded
}
