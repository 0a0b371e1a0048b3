package resize

import (
	"bufio"
	"bytes"

	"s3resizer/resize/internal/gif"
	"s3resizer/resize/internal/isobmff"
	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/png"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/tiff"
	"s3resizer/resize/internal/webp"
)

// A file's outer structure is walked here before libvips sees it. libvips keeps every comment, decompresses every text,
// counts the frames of a WebP in time that grows with their square, and follows a TIFF's directories wherever they lead;
// a few hundred kilobytes can cost it seconds, or hundreds of megabytes. The walk takes neither, and learns on its way
// what the decoder will have to hold.

// layout is what a file's outer structure says of how the picture is stored.
type layout struct {
	header       int   // bytes that were kept of what stands before the pixels: what follows is coded data
	coefficients int64 // bytes that a JPEG's decoder holds until the last scan is read; 0: it goes row by row
	interlaced   bool  // a PNG in Adam7's order
	lossless     bool  // a WebP
	rows         int   // of a TIFF that are decoded at once; 0 for those that are read one by one
}

// copyHeader copies what stands before the pixels of a format that streams, without what is of no use.
func copyHeader(format Format, from *bufio.Reader, to *bytes.Buffer) (layout, error) {
	var found layout
	switch format {
	case JPEG:
		header, err := jpeg.CopyHeader(from, to)
		if err != nil {
			return found, err
		}
		found.coefficients = header.Coefficients
	case PNG:
		header, err := png.CopyHeader(from, to)
		if err != nil {
			return found, err
		}
		found.interlaced = header.Interlaced
	}
	found.header = to.Len()
	return found, nil
}

// walk is for a file of a format that does not stream.
type walk struct {
	format    Format
	maxFrames int
	gif       gif.Walk
	webp      webp.Walk
}

// on looks at what has come of the file by now, and ends its reading if that is too much.
func (w *walk) on(file []byte) error {
	frames := 0
	switch w.format {
	case GIF:
		w.gif.On(file)
		frames = w.gif.Frames
	case WebP:
		w.webp.On(file)
		frames = w.webp.Frames
	}
	if frames > w.maxFrames {
		return rejection.TooLargef("an animation of more than %d frames; that is the limit", w.maxFrames)
	}
	return nil
}

// end looks at the whole file.
func (w *walk) end(file []byte) (layout, error) {
	var found layout
	switch w.format {
	case GIF:
		if !w.gif.Ended { // libvips shows what frames there are
			return found, rejection.Corruptf("the gif is damaged or cut short")
		}
	case WebP:
		found.lossless = w.webp.Lossless
	case AVIF, HEIC:
		return found, isobmff.Check(file, string(w.format))
	case TIFF:
		first, err := tiff.Read(file, w.maxFrames)
		if err != nil {
			return found, err
		}
		found.rows = first.Rows
	}
	return found, nil
}

// profile returns the ICC profile that a file without one stands for, or nil.
func (in *input) profile() []byte {
	switch in.format {
	case PNG:
		return png.Profile(in.head.Bytes())
	case AVIF:
		return isobmff.Profile(in.file)
	default:
		return nil
	}
}
