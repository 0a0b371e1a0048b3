package jpeg

import (
	"bufio"
	"bytes"

	"s3resizer/resize/internal/credit"
	"s3resizer/resize/internal/header"
	"s3resizer/resize/internal/rejection"
)

// Header says how the pixels are coded.
type Header struct {
	Coefficients int64 // bytes that a decoder holds until it has read the last scan; 0 if it decodes row by row
	MostScans    int   // how many it may have: see [MostScans]
	Blocks       credit.Blocks
}

// CopyHeader copies what stands before the pixels. Its only errors are of type [*rejection.Rejection]. Where the structure
// of the file is broken, it stops without an error: the decoder knows better what can be made of the rest.
func CopyHeader(from *bufio.Reader, to *bytes.Buffer) (Header, error) {
	found, err := copier{header.Copier{From: from, To: to}}.all()
	if err = header.Refusal(err); err != nil {
		return Header{}, err
	}
	return found, nil
}

type copier struct{ header.Copier }

// all copies up to the data of the first scan (ITU-T T.81, B.2.1). Of the application segments it keeps JFIF's, Adobe's,
// EXIF and ICC profiles, which change how the picture looks. It leaves out all others: comments, thumbnails, and the index of
// further pictures that phones write; the first of XMP's and of Photoshop's it puts aside.
func (h copier) all() (Header, error) {
	found := Header{MostScans: MostScans(0, 0)} // of a frame that is not found
	var frame []byte                            // ITU-T T.81, B.2.2
	if _, err := h.Keep(2); err != nil {
		return found, err
	}
	for {
		lead, err := h.From.Peek(4) // 0xff, marker, length with itself
		if err != nil {
			return found, err
		}
		marker, length := lead[1], int(lead[2])<<8+int(lead[3])
		switch {
		case lead[0] != 0xff || marker == 0xff || marker == 0: // garbage, or a fill byte
			_, err = h.Keep(1)
		case marker == markerTEM || marker >= markerRST0 && marker <= markerSOI: // without a length
			_, err = h.Keep(2)
		case marker == markerEOI || length < 2: // the end, or nonsense
			return found, nil
		case found.Blocks.XMP == nil && h.begins(marker, markerAPP0+1, xmp):
			segment, aside := h.Aside(2 + length)
			found.Blocks.XMP, err = bytes.TrimPrefix(segment[4:], []byte(xmp)), aside
		case found.Blocks.IPTC == nil && h.begins(marker, markerAPP0+13, credit.Photoshop):
			segment, aside := h.Aside(2 + length)
			found.Blocks.IPTC, err = segment[4:], aside
		case marker == markerCOM || marker > markerAPP0 && marker <= markerAPP15 && !h.wanted(marker):
			err = h.Skip(2 + length)
		case marker == markerSOS:
			scan, err := h.Keep(2 + length)
			if err == nil && len(scan) > 4 && len(frame) > 9 {
				found.Coefficients = coefficients(frame, int(scan[4]))
				found.MostScans = MostScans(int(frame[7])<<8+int(frame[8]), int(frame[5])<<8+int(frame[6]))
			}
			return found, err
		default:
			var segment []byte
			segment, err = h.Keep(2 + length)
			if err == nil && marker == markerAPP0+1 && found.Blocks.EXIF == nil {
				found.Blocks.EXIF = bytes.Clone(segment[4:])
			}
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

// wanted reports whether the application segment to come is one that libvips makes use of.
func (h copier) wanted(marker byte) bool {
	name := map[byte]string{markerAPP0 + 1: "Exif\x00", markerAPP0 + 2: "ICC_PROFILE\x00", markerAPP0 + 14: "Adobe"}[marker]
	return name != "" && h.begins(marker, marker, name)
}

// xmp is what its segments begin with (ISO 16684-3, 1.1.3).
const xmp = "http://ns.adobe.com/xap/1.0/\x00"

// begins reports whether the segment to come has that marker and begins so.
func (h copier) begins(marker, wanted byte, name string) bool {
	if marker != wanted {
		return false
	}
	start, _ := h.From.Peek(4 + len(name))
	return len(start) > 4 && string(start[4:]) == name
}

// coefficients returns how many bytes of coefficients a decoder holds, for a frame whose first scan has inFirstScan of its
// components. It is 0 if that scan is all there is; else 2 bytes for each sample of every component, in whole blocks of 8 × 8.
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
