package jpeg

import (
	"bytes"
	"errors"
	"io"
)

// End reads a JPEG and notices whether its reader, libjpeg, wants all of the picture's data. Damaged data often makes
// more blocks than the whole did; libjpeg, having enough of them, ends early without a warning.
//
// It gives the last byte before the end marker by itself. Whoever asks for it has used what was before it, but for what it
// keeps in advance: libjpeg, up to 8 bytes.
//
// And it notices codes that can't be, of ones alone: no Huffman code is (T.81, C.2), and libjpeg's quick way to decode takes
// them for zeros without a warning.
type End struct {
	Reached   bool // the decoder has asked for the last byte
	Senseless bool // there were codes that can't be

	r        io.Reader
	header   int    // bytes in which a marker means nothing: it may be a thumbnail's
	read     int    // bytes
	last     byte   // that was read
	rest     []byte // from the last byte before the marker on
	found    bool   // the marker
	ones     int    // bytes of ones, each with its zero behind it, that follow one another
	follower int    // where the zero behind the next of them would be
}

// NewEnd returns an End for r, of which so many bytes are the header, as by [CopyHeader].
func NewEnd(r io.Reader, header int) *End { return &End{r: r, header: header} }

// manyOnes is how many bytes of ones, one after the other, are more than chance: in data like noise, one in 2³² bytes.
const manyOnes = 4

func (e *End) Read(p []byte) (int, error) {
	if e.found {
		e.Reached = true
		if len(e.rest) > 0 {
			n := copy(p, e.rest)
			e.rest = e.rest[n:]
			return n, nil
		}
		return e.r.Read(p)
	}
	n, err := io.ReadFull(e.r, p) // nothing but the end is a short read: see internal/vips/source.c
	if n == 0 {
		return 0, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	at := e.marker(p[:n])
	e.header, e.read, e.last = max(0, e.header-n), e.read+n, p[n-1]
	switch {
	case at == n: // it is not there
	case at < 2:
		e.found, e.Reached = true, true
	default:
		e.found = true
		e.rest = bytes.Clone(p[at-1 : n])
		n = at - 1
	}
	return n, err
}

// marker returns where in p the end marker is, -1 if all but its first byte is, and len(p) if it is not there; and it
// counts bytes of ones on the way.
func (e *End) marker(p []byte) int {
	at := min(e.header, len(p)) - 1
	if at >= 0 || e.last != 0xff {
		at = after(p, at+1)
	}
	for ; at+1 < len(p); at = after(p, at+1) {
		switch p[at+1] {
		case markerEOI:
			return at
		case 0:
			if e.read+at+1 != e.follower {
				e.ones = 0
			}
			e.ones++
			e.follower = e.read + at + 3
			e.Senseless = e.Senseless || e.ones >= manyOnes
		}
	}
	return len(p)
}

// after returns where the first byte of ones is from there on, or len(p).
func after(p []byte, from int) int {
	if i := bytes.IndexByte(p[from:], 0xff); i >= 0 {
		return from + i
	}
	return len(p)
}
