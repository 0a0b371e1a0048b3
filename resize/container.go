package resize

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// A file's outer structure is walked here before libvips sees it. libvips keeps every comment, decompresses every text,
// counts the frames of a WebP in time that grows with their square, and follows a TIFF's directories wherever they lead;
// a few hundred kilobytes can cost it seconds, or hundreds of megabytes. The walk takes neither, and learns on its way
// what the decoder will have to hold.

// layout is what a file's outer structure says of how the picture is stored.
type layout struct {
	header       int   // bytes of what copyHeader has kept of a JPEG: what follows is coded data
	coefficients int64 // bytes that a JPEG's decoder holds until the last scan is read; 0: it goes row by row
	interlaced   bool  // a PNG in Adam7's order
	lossless     bool  // a WebP
	rows         int   // of a TIFF that are decoded at once; 0 for those that are read one by one
}

// maxHeader is what may stand in front of the pixels of a format that streams, in bytes, not counting what is left out
// of it. An ICC profile for print is some 2 MB; a JPEG's can't be more than 16.
const maxHeader = 8 << 20

// header copies a file's beginning, without what is of no use.
type header struct {
	from *bufio.Reader
	to   *bytes.Buffer
}

// keep copies n bytes, and returns them.
func (h *header) keep(n int) ([]byte, error) {
	if h.to.Len()+n > maxHeader {
		return nil, rejection.TooLargef("more than %d MiB of metadata, such as a color profile, stand before its pixels; that is the limit", maxHeader>>20)
	}
	at := h.to.Len()
	_, err := io.CopyN(h.to, h.from, int64(n))
	return h.to.Bytes()[at:], err
}

func (h *header) skip(n int) error {
	_, err := h.from.Discard(n)
	return err
}

// copyHeader copies what stands before the pixels. Where the structure is broken it stops: the decoder knows better
// what can be made of the rest.
func copyHeader(format Format, from *bufio.Reader, to *bytes.Buffer) (layout, error) {
	h := &header{from, to}
	copying := h.jpeg
	if format == PNG {
		copying = h.png
	}
	found, err := copying()
	found.header = to.Len()
	if rejection := (*Rejection)(nil); errors.As(err, &rejection) {
		return layout{}, err
	}
	return found, nil // the decoder, or who reads the input, will meet any other error again
}

// jpeg copies up to the data of the first scan (ITU-T T.81, B.2.1). Of the application segments, JFIF's, Adobe's, EXIF and
// ICC profiles have a say in the pixels. All others are left out: comments, XMP, thumbnails, the index of a phone's
// further pictures.
func (h *header) jpeg() (layout, error) {
	var found layout
	var frame []byte // ITU-T T.81, B.2.2
	if _, err := h.keep(2); err != nil {
		return found, err
	}
	for {
		lead, err := h.from.Peek(4) // 0xff, marker, length with itself
		if err != nil {
			return found, err
		}
		marker, length := lead[1], int(lead[2])<<8+int(lead[3])
		switch {
		case lead[0] != 0xff || marker == 0xff || marker == 0: // garbage, or a fill byte
			_, err = h.keep(1)
		case marker == markerTEM || marker >= markerRST0 && marker <= markerSOI: // without a length
			_, err = h.keep(2)
		case marker == markerEOI || length < 2: // the end, or nonsense
			return found, nil
		case marker == markerCOM || marker > markerAPP0 && marker <= markerAPP15 && !h.wanted(marker):
			err = h.skip(2 + length)
		case marker == markerSOS:
			scan, err := h.keep(2 + length)
			if err == nil && len(scan) > 4 && len(frame) > 9 {
				found.coefficients = coefficients(frame, int(scan[4]))
			}
			return found, err
		default:
			var segment []byte
			segment, err = h.keep(2 + length)
			if err == nil && isFrame(marker) && len(segment) > 4 {
				frame = bytes.Clone(segment)
				err = readable(frame)
			}
		}
		if err != nil {
			return found, err
		}
	}
}

// readable refuses the frames that libjpeg doesn't decode, or that libvips would call damaged.
func readable(frame []byte) error {
	if bits := frame[4]; bits != 8 {
		return rejection.Unsupportedf("a JPEG of %d bits a sample is not read; 8 are", bits)
	}
	if process := frame[1] & 0xf; process&3 == 3 || process > 4 && process < 9 || process > 12 {
		return rejection.Unsupportedf("a lossless or hierarchical JPEG is not read; a sequential or progressive one is")
	}
	return nil
}

// wanted tells whether the application segment to come is one that libvips makes use of.
func (h *header) wanted(marker byte) bool {
	name := map[byte]string{markerAPP0 + 1: "Exif\x00", markerAPP0 + 2: "ICC_PROFILE\x00", markerAPP0 + 14: "Adobe"}[marker]
	start, _ := h.from.Peek(4 + len(name))
	return name != "" && len(start) > 4 && string(start[4:]) == name
}

// coefficients is how many bytes of them a decoder holds for the frame whose first scan has so many components: none if
// that scan is all there is, else two for each sample of every component, in whole blocks of 8 × 8.
func coefficients(frame []byte, inFirstScan int) int64 {
	height, width, components := int64(frame[5])<<8+int64(frame[6]), int64(frame[7])<<8+int64(frame[8]), int(frame[9])
	progressive := frame[1]&3 == 2
	if !progressive && inFirstScan >= components || len(frame) < 10+3*components {
		return 0
	}
	var blocks, h, v int64
	var sampling [][2]int64
	for i := range components {
		factors := frame[10+3*i+1]
		sampling = append(sampling, [2]int64{int64(factors >> 4), int64(factors & 15)})
		h, v = max(h, sampling[i][0]), max(v, sampling[i][1])
	}
	if h == 0 || v == 0 {
		return 0
	}
	for _, s := range sampling {
		blocks += s[0] * ((width + 8*h - 1) / (8 * h)) * s[1] * ((height + 8*v - 1) / (8 * v))
	}
	return blocks * 64 * 2
}

// png copies up to the first chunk of pixels, without texts and all that is not known to have a say in them.
func (h *header) png() (layout, error) {
	var found layout
	if _, err := h.keep(8); err != nil {
		return found, err
	}
	for {
		lead, err := h.from.Peek(8) // length, type
		if err != nil {
			return found, err
		}
		size, kind := binary.BigEndian.Uint32(lead), string(lead[4:])
		if kind == "IDAT" || size > 1<<31-1-12 {
			return found, nil
		}
		whole := 8 + int(size) + 4
		ancillary := kind[0]&0x20 != 0
		if ancillary && !slices.Contains([]string{"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "eXIf"}, kind) {
			err = h.skip(whole)
		} else {
			var chunk []byte
			chunk, err = h.keep(whole)
			if kind == "IHDR" && size == 13 && err == nil {
				found.interlaced = chunk[8+12] != 0
			}
		}
		if err != nil {
			return found, err
		}
	}
}
