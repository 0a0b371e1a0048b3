package planar

// #include "planar.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// Decoder is a JPEG whose header was read. Close it.
type Decoder struct {
	Width, Height int // pixels, as stored
	Grey          bool
	Header        int // bytes, up to those of the first scan's data

	c *C.Decoder
	// What libjpeg holds of a picture in several scans, as progressive ones are: two bytes a sample; else 0.
	coefficients int64
}

// Open reads the header of a JPEG from its first bytes, which must be all in front of the pixels, and may be more.
//
// The error is ErrDeclined, wrapped, for any picture that is not of the kind that this package takes, and for any header
// that libjpeg is not sure of.
func Open(start []byte) (*Decoder, error) {
	d := &Decoder{c: C.planar_new_decoder()}
	if d.c == nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, ErrMemory)
	}
	if err := d.header(start); err != nil {
		d.Close()
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return d, nil
}

func (d *Decoder) header(start []byte) error {
	var used C.size_t
	var header C.Header
	progress := C.planar_read_header(d.c, bytesOf(start), C.size_t(len(start)), &used, &header)
	switch progress {
	case C.DONE:
	case C.MORE:
		return errors.New("its header is not complete")
	default:
		return newFault(C.planar_decoder_fault(d.c))
	}
	if header.declined != nil {
		return errors.New(C.GoString(header.declined))
	}
	d.Width, d.Height, d.Grey, d.coefficients = int(header.width), int(header.height), header.channels == 1, int64(header.coefficients)
	d.Header = int(used)
	return nil
}

// bytesOf is where data begins; of nothing, nowhere.
func bytesOf(data []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(data))) }

// step is how much is asked for at a time, in bytes. It has to hold the longest segment, of 64 KB; and libjpeg decodes in its
// quick way only as long as there are some 3 KB more.
const step = 128 << 10

// Memory is how many bytes decoding at 1/shrink takes: the planes, and what libjpeg holds of a picture in several scans.
func (d *Decoder) Memory(shrink int) (planes, coefficients int64, err error) {
	var bytes C.size_t
	if C.planar_choose_shrink(d.c, C.int(shrink), &bytes) != C.DONE {
		return 0, 0, newFault(C.planar_decoder_fault(d.c))
	}
	return int64(bytes), d.coefficients, nil
}

// Decode decodes the picture at 1/shrink, 1, 2, 4 or 8, reading from r what comes behind the header, and returns when all
// rows are there. Of r it asks 128 KiB at a time, when it can't go on without; it is quickest if it gets them. It can be
// called once.
//
// A picture of which libjpeg is not sure is a [*Fault], and so is one that ends too soon; an error of r, or of ctx, is
// returned as it is, wrapped. The end of ctx ends it between two steps, or rows.
func (d *Decoder) Decode(ctx context.Context, r io.Reader, shrink int) (*Planes, error) {
	if _, _, err := d.Memory(shrink); err != nil {
		return nil, err
	}
	defer d.stopAtEnd(ctx)()
	data, have := make([]byte, step), 0
	for {
		var used C.size_t
		progress := C.planar_decode(d.c, bytesOf(data), C.size_t(have), &used)
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
		switch progress {
		case C.DONE:
			return d.planes(), nil
		case C.FAILED:
			return nil, newFault(C.planar_decoder_fault(d.c))
		}
		have = copy(data, data[used:have])
		if progress == C.AGAIN {
			continue
		}
		if have == len(data) {
			return nil, &Fault{Text: "a segment that has no end"}
		}
		n, err := r.Read(data[have:])
		have += n
		switch {
		case n > 0: // an error comes again
		case errors.Is(err, io.EOF):
			return nil, &Fault{Text: "the file ends"}
		case err != nil:
			return nil, fmt.Errorf("read the picture: %w", err)
		}
	}
}

// stopAtEnd has libjpeg stop when ctx ends. Call what it returns before d is closed.
func (d *Decoder) stopAtEnd(ctx context.Context) (release func()) {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		C.planar_stop_decoder(d.c)
	})
	return func() {
		if !stop() {
			<-stopped
		}
	}
}

func (d *Decoder) planes() *Planes {
	p := &Planes{Width: d.Width, Height: d.Height, c: make([]C.Plane, 3)}
	C.planar_take_planes(d.c, &p.c[0])
	if d.Grey {
		p.c = p.c[:1]
	}
	return p
}

// Close releases what Open holds, not the planes that were decoded. It can be called more than once.
func (d *Decoder) Close() {
	if d.c != nil {
		C.planar_free_decoder(d.c)
		d.c = nil
	}
}
