// Package header copies what stands before the pixels of a picture that streams, without what is of no use to its decoder:
// the part that jpeg and png have in common.
package header

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"s3resizer/resize/internal/rejection"
)

// Max is what may stand before the pixels, in bytes, not counting what is left out of it. An ICC profile for print is some
// 2 MB; a JPEG's can't be more than 16.
const Max = 8 << 20

// Copier copies a file's beginning.
type Copier struct {
	From *bufio.Reader
	To   *bytes.Buffer
}

// Keep copies n bytes, and returns them.
func (c Copier) Keep(n int) ([]byte, error) {
	if c.To.Len()+n > Max {
		return nil, rejection.TooLargef("more than %d MiB of metadata, such as a color profile, stand before its pixels; that is the limit", Max>>20)
	}
	at := c.To.Len()
	_, err := io.CopyN(c.To, c.From, int64(n))
	return c.To.Bytes()[at:], err
}

// Skip leaves n bytes out.
func (c Copier) Skip(n int) error {
	_, err := c.From.Discard(n)
	return err
}

// Refusal returns err if it is a [*rejection.Rejection], else nil. Any other error the decoder, or who reads the input, will
// meet again.
func Refusal(err error) error {
	if refusal := (*rejection.Rejection)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return nil
}
