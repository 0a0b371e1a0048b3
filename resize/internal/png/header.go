package png

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"

	"s3resizer/resize/internal/credit"
	"s3resizer/resize/internal/header"
)

// Header says how the pixels are stored.
type Header struct {
	Interlaced bool // in Adam7's order
	Few        bool // few colors: a palette, or less than 8 bits of grey
	Frames     int  // of an APNG; 0 of any other

	Blocks credit.Blocks
	window *window // see [Header.Mend]
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

// all copies up to the first chunk of pixels. Of the chunks that a decoder may ignore, it keeps those that are known to
// change how the picture looks.
func (h copier) all() (Header, error) {
	var found Header
	if _, err := h.Keep(8); err != nil {
		return found, err
	}
	for {
		lead, err := h.From.Peek(8) // length, type
		if err != nil {
			return found, err
		}
		size, kind := binary.BigEndian.Uint32(lead), string(lead[4:])
		if kind == "IDAT" {
			if lead, err = h.From.Peek(10); err == nil {
				found.window = newWindow(int64(h.To.Len()), lead)
			}
			return found, nil
		}
		if size > 1<<31-1-12 {
			return found, nil
		}
		whole := 8 + int(size) + 4
		if kind == "acTL" && size >= 4 {
			if lead, err = h.From.Peek(12); err == nil {
				found.Frames = int(binary.BigEndian.Uint32(lead[8:]))
			}
		}
		ancillary := kind[0]&0x20 != 0
		switch {
		case kind == "iTXt" && found.Blocks.XMP == nil && whole < credit.MaxBlock && h.xmpNext():
			var chunk []byte
			if chunk, err = h.Aside(whole); err == nil {
				found.Blocks.XMP = text(chunk[8 : 8+size])
			}
		case ancillary && !slices.Contains([]string{"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "eXIf"}, kind):
			err = h.Skip(whole)
		default:
			var chunk []byte
			chunk, err = h.Keep(whole)
			if kind == "eXIf" && err == nil {
				found.Blocks.EXIF = bytes.Clone(chunk[8 : 8+size])
			}
			if kind == "IHDR" && size == 13 && err == nil {
				const palette = 3
				found.Interlaced = chunk[8+12] != 0
				found.Few = chunk[8+9] == palette || chunk[8+8] < 8
			}
		}
		if err != nil {
			return found, err
		}
	}
}

// xmp is the keyword of the text that is XMP (ISO 16684-3, 1.1.5).
const xmp = "XML:com.adobe.xmp\x00"

func (h copier) xmpNext() bool {
	start, _ := h.From.Peek(8 + len(xmp))
	return len(start) == 8+len(xmp) && string(start[8:]) == xmp
}

// text returns what an international text says (PNG, 11.3.3.4), or as much of it as [credit.Read] looks at.
func text(content []byte) []byte {
	content = content[len(xmp):]
	if len(content) < 2 {
		return nil
	}
	compressed, content := content[0] == 1, content[2:]
	for range 2 { // the language, and the keyword in it
		_, content, _ = bytes.Cut(content, []byte{0})
	}
	if !compressed {
		return content
	}
	unpacked, err := zlib.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	packet, _ := io.ReadAll(io.LimitReader(unpacked, credit.MaxBlock))
	return packet
}
