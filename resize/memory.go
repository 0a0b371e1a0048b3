package resize

import (
	"fmt"
	"runtime"
	"slices"

	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// Memory estimates how much memory it takes to render the source as spec wants it: the most, in bytes, that is in use for it
// at any time. It is the sum of these:
//
//   - 8 MiB.
//   - The file. If it does not stream, once in Go's memory, and once in that of the decoder (a TIFF may consist of a single
//     strip). If it streams, four times what stands before its pixels.
//   - The decoder. For a JPEG in several scans, as progressive ones are, all coefficients, 2 bytes a sample: 3 bytes a pixel
//     at 4:2:0, 6 at 4:4:4, 8 in CMYK; for any other JPEG, 16 rows. For an interlaced PNG, all samples. For a TIFF, the
//     samples of a row of tiles, or of strips if each channel has its own. For a WebP, the picture at the load shrink, and
//     for each pixel of the full picture 4 bytes if it is lossless, 2 if it has alpha. For an AVIF, 20 bytes a pixel, 24 if
//     it has more than 8 bits, and 3 more with alpha. For a HEIC, 10 bytes a pixel, 12 with alpha, 22 if it has more than 8
//     bits, and the file once more. For a GIF, 4 bytes a pixel. For an animation, 4 bytes a pixel for every frame that is
//     wanted and one more.
//   - The rows on their way through the resampler: 1200, and 450 for each thread, but no more than twice the height. They
//     are as wide and as deep as they are loaded, and a third more with alpha.
//   - The renditions, at 8 bits a channel and with all their frames, twice, since an encoder takes a copy; three times with
//     alpha, by which the colors are divided. The widest once more if it has to be turned.
//   - For a PNG of few colors that becomes one again, 12 bytes for each pixel of the widest.
//   - The encoders: the most expensive ones of those that run at once; see encoderBytes.
//
// A JPEG that is resized by its planes has those in place of the 16 rows and the rows on their way: at the load shrink, a byte
// for each sample. If that is more than mostPlanes, or than the limit, libvips takes the picture.
//
// There are as many threads, and encoders at once, as [runtime.GOMAXPROCS]. The numbers were measured with libvips 8.18.7 and
// one malloc arena: package bench/heavy compares the sum with the peak of processes that render one picture each.
func (s *Source) Memory(spec Spec) (int64, error) {
	pictures, err := s.plan(spec)
	if err != nil {
		return 0, err
	}
	return s.memory(spec, pictures), nil
}

// measure notes what the estimate needs to know from the header.
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

// encoderBytes is how much memory encoding takes, with the encoded file, in bytes for each pixel of one frame: without alpha,
// and with it.
var encoderBytes = map[Format][2]int64{JPEG: {4, 4}, PNG: {4, 6}, GIF: {20, 20}, WebP: {12, 28}, AVIF: {36, 54}}

func (s *Source) memory(spec Spec, pictures []*picture) int64 {
	if s.byPlanes(spec, pictures) {
		return s.planesMemory(pictures)
	}
	frames := s.framesFor(pictures)
	shrink := int64(s.loadShrink(pictures[0].width))
	width, height := int64(s.Width), int64(s.Height)
	if s.turned() {
		width, height = height, width
	}
	return memoryOfEach + s.fileMemory() +
		s.decoderMemory(width, height, shrink, frames) +
		s.rowsMemory(width/shrink, height/shrink) +
		s.renditionsMemory(pictures, frames) + s.fewMemory(pictures) +
		encodersMemory(pictures, s.Alpha, frames, runtime.GOMAXPROCS(0))
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
		return (frames + 1) * pixels * 4
	}
	switch s.Format {
	case JPEG:
		return layout.coefficients + 16*width*s.pixelBytes
	case PNG:
		if layout.png.Interlaced {
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
		return width * min(height, int64(layout.tiff.Rows())) * s.pixelBytes
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

// bytes returns the size of a picture's pixels in memory.
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

// fewMemory is what it takes to look for the colors of a PNG that has few: of each pixel its four samples, what the search knows
// of it, and what came out.
func (s *Source) fewMemory(pictures []*picture) int64 {
	if !s.input.layout.png.Few || !slices.Contains(pictures[0].formats, PNG) {
		return 0
	}
	return 12 * int64(pictures[0].width) * int64(pictures[0].height)
}

func encodersMemory(pictures []*picture, alpha bool, frames int64, atOnce int) int64 {
	var each []int64
	for _, p := range pictures {
		for format := range p.sizes {
			perPixel := encoderBytes[format][0]
			if alpha {
				perPixel = encoderBytes[format][1]
			}
			perPixel += frames - 1 // a byte for each in the file
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
