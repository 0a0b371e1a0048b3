package resize

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image/gif"
	"io"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
)

// Every PNG and GIF, cut and changed at every place where a part of it begins or ends. None is rendered that a strict decoder
// calls short; and none that is only cut is rejected if a browser shows it whole: if all of its pixels are there and, in a PNG,
// the chunk that they are in. (A GIF that is cut between two frames is one of fewer frames that lacks its trailer.)
func TestDamageAtEveryPlace(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of pictures")
	}
	short, whole, fewer, files := 0, 0, 0, 0
	for _, p := range resizetest.Pictures() {
		if p.Shows == nil || len(p.Data) > 100_000 {
			continue
		}
		parts, pixels := pngParts, pngPixels
		switch p.Shows.Format {
		case "png":
		case "gif":
			parts, pixels = gifParts, gifPixels
		default:
			continue
		}
		want := pixels(p.Data, false)
		if want <= 0 { // Go's decoder does not take the file as it is
			continue
		}
		check := func(what string, at int, data []byte, cut bool) {
			files++
			_, err := tryRender(data, Spec{Sizes: []Size{{Name: "s", Width: 50}}, Formats: []Format{PNG}, Quality: quality}, func(Rendition) {})
			if rejected := (*Rejection)(nil); err != nil && !errors.As(err, &rejected) {
				t.Errorf("%s, %s at %d: %v", p.Name, what, at, err)
			}
			switch there := pixels(data, true); {
			case err == nil && p.Shows.Format == "gif" && there > 0 && there < want:
				fewer++
			case err == nil && there >= 0 && there < want:
				short++
				t.Errorf("%s, %s at %d: rendered, though only %d of %d bytes of pixels are there", p.Name, what, at, there, want)
			case err != nil && cut && pixels(data, false) == want:
				whole++
				t.Errorf("%s, %s at %d: all pixels are there; %v", p.Name, what, at, err)
			}
		}
		for _, at := range parts(p.Data) {
			if at <= 12 || at >= len(p.Data) {
				continue
			}
			check("cut", at, bytes.Clone(p.Data[:at]), true)
			check("cut", at-1, bytes.Clone(p.Data[:at-1]), true)
			changed := bytes.Clone(p.Data)
			changed[at] ^= 0x11
			check("changed", at, changed, false)
		}
	}
	t.Logf("%d damaged files: %d rendered though pixels are missing, %d rejected though all are there, %d rendered with fewer frames", files, short, whole, fewer)
	if files < 2000 {
		t.Errorf("%d files", files)
	}
}

// pngParts returns where chunks, their contents and their checksums begin.
func pngParts(data []byte) (all []int) {
	for at := 8; at+12 <= len(data); {
		length := int(binary.BigEndian.Uint32(data[at:]))
		all = append(all, at, at+4, at+8, at+8+length)
		at += 12 + length
	}
	return all
}

// pngPixels returns how many bytes of rows can be inflated, as far as the chunks follow one another, with those of a chunk that
// is cut short or without.
func pngPixels(data []byte, parts bool) int {
	var compressed []byte
	for rest := data[min(8, len(data)):]; len(rest) > 8; {
		length := int(min(binary.BigEndian.Uint32(rest), uint32(len(rest)-8)))
		if string(rest[4:8]) == "IDAT" && (parts || len(rest) >= 12+length) {
			compressed = append(compressed, rest[8:8+length]...)
		}
		rest = rest[min(len(rest), 12+length):]
	}
	if len(compressed) > 2 {
		compressed[0], compressed[1] = 0x78, 0x01 // the largest window
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return 0
	}
	n, _ := io.Copy(io.Discard, r) // as far as it goes
	return int(n)
}

// gifParts returns where blocks begin, those of data included.
func gifParts(data []byte) (all []int) {
	table := func(flags byte) int { return int(flags>>7) * 3 << (flags&7 + 1) }
	at := 13 + table(data[10])
	for at < len(data) {
		all = append(all, at)
		switch data[at] {
		case 0x21:
			at += 2
		case 0x2c:
			at += 11 + table(data[at+9])
		default:
			return all
		}
		for at < len(data) && data[at] != 0 {
			all = append(all, at)
			at += 1 + int(data[at])
		}
		at++
	}
	return all
}

// gifPixels returns how many pixels the frames have that Go's decoder sees, with a trailer or without: 0 if it calls one of
// them short, -1 if it finds anything else to be wrong.
func gifPixels(data []byte, _ bool) (n int) {
	g, err := gif.DecodeAll(bytes.NewReader(append(bytes.Clone(data), ';')))
	switch {
	case err == nil:
		for _, frame := range g.Image {
			n += len(frame.Pix)
		}
		return n
	case errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "not enough image data"):
		return 0
	default:
		return -1
	}
}
