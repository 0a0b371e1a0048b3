package png

import (
	"encoding/binary"
	"io"
)

// End passes a PNG on, and notices whether its chunks follow one another up to the last one, IEND (PNG, section 5.3).
type End struct {
	r     io.Reader
	skip  uint64  // bytes to the next chunk
	head  [8]byte // length and type of the next chunk
	known int     // how many bytes of head have come
	last  bool    // the current chunk is IEND
}

// NewEnd returns an [End] that reads from r.
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
			e.skip, e.known = uint64(binary.BigEndian.Uint32(e.head[:]))+4, 0 // with the checksum
		}
	}
	return n, err
}

func (e *End) ended() bool { return e.last && e.skip == 0 }

// Reached reads on, past what the decoder has read, and reports whether the last chunk is there.
func (e *End) Reached() bool {
	buffer := make([]byte, 4096)
	for !e.ended() {
		if _, err := e.Read(buffer); err != nil {
			return e.ended()
		}
	}
	return true
}
