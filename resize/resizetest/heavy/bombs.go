package heavy

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"io"
	"slices"

	"s3resizer/resize/resizetest/vips"
)

var little, big = binary.LittleEndian, binary.BigEndian

// Bomb is a small file that asks for much.
type Bomb struct {
	Name string
	Data func() ([]byte, error)
	// Class is that of its rejection, as of [resize.Rejection]. Empty, it is defused: what asks for much is left out,
	// and the picture in it is resized.
	Class string
}

const tooLarge, corrupt = "too-large", "corrupt"

// Bombs are those that we know of. The limits that they are meant for are 150 million pixels, 500 frames and 8 MiB of
// metadata.
var Bombs = []Bomb{
	{"PNG of 65,535 × 65,535 pixels, 1 bit each", func() ([]byte, error) { return pngFile(65535, 65535, 1, false) }, tooLarge},
	{"PNG of 12,000 × 12,000 pixels, interlaced, 16 bits", func() ([]byte, error) { return pngFile(12000, 12000, 16, true) }, tooLarge},
	{"PNG with a text that inflates to 256 MB", func() ([]byte, error) { return pngWith(text("zTXt", "Comment\x00\x00", 256<<20)) }, ""},
	{"PNG with a Unicode text that inflates to 256 MB", func() ([]byte, error) { return pngWith(text("iTXt", "Comment\x00\x01\x00\x00\x00", 256<<20)) }, ""},
	{"PNG with a hundred texts of 7 MB", func() ([]byte, error) { return pngWith(repeated(100)(text("zTXt", "Comment\x00\x00", 7<<20))) }, ""},
	{"PNG with 100,000 texts", func() ([]byte, error) { return pngWith(bytes.Repeat(chunk("tEXt", []byte("a\x00b")), 100_000), nil) }, ""},
	{"PNG with an ICC profile that inflates to 256 MB", func() ([]byte, error) { return pngWith(text("iCCP", "icc\x00\x00", 256<<20)) }, ""},
	{"PNG with the same EXIF value 5,000 times", func() ([]byte, error) { return pngWith(chunk("eXIf", exif(5000, 60_000)), nil) }, ""},
	{"PNG with 9 MiB of EXIF", func() ([]byte, error) { return pngWith(chunk("eXIf", make([]byte, 9<<20)), nil) }, tooLarge},
	{"PNG with a hundred texts of 7 MB behind its pixels", func() ([]byte, error) {
		texts, err := repeated(100)(text("zTXt", "Comment\x00\x00", 7<<20))
		if err != nil {
			return nil, err
		}
		data, err := pngWith(nil, nil)
		end := len(data) - len(chunk("IEND", nil))
		return slices.Insert(data, end, texts...), err
	}, ""},
	{"JPEG of 65,500 × 65,500 pixels", func() ([]byte, error) { return jpegSized(65500, 65500) }, tooLarge},
	{"JPEG with 16 MB of ICC profile", func() ([]byte, error) { return jpegWith(profile(255)) }, tooLarge},
	{"JPEG with 16 MB of XMP", func() ([]byte, error) {
		return jpegWith(bytes.Repeat(segment(0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), make([]byte, 65000)...)), 250))
	}, ""},
	{"JPEG with 16 MB of comments", func() ([]byte, error) { return jpegWith(bytes.Repeat(segment(0xfe, make([]byte, 65000)), 250)) }, ""},
	{"JPEG with the same EXIF value 2,700 times", func() ([]byte, error) {
		return jpegWith(segment(0xe1, append([]byte("Exif\x00\x00"), exif(2700, 32_000)...)))
	}, ""},
	{"GIF of 1,000,000 frames", func() ([]byte, error) { return gifFile(10, 10, 1_000_000), nil }, tooLarge},
	{"GIF of 400 frames of 4,000 × 4,000 pixels", func() ([]byte, error) { return gifFile(4000, 4000, 400), nil }, tooLarge},
	{"GIF of 65,535 × 65,535 pixels", func() ([]byte, error) { return gifFile(65535, 65535, 1), nil }, tooLarge},
	{"WebP of 100,000 frames", func() ([]byte, error) { return webpFile(10, 10, 100_000), nil }, tooLarge},
	{"WebP of 400 frames on 16,383 × 16,383 pixels", func() ([]byte, error) { return webpFile(16383, 16383, 400), nil }, tooLarge},
	{"AVIF of 65,535 × 65,535 pixels", func() ([]byte, error) { return avifSized(100, 100, 65535, 65535) }, tooLarge},
	{"AVIF of more pixels than it says", func() ([]byte, error) { return avifSized(2400, 1600, 240, 160) }, corrupt},
	{"TIFF whose second page is followed by its first", func() ([]byte, error) { return tiffPages(2, 0), nil }, corrupt},
	{"TIFF whose only page follows itself", func() ([]byte, error) { return tiffPages(1, 0), nil }, corrupt},
	{"TIFF whose 400th page is followed by its 200th", func() ([]byte, error) { return tiffPages(400, 199), nil }, corrupt},
	{"TIFF of 100,000 pages", func() ([]byte, error) { return tiffPages(100_000, -1), nil }, tooLarge},
	{"TIFF of 10 × 2,147,483,647 pixels", func() ([]byte, error) { return tiffSized(10, 1<<31-1), nil }, corrupt},
	{"TIFF of 100,000 × 100,000 pixels", func() ([]byte, error) { return tiffSized(100_000, 100_000), nil }, corrupt},
}

