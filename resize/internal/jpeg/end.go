package jpeg

import (
	"bytes"
	"errors"
	"io"
)

// End passes a JPEG on to libjpeg, and notices whether libjpeg reads all of the picture's data. Damaged data often makes
// more blocks than there should be; as soon as libjpeg has enough of them, it stops without a warning.
//
// To notice, End hands over the last byte before the end marker by itself. When that byte is asked for, all data before it
// has been used, but for the up to 8 bytes that libjpeg reads ahead.
//
// End also notices codes of ones alone. There are none in a Huffman table (T.81, C.2), but libjpeg's fast path takes them
// for zeros without a warning. And markers that don't exist (T.81, B.1): the data ends there for libjpeg, and in arithmetic coding
// it makes up the rest without a warning.
type End struct {
	Reached   bool // the last byte of the data was asked for
	Senseless bool // there were codes of ones alone, or a marker that does not exist
	TooMany   bool // there were more scans than it may have, and what follows was not handed over

	r        io.Reader
	scans    int    // to come, at most, behind the header's
	header   int    // bytes to come in which a marker means nothing: it may be that of a thumbnail
	read     int    // bytes so far
	last     byte   // the last of them
	rest     []byte // from the last byte before the marker on
	found    bool   // the end marker was found
	ones     int    // how many bytes of ones, each with the zero stuffed after it, stand in a row
	follower int    // where the zero after the next of them would be
}

// NewEnd returns an [End] that reads from r, of which the first header bytes are what [CopyHeader] has kept. There may be so many
// scans: one of nothing takes few bytes, and a look at every block.
func NewEnd(r io.Reader, header, scans int) *End { return &End{r: r, header: header, scans: scans - 1} }

// manyOnes is how many bytes of ones in a row are no chance: in noise, that happens once in 2³² bytes.
const manyOnes = 4

func (e *End) Read(p []byte) (int, error) {
	if e.TooMany {
		return 0, io.EOF
	}
	if e.found {
		e.Reached = true
		if len(e.rest) > 0 {
			n := copy(p, e.rest)
			e.rest = e.rest[n:]
			return n, nil
		}
		return e.r.Read(p)
	}
	n, err := io.ReadFull(e.r, p) // only the end of the file may make a read short: see internal/vips/source.c
	if n == 0 {
		return 0, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	at := e.marker(p[:n])
	e.header, e.read, e.last = max(0, e.header-n), e.read+n, p[n-1]
	switch {
	case e.TooMany:
		return max(0, at), io.EOF
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

// marker returns where in p the end marker begins, or that of a scan that is too much: -1 if its first byte was the last one of the
// read before, len(p) if it is not there. On the way it counts bytes of ones, and looks for markers that don't exist.
func (e *End) marker(p []byte) int {
	at := min(e.header, len(p)) - 1
	if at >= 0 || e.last != 0xff {
		at = after(p, at+1)
	}
	for ; at+1 < len(p); at = after(p, at+1) {
		switch b := p[at+1]; {
		case b == markerEOI:
			return at
		case b == markerSOS:
			if e.scans--; e.scans < 0 {
				e.TooMany = true
				return at
			}
		case 1 < b && b < 0xc0:
			e.Senseless = true
		case b == 0:
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

// after returns where the next byte of ones is, from an index on, or len(p).
func after(p []byte, from int) int {
	if i := bytes.IndexByte(p[from:], 0xff); i >= 0 {
		return from + i
	}
	return len(p)
}
