package resize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrSuspect is what [Source.Render] returns for a JPEG that may be damaged, or merely odd: as it streams by, the two can't
// be told apart. Nothing has been emitted then. See [Source.RenderSuspect].
var ErrSuspect = errors.New("the decoder is not sure of this JPEG: it has to be examined as a whole")

// RenderSuspect does what Render does for a picture that Render suspects. r gives the same file from its first byte; it
// is read to its end, and held whole.
//
// Padding between segments, parameters that nobody heeds and other harmless oddities are passed over. A file that ends too
// soon is a [*Rejection] that says where, unless spec accepts it and half of its rows, at least, are there: each with all of
// its coefficients, though maybe not to their last bit if it is progressive. Anything else is one too.
func (s *Source) RenderSuspect(ctx context.Context, r io.Reader, spec Spec, emit func(Rendition) error) error {
	file, err := io.ReadAll(&faultKeeper{ctx: ctx, r: r})
	if err != nil {
		return fmt.Errorf("read the picture again: %w", err)
	}
	found := examineJPEG(ctx, file, int64(s.Width)*int64(s.Height))
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("examine: %w", err)
	}
	if err := found.judge(spec); err != nil {
		return err
	}
	s.Truncated = found.cut
	s.input.close()
	s.input = examinedInput(ctx, found.file)
	return s.Render(ctx, spec, emit)
}

// judge decides what is to become of a picture.
func (f jpegFinding) judge(spec Spec) error {
	where := fmt.Sprintf("row %d of %d", f.rows, f.height)
	switch {
	case f.damage != nil:
		return &Rejection{ClassCorrupt, fmt.Sprintf("the jpeg is damaged at %s or above: %v", where, f.damage)}
	case f.cut && 2*f.rows < f.height:
		return &Rejection{ClassCorrupt, fmt.Sprintf("the jpeg is cut short at %s, before its half", where)}
	case f.cut && !spec.AcceptTruncated:
		return &Rejection{ClassCorrupt, fmt.Sprintf("the jpeg is cut short at %s; RESIZE_ON_TRUNCATED=accept renders what is there", where)}
	}
	return nil
}

// jpegEnd reads a JPEG and notices whether its reader, libjpeg, wants all of the picture's data. Damaged data often makes
// more blocks than the whole did; libjpeg, having enough of them, ends early without a warning.
//
// It gives the last byte before the end marker by itself. Whoever asks for it has used what was before it, but for what it
// keeps in advance: libjpeg, up to 8 bytes.
type jpegEnd struct {
	r       io.Reader
	header  int    // bytes in which a marker means nothing: it may be a thumbnail's
	last    byte   // that was read
	rest    []byte // from the last byte before the marker on
	found   bool   // the marker
	reached bool   // the reader has asked for rest
}

var endOfImage = []byte{0xff, 0xd9}

func (e *jpegEnd) Read(p []byte) (int, error) {
	if e.found {
		e.reached = true
		if len(e.rest) > 0 {
			n := copy(p, e.rest)
			e.rest = e.rest[n:]
			return n, nil
		}
		return e.r.Read(p)
	}
	n, err := io.ReadFull(e.r, p) // nothing but the end is a short read: see buffered_read in native.c
	if n == 0 {
		return 0, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	from := min(e.header, n)
	at := bytes.Index(p[from:n], endOfImage)
	split := e.last == 0xff && p[0] == 0xd9 && from == 0
	e.header, e.last = e.header-from, p[n-1]
	switch {
	case split || at >= 0 && from+at < 2:
		e.found, e.reached = true, true
	case at >= 0:
		e.found = true
		keep := from + at - 1
		e.rest = bytes.Clone(p[keep:n])
		n = keep
	}
	return n, err
}

// jpegHeaderLength is how many bytes there are before the data of the first scan, or as many as head has: the marker
// segments up to the scan header (ITU-T T.81, B.2.1).
func jpegHeaderLength(head []byte) int {
	for at := 2; at+4 <= len(head); {
		if head[at] != 0xff || head[at+1] == 0xff { // bytes between segments; fill bytes
			at++
			continue
		}
		marker := head[at+1]
		if marker < 0xc0 || marker >= 0xd0 && marker <= 0xd9 { // no parameters
			at += 2
			continue
		}
		at += 2 + int(head[at+2])<<8 + int(head[at+3])
		if marker == 0xda {
			return min(at, len(head))
		}
	}
	return len(head)
}
