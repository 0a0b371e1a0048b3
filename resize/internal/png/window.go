package png

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// window is a change of the file where the pixels begin: their compressed data (RFC 1950, 2.2) say that no distance in them is
// larger than 32768, which is as much as there can be. Some encoders say less than they use, and zlib then stops; browsers
// have it take no notice.
type window struct {
	start int64 // the first byte of the data
	head  [2]byte
	end   int64  // the checksum of their first chunk
	sum   uint32 // what changes in it
}

// newWindow returns the change for a first chunk of pixels that begins at an offset with these bytes: its length, its type and
// its first two. It returns nil if there is nothing to change.
func newWindow(offset int64, lead []byte) *window {
	size := int64(binary.BigEndian.Uint32(lead))
	was := [2]byte{lead[8], lead[9]}
	if size < 2 || was[0]&15 != 8 || was[0]>>4 >= 7 {
		return nil
	}
	w := &window{start: offset + 8, head: [2]byte{0x78, was[1] &^ 31}, end: offset + 8 + size}
	w.head[1] += byte(31 - (int(w.head[0])<<8|int(w.head[1]))%31)
	// The checksum of a difference is the difference of the checksums, and the rest of the data are the same.
	w.sum = zerosAfter(was, size-2) ^ zerosAfter(w.head, size-2)
	return w
}

// zerosAfter returns the checksum of two bytes and so many zeros.
func zerosAfter(head [2]byte, zeros int64) uint32 {
	sum := crc32.ChecksumIEEE(head[:])
	buffer := make([]byte, min(zeros, 64<<10))
	for zeros > 0 {
		n := min(zeros, int64(len(buffer)))
		sum = crc32.Update(sum, crc32.IEEETable, buffer[:n])
		zeros -= n
	}
	return sum
}

// Mend returns a reader of the file that decoders can read, from one of what [CopyHeader] has copied and of what follows it.
func (h Header) Mend(r io.Reader) io.Reader {
	if h.window == nil {
		return r
	}
	return &mender{r: r, window: *h.window}
}

type mender struct {
	r io.Reader
	window
	at int64
}

func (m *mender) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	for i := range int64(2) {
		if at := m.start + i - m.at; at >= 0 && at < int64(n) {
			p[at] = m.head[i]
		}
	}
	for i := range int64(4) {
		if at := m.end + i - m.at; at >= 0 && at < int64(n) {
			p[at] ^= byte(m.sum >> (24 - 8*i))
		}
	}
	m.at += int64(n)
	return n, err
}