// zeros compresses n bytes of nothing, about a thousand to one.
func zeros(n int64) ([]byte, error) {
	var data bytes.Buffer
	w := zlib.NewWriter(&data)
	if _, err := io.CopyN(w, nothing{}, n); err != nil {
		return nil, err
	}
	err := w.Close()
	return data.Bytes(), err
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func deflated(data []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	return out.Bytes()
}

// chunk is one of a PNG.
func chunk(kind string, data []byte) []byte {
	out := big.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return big.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// text is a chunk whose compressed part inflates to n bytes.
func text(kind, start string, n int64) ([]byte, error) {
	data, err := zeros(n)
	return chunk(kind, append([]byte(start), data...)), err
}

func repeated(n int) func([]byte, error) ([]byte, error) {
	return func(data []byte, err error) ([]byte, error) { return bytes.Repeat(data, n), err }
}

// pngFile is a grey PNG, all black, with chunks in front of its pixels; of a huge one, they are cut short.
func pngFile(width, height uint32, bits byte, interlaced bool, chunks ...byte) ([]byte, error) {
	header := append(big.AppendUint32(big.AppendUint32(nil, width), height), bits, 0, 0, 0, 0)
	if interlaced {
		header[12] = 1
	}
	pixels, err := zeros(min(16<<20, (1+(int64(width)*int64(bits)+7)/8)*int64(height)))
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header), chunks, chunk("IDAT", pixels), chunk("IEND", nil)}, nil), err
}

func pngWith(chunks []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return pngFile(500, 500, 8, false, chunks...)
}

