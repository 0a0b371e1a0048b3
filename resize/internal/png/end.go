package png

import (
	"encoding/binary"
	"io"
)

// End reads a PNG and notices whether its chunks follow one another up to the last one, IEND (PNG, section 5.3).
type End struct {
	r     io.Reader
	skip  uint64  // bytes to the next chunk
	head  [8]byte // of a chunk: its length and type
	known int     // bytes of head
	last  bool    // it is IEND
}

// NewEnd returns an End for r.
func NewEnd(r io.Reader) *End { return &End{r: r, skip: 8} }

func (e *End) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	for rest := p[:n]; len(rest) > 0 && !e.ended(); {
		if e.skip > 0 {
			step := min(e.skip, uint64(len(rest)))
			e.skip, rest = e.skip-step, rest[step:]
			continue
		}
		step := copy(e.head[e.known:], rest)
		rest = rest[step:]
		if e.known += step; e.known == len(e.head) {
			e.last = string(e.head[4:]) == "IEND"
			e.skip, e.known = uint64(binary.BigEndian.Uint32(e.head[:]))+4, 0 // and its checksum
		}
	}
	return n, err
}

func (e *End) ended() bool { return e.last && e.skip == 0 }

// Reached reads on, behind the last row, and reports whether the end is there.
func (e *End) Reached() bool {
	buffer := make([]byte, 4096)
	for !e.ended() {
		if _, err := e.Read(buffer); err != nil {
			return e.ended()
		}
	}
	return true
}
