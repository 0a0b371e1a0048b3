package resize

import (
	"fmt"
	"math/bits"
	"slices"

	"s3resizer/resize/internal/crop"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// Memory estimates how much memory it takes to render the source as spec wants it: the most, in bytes, that is in use for it
// at any time. There are 8 MiB; the file; and what takes more, decoding or encoding, since the decoder is closed before the
// first encoder begins.
//
//   - The file. If it does not stream, it is once in Go's memory, and once in that of the decoder (a TIFF may consist of a single
//     strip), twice for an AVIF. If it streams, four times what stands before its pixels.
//   - Decoding. What the decoder holds: see decoderMemory. The rows on their way through the resampler: see rowsMemory. The
//     largest rendition, twice if it has to be turned; one that is cut off above or below, before that, too.
//   - Encoding. The renditions, at 8 bits a channel and with all their frames, twice, since an encoder takes a copy; three times
//     with alpha, by which the colors are divided. For a PNG of few colors that becomes one again, 26 bytes for each pixel of the
//     largest. The most expensive encoders of those that run at once: see encoderBytes.
//
// A JPEG that is resized by its planes has those in place of the rows: at the load shrink, a byte for each sample. If that is
// more than mostPlanes, or than the limit, libvips takes the picture.
//
// There are as many threads, and encoders at once, as [runtime.GOMAXPROCS]. The numbers are what libvips 8.18.7 and its codecs
// were seen to ask the C library for; package resizetest/heavy compares the sum with the peak of processes that render one
// picture each, of every kind and shape.
func (s *Source) Memory(spec Spec) (int64, error) {
	pictures, err := s.plan(spec)
	if err != nil {
		return 0, err
	}
	return s.memory(spec, pictures), nil
}

// measure notes what the estimate needs to know from the header.
func (s *Source) measure(header *vips.Image) {
	s.bands = int64(header.Bands())
	s.pixelBytes = s.bands
	if header.SampleFormat() != vips.Bytes {
		s.deep = true
		s.pixelBytes *= 2
	}
	if header.SampleFormat() == vips.Floats {
		s.pixelBytes *= 2
	}
	space := header.Space()
	s.grey = space == vips.BW || space == vips.Grey16
}

const memoryOfEach = 8 << 20

// encoderBytes is how much memory encoding takes, with the encoded file, in bytes for each pixel of one frame: without alpha,
// and with it. PNG's is, of noise, the file twice, in C's memory and Go's. GIF's is mostly that of the search for 256 colors, which has each pixel as four floats.
var encoderBytes = map[Format][2]int64{JPEG: {4, 4}, PNG: {7, 9}, GIF: {28, 32}, WebP: {12, 28}, AVIF: {36, 54}}

func (s *Source) memory(spec Spec, pictures []*picture) int64 {
	if s.byPlanes(spec, pictures) {
		return s.planesMemory(spec, pictures)
	}
	frames := s.framesFor(pictures)
	shrink := int64(s.loadShrink(pictures[0].Whole.X))
	width, height := int64(s.Width), int64(s.Height)
	if s.turned() {
		width, height = height, width
	}
	decoding := s.decoderMemory(width, height, shrink, frames) + s.rowsMemory(pictures[0], width/shrink, height/shrink, frames) +
		s.turnedMemory(pictures[0], frames)
	if strip := s.strip(pictures[0].View); strip != pictures[0].View {
		decoding += s.bytes(strip, frames)
	}
	return memoryOfEach + s.fileMemory() + max(decoding, s.encodingMemory(spec, pictures, frames))
}

// framesFor returns how many frames are decoded for the pictures.
func (s *Source) framesFor(pictures []*picture) int64 {
	if animates(pictures[0].formats) {
		return int64(s.Frames)
	}
	return 1
}

func (s *Source) fileMemory() int64 {
	if s.input.streams && !s.input.examined {
		return 4 * int64(s.input.head.Len())
	}
	return 2 * int64(len(s.input.file)+s.input.head.Len())
}

// decoderMemory returns what the decoder takes, in bytes, for frames of the given dimensions, which are as they are stored.
func (s *Source) decoderMemory(width, height, shrink, frames int64) int64 {
	pixels, layout := width*height, s.input.layout
	if s.Frames > 1 {
		all := frames + 1 // RGBA, and the frame that is being decoded
		if s.Format == WebP {
			all = 2*frames + 3 // libwebp's canvas, the one before and the one that is blended; all are loaded, and then copied
		}
		return 4 * all * pixels
	}
	switch s.Format {
	case JPEG: // in several scans, as progressive ones are, it has all of them; else some rows
		return layout.coefficients + 24*width*s.pixelBytes
	case PNG:
		if layout.png.Interlaced {
			return pixels*s.pixelBytes + s.keptFile(pixels)
		}
		return 0
	case WebP:
		return webpMemory(pixels, shrink, s.pixelBytes, layout.lossless, s.Alpha)
	case HEIC:
		perPixel := int64(10)
		switch {
		case s.deep:
			perPixel = 22
		case s.Alpha:
			perPixel = 12
		}
		return perPixel*pixels + int64(len(s.input.file))
	case AVIF:
		return s.av1Memory(width, height) + int64(len(s.input.file))
	case GIF: // RGBA
		return 4 * pixels
	default:
		return s.tiffMemory(width, height)
	}
}

// keptFile is what libvips keeps of the file of an interlaced PNG, in a buffer that grows by doubling: all that it has read until
// the decoder says that it is behind the header, which this one never says. A file of unknown length may be as long as its pixels.
func (s *Source) keptFile(pixels int64) int64 {
	length := s.input.length
	if length == 0 {
		length = pixels * s.pixelBytes
	}
	return 1 << bits.Len64(uint64(length))
}

// webpMemory is what libwebp takes for a still picture: what it has loaded and, unless it shrinks as it decodes, two canvases
// of RGBA; without loss all pixels, with alpha its plane and what that is filtered from.
func webpMemory(pixels, shrink, pixelBytes int64, lossless, alpha bool) int64 {
	perPixel := int64(0)
	switch {
	case lossless:
		perPixel = 4
	case alpha:
		perPixel = 2
	}
	if shrink == 1 {
		perPixel += 8
	}
	return pixels/(shrink*shrink)*pixelBytes + perPixel*pixels
}

// av1Memory is what libaom and libheif take. libaom has 176 bytes on each block of 4 × 4, in whole superblocks of 128 × 128, and a
// frame with 64 samples around it; libheif has the planes once more. All are counted as of 4:4:4.
func (s *Source) av1Memory(width, height int64) int64 {
	const block, superblock, around = 176, 128, 2*64 + 32 // and rounded up
	whole := func(n int64) int64 { return (n + superblock - 1) / superblock * superblock }
	sample := int64(1)
	if s.deep {
		sample = 2
	}
	planes := 3 * sample
	memory := block/16*whole(width)*whole(height) + planes*(width+around)*(height+around) + planes*width*height
	memory += width * height // what filters restore, masks, and where motion came from
	if s.Alpha {
		memory += sample * width * height
	}
	return memory
}

// tiffMemory is what is decoded at once of a TIFF: two rows of tiles; of strips for each channel a row, and one strip more; one
// after the other for the rest.
func (s *Source) tiffMemory(width, height int64) int64 {
	rows := min(height, int64(s.input.layout.tiff.Rows())) * width * s.pixelBytes
	if s.input.layout.tiff.Tiled() {
		return 2 * rows
	}
	return rows + rows/max(1, s.bands)
}

// turnedMemory is what the first picture takes, once more if it has to be turned.
func (s *Source) turnedMemory(first *picture, frames int64) int64 {
	if s.orientation > 1 {
		return 2 * first.bytes(s, frames)
	}
	return first.bytes(s, frames)
}

// encodingMemory is what the pictures take once the decoder is closed: those, the rows while the next one is made of the first,
// and the encoders.
func (s *Source) encodingMemory(spec Spec, pictures []*picture, frames int64) int64 {
	var rows int64
	if len(pictures) > 1 {
		between, parts := s.rowsBetween(int64(pictures[0].Whole.Y), int64(pictures[1].Whole.Y))
		rows = frames * (between + threads()*parts) * pictures[0].bytes(s, 1) / int64(pictures[0].Height())
	}
	return s.renditionsMemory(pictures, frames) + s.fewMemory(pictures) + rows + encodersMemory(spec, pictures, s.Alpha, frames)
}

func (s *Source) renditionsMemory(pictures []*picture, frames int64) int64 {
	var all int64
	for _, p := range pictures {
		size := p.bytes(s, frames)
		all += 2 * size
		if s.Alpha {
			all += size
		}
	}
	return all
}

// bytes returns the size of a picture's pixels in memory.
func (p *picture) bytes(s *Source, frames int64) int64 { return s.bytes(p.View, frames) }

func (s *Source) bytes(v crop.View, frames int64) int64 {
	bands := int64(3)
	if s.grey && !v.Pads() { // what is around it may be of any color
		bands = 1
	}
	if s.Alpha {
		bands++
	}
	return int64(v.Width()) * int64(v.Height()) * frames * bands
}

// fewMemory is what it takes to look for the colors of a PNG that has few: of each pixel four floats, four samples, what came out,
// twice, and its file. Of one that is grey, the levels that it is left with, and its file.
func (s *Source) fewMemory(pictures []*picture) int64 {
	if !s.input.layout.png.Few || !slices.Contains(pictures[0].formats, PNG) {
		return 0
	}
	perPixel := int64(26)
	if s.grey && !s.Alpha {
		perPixel = 4
	}
	var most int64
	for _, p := range pictures {
		most = max(most, perPixel*int64(p.Width())*int64(p.Height()))
	}
	return most
}

func encodersMemory(spec Spec, pictures []*picture, alpha bool, frames int64) int64 {
	var each []int64
	for _, p := range pictures {
		for format := range p.sizes {
			perPixel := encoderBytes[format][0]
			if alpha {
				perPixel = encoderBytes[format][1]
			}
			if format == WebP && spec.Effort.WebP > 3 { // searches that keep more
				perPixel += map[bool]int64{false: 4, true: 20}[alpha]
			}
			perPixel += frames - 1 // a byte for each in the file
			width, height := int64(p.Width()), int64(p.Height())
			bytes := perPixel * width * height
			switch {
			case format == AVIF: // libaom's frames have 64 samples around them, and it has tables
				bytes += 2<<20 + perPixel/3*((width+2*64)*(height+2*64)-width*height)
			case format == WebP && alpha: // is coded without loss, by histograms
				bytes += 4 << 20
			}
			each = append(each, bytes)
		}
	}
	slices.Sort(each)
	var sum int64
	for _, bytes := range each[max(0, len(each)-int(threads())):] {
		sum += bytes
	}
	return sum
}

// checkMemory returns a [*Rejection] if the pictures would take more memory than the limit.
func (s *Source) checkMemory(spec Spec, pictures []*picture) error {
	if need := s.memory(spec, pictures); need > s.maxMemory {
		return rejection.TooLargef(
			"to resize this %s of %d × %d pixels would take %s of memory, and the limit for one picture is %s; with more memory, or a higher limit, it can be done",
			s.describe(), s.Width, s.Height, mebibytes(need), mebibytes(s.maxMemory))
	}
	return nil
}

// describe names the format, and what makes it take much memory.
func (s *Source) describe() string {
	stored := s.input.layout
	switch {
	case s.Frames > 1:
		return fmt.Sprintf("animated %s with %d frames", s.Format, s.Frames)
	case stored.coefficients > 0:
		return "progressive " + string(s.Format)
	case stored.png.Interlaced:
		return "interlaced " + string(s.Format)
	default:
		return string(s.Format)
	}
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
