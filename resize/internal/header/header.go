// Package header has what packages jpeg and png share: a copier of what stands before the pixels of a file, which can leave
// parts out.
package header

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"s3resizer/resize/internal/rejection"
)

// Max is how many bytes may stand before the pixels, not counting those that are left out. An ICC profile for print has some
// 2 MB; in a JPEG it can't have more than 16 MB.
const Max = 8 << 20

// Copier copies a file's beginning.
type Copier struct {
	From *bufio.Reader
	To   *bytes.Buffer
}

// Keep copies n bytes and returns them. More than [Max] in all are a [*rejection.Rejection].
func (c Copier) Keep(n int) ([]byte, error) {
	if c.To.Len()+n > Max {
		return nil, rejection.TooLargef("more than %d MiB of metadata, such as a color profile, stand before its pixels; that is the limit", Max>>20)
	}
	at := c.To.Len()
	_, err := io.CopyN(c.To, c.From, int64(n))
	return c.To.Bytes()[at:], err
}

// Aside returns n bytes, and leaves them out.
func (c Copier) Aside(n int) ([]byte, error) {
	aside := make([]byte, n)
	_, err := io.ReadFull(c.From, aside)
	return aside, err
}

// Skip leaves n bytes out.
func (c Copier) Skip(n int) error {
	_, err := c.From.Discard(n)
	return err
}

// Refusal returns err if it is a [*rejection.Rejection], else nil. Any other error will show up again, when the decoder goes on
// reading.
func Refusal(err error) error {
	if refusal := (*rejection.Rejection)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return nil
}