// segment is one of a JPEG.
func segment(marker byte, data []byte) []byte {
	return append([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
}

// profile is one of ICC in so many segments.
func profile(segments int) []byte {
	var out []byte
	for i := range segments {
		start := append([]byte("ICC_PROFILE\x00"), byte(i+1), byte(segments))
		out = append(out, segment(0xe2, append(start, make([]byte, 65000)...))...)
	}
	return out
}

func jpegWith(segments []byte) ([]byte, error) {
	var data bytes.Buffer
	err := jpeg.Encode(&data, image.NewGray(image.Rect(0, 0, 500, 500)), nil)
	return bytes.Join([][]byte{data.Bytes()[:2], segments, data.Bytes()[2:]}, nil), err
}

// jpegSized has other dimensions in its header than it has pixels.
func jpegSized(width, height uint16) ([]byte, error) {
	data, err := jpegWith(nil)
	if at := bytes.Index(data, []byte{0xff, 0xc0}); at > 0 {
		big.PutUint16(data[at+5:], height)
		big.PutUint16(data[at+7:], width)
	}
	return data, err
}

// exif is a block whose entries all share one value of so many bytes.
func exif(entries, shared int) []byte {
	tags := make([]tag, entries)
	for i := range tags {
		tags[i] = tag{0x010e, 2, uint32(shared), uint32(tiffHeader + directorySize(entries))} // ImageDescription
	}
	return append(append(tiffStart(), directory(0, tags...)...), bytes.Repeat([]byte("x"), shared)...)
}

// gifFile has frames as large as the canvas, with next to no data.
func gifFile(width, height uint16, frames int) []byte {
	size := little.AppendUint16(little.AppendUint16(nil, width), height)
	frame := bytes.Join([][]byte{{',', 0, 0, 0, 0}, size, {0, 2, 2, 0x44, 1, 0}}, nil)
	twoColors := []byte{0x80, 0, 0, 0, 0, 0, 255, 255, 255}
	return bytes.Join([][]byte{[]byte("GIF89a"), size, twoColors, bytes.Repeat(frame, frames), {';'}}, nil)
}

// webpFile has frames of one pixel.
func webpFile(width, height uint32, frames int) []byte {
	u24 := func(v uint32) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
	riff := func(kind string, data ...[]byte) []byte {
		body := bytes.Join(data, nil)
		return append(little.AppendUint32([]byte(kind), uint32(len(body))), body...)
	}
	pixel := riff("VP8L", []byte{0x2f, 0, 0, 0, 0, 0x07, 0x10, 0x11, 0x11, 0x88, 0x88, 0xfe, 0x07, 0x00})
	frame := riff("ANMF", u24(0), u24(0), u24(0), u24(0), u24(100), []byte{0}, pixel)
	return riff("RIFF", []byte("WEBP"), riff("VP8X", []byte{0x02, 0, 0, 0}, u24(width-1), u24(height-1)), riff("ANIM", make([]byte, 6)), bytes.Repeat(frame, frames))
}

// avifSized has other dimensions in its header than in its pixels. libvips must be started.
func avifSized(width, height, saidWidth, saidHeight int) ([]byte, error) {
	data, err := Picture{Name: "AVIF", Width: width, Height: height, Space: vips.InterpretationSRGB, Encode: AVIF(8, true)}.Draw()
	at := bytes.Index(data, []byte("ispe")) // ISO/IEC 23008-12, 6.5.3: version and flags, width, height
	if err != nil || at < 0 {
		return nil, errors.Join(err, errors.New("there are no dimensions to change"))
	}
	big.PutUint32(data[at+8:], uint32(saidWidth))
	big.PutUint32(data[at+12:], uint32(saidHeight))
	return data, nil
}

// tag is an entry of a TIFF's directory; of type 2 it is text, 3 a short, 4 a long.
type tag struct {
	tag, kind    uint16
	count, value uint32
}

const tiffHeader = 8 // bytes in front of the first directory

func tiffStart() []byte { return []byte("II*\x00\x08\x00\x00\x00") }

func directorySize(entries int) int { return 2 + 12*entries + 4 }

// directory is one of a TIFF, and says where the next one is.
func directory(next uint32, tags ...tag) []byte {
	out := little.AppendUint16(nil, uint16(len(tags)))
	for _, t := range tags {
		out = little.AppendUint16(little.AppendUint16(out, t.tag), t.kind)
		out = little.AppendUint32(little.AppendUint32(out, t.count), t.value)
	}
	return little.AppendUint32(out, next)
}

// page is a directory of a grey picture in so many strips of one row each, all of which are at the start of the file.
func page(width, height, strips, next uint32) []byte {
	return directory(next,
		tag{256, 4, 1, width}, tag{257, 4, 1, height}, tag{258, 3, 1, 8}, tag{259, 3, 1, 1}, tag{262, 3, 1, 1},
		tag{273, 4, strips, 0}, tag{277, 3, 1, 1}, tag{278, 4, 1, height / strips}, tag{279, 4, strips, width * height / strips}, tag{284, 3, 1, 1})
}

// tiffPages has so many pages, of which the last is followed by the given one or, if that is negative, by none.
func tiffPages(pages, last int) []byte {
	at := func(i int) uint32 { return uint32(tiffHeader + i*directorySize(10)) }
	out := tiffStart()
	for i := range pages - 1 {
		out = append(out, page(8, 8, 1, at(i+1))...)
	}
	next := uint32(0)
	if last >= 0 {
		next = at(last)
	}
	return append(out, page(8, 8, 1, next)...)
}

// tiffSized has a strip for every row, and none of them in the file.
func tiffSized(width, height uint32) []byte {
	return append(append(tiffStart(), page(width, height, height, 0)...), make([]byte, 1000)...)
}
