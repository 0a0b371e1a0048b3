package resize

import (
	"fmt"
	"runtime"
	"slices"

	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// Memory estimates the working set of rendering the source as spec wants it: the most memory, in bytes, that is in use
// at once on its account. It is the sum of
//
//   - 8 MiB, and the file: where it does not stream, once in Go's memory and once more in the decoder's, of which a TIFF
//     may be one strip; where it does, four times what stands before its pixels.
//   - What the decoder holds. Of a JPEG in several scans, as progressive ones are, all coefficients, 2 bytes a sample:
//     3 a pixel at 4:2:0, 6 at 4:4:4, 8 of CMYK. Of any other, 16 rows. Of an interlaced PNG, all samples; of a TIFF,
//     those of a row of tiles, or of strips that are kept apart by channel. Of a WebP, the picture at the load shrink, and
//     4 bytes a pixel of the whole if it is lossless, 2 if alpha is coded beside it. Of an AVIF, 20 bytes a pixel, 24
//     beyond 8 bits, 3 more with alpha. Of a HEIC, 10 bytes a pixel, 12 with alpha, 22 beyond 8 bits, and the file once
//     more. Of a GIF, 4 bytes a pixel. Of an animation, every frame that is wanted and one more, at 4 bytes a pixel.
//   - The rows on their way through the resampler: 1200, and 450 for each thread, or twice the height if that is less,
//     as wide and as deep as they are loaded; with alpha a third more.
//   - The renditions, 8 bits a channel, with all their frames, and once more for an encoder; with alpha a third time, as
//     the colors are divided by it. The widest once more if it is turned.
//   - The encoders, the most expensive ones of those that run at once: see encoderBytes.
//
// Threads, and encoders at once, are [runtime.GOMAXPROCS]. The numbers are measured, with libvips 8.18.7 and one malloc
// arena: package bench/heavy compares the sum with the peak of processes that render one picture each.
func (s *Source) Memory(spec Spec) (int64, error) {
	pictures, err := s.plan(spec)
	if err != nil {
		return 0, err
	}
	return s.memory(pictures), nil
}

// measure notes what the estimate needs of the header.
func (s *Source) measure(header *vips.Image) {
	s.pixelBytes = int64(header.Bands())
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

const (
	memoryOfEach     = 8 << 20
	rowsOfEach       = 1200
	rowsOfEachThread = 450
)

// encoderBytes is what encoding takes, with the encoded file, in bytes a pixel of one frame, without alpha and with. A
// JPEG's are for its codes, while Huffman tables of its own are made.
var encoderBytes = map[Format][2]int64{JPEG: {4, 4}, PNG: {4, 6}, GIF: {20, 20}, WebP: {12, 28}, AVIF: {36, 54}}

func (s *Source) memory(pictures []*picture) int64 {
	frames := s.framesFor(pictures)
	shrink := int64(s.loadShrink(pictures[0].width))
	width, height := int64(s.Width), int64(s.Height)
	if s.turned() {
		width, height = height, width
	}
	return memoryOfEach + s.fileMemory() +
		s.decoderMemory(width, height, shrink, frames) +
		s.rowsMemory(width/shrink, height/shrink) +
		s.renditionsMemory(pictures, frames) +
		encodersMemory(pictures, s.Alpha, runtime.GOMAXPROCS(0))
}

// framesFor is how many frames are decoded for the pictures.
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

// decoderMemory is for so many frames of the given dimensions, as they are stored.
func (s *Source) decoderMemory(width, height, shrink, frames int64) int64 {
	pixels, layout := width*height, s.input.layout
	if s.Frames > 1 {
		return (frames + 1) * pixels * 4
	}
	switch s.Format {
	case JPEG:
		return layout.coefficients + 16*width*s.pixelBytes
	case PNG:
		if layout.interlaced {
			return pixels * s.pixelBytes
		}
		return 0
	case WebP:
		loaded := pixels / (shrink * shrink) * s.pixelBytes
		switch {
		case layout.lossless:
			return loaded + 4*pixels
		case s.Alpha:
			return loaded + 2*pixels
		default:
			return loaded
		}
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
		perPixel := int64(20)
		if s.deep {
			perPixel = 24
		}
		if s.Alpha {
			perPixel += 3
		}
		return perPixel * pixels
	case GIF:
		return 4 * pixels
	default:
		return width * min(height, int64(layout.rows)) * s.pixelBytes
	}
}

func (s *Source) rowsMemory(width, height int64) int64 {
	threads := int64(runtime.GOMAXPROCS(0))
	rows := min(rowsOfEach+rowsOfEachThread*threads, 2*height) * width * s.pixelBytes
	if s.Alpha {
		rows += rows / 3
	}
	return rows
}

func (s *Source) renditionsMemory(pictures []*picture, frames int64) int64 {
	var all int64
	for i, p := range pictures {
		size := p.bytes(s, frames)
		all += 2 * size
		if s.Alpha {
			all += size
		}
		if i == 0 && s.orientation > 1 {
			all += size
		}
	}
	return all
}

// bytes is the size of a picture's pixels in memory.
func (p *picture) bytes(s *Source, frames int64) int64 {
	bands := int64(3)
	if s.grey {
		bands = 1
	}
	if s.Alpha {
		bands++
	}
	return int64(p.width) * int64(p.height) * frames * bands
}

func encodersMemory(pictures []*picture, alpha bool, atOnce int) int64 {
	var each []int64
	for _, p := range pictures {
		for _, format := range p.formats {
			perPixel := encoderBytes[format][0]
			if alpha {
				perPixel = encoderBytes[format][1]
			}
			each = append(each, perPixel*int64(p.width)*int64(p.height))
		}
	}
	slices.Sort(each)
	var sum int64
	for _, bytes := range each[max(0, len(each)-atOnce):] {
		sum += bytes
	}
	return sum
}

// checkMemory refuses what would take more memory than there is.
func (s *Source) checkMemory(pictures []*picture) error {
	if need := s.memory(pictures); need > s.maxMemory {
		return rejection.TooLargef(
			"to resize this %s of %d × %d pixels would take %s of memory, and the limit for one picture is %s; with more memory, or a higher limit, it can be done",
			s.describe(), s.Width, s.Height, mebibytes(need), mebibytes(s.maxMemory))
	}
	return nil
}

// describe names the format, and what makes it take so much.
func (s *Source) describe() string {
	stored := s.input.layout
	switch {
	case s.Frames > 1:
		return fmt.Sprintf("animated %s with %d frames", s.Format, s.Frames)
	case stored.coefficients > 0:
		return "progressive " + string(s.Format)
	case stored.interlaced:
		return "interlaced " + string(s.Format)
	default:
		return string(s.Format)
	}
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
