package resize

import (
	"bufio"
	"bytes"

	"s3resizer/resize/internal/credit"
	"s3resizer/resize/internal/gif"
	"s3resizer/resize/internal/isobmff"
	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/png"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/tiff"
	"s3resizer/resize/internal/webp"
)

// Each file's outer structure is looked at before libvips sees it. libvips keeps every comment, decompresses every text,
// counts the frames of a WebP in time that grows with their square, and follows a TIFF's directories wherever they lead.
// With a few hundred kilobytes, a file can cost it seconds, or hundreds of megabytes. Looking here costs neither, and shows
// how much memory the decoder will take.

// layout says how a picture is stored, as far as its file's outer structure shows that.
type layout struct {
	header       int   // how many bytes copyHeader has kept; coded data follows them
	coefficients int64 // of a JPEG: see [jpeg.Header]
	mostScans    int   // likewise
	png          png.Header
	lossless     bool           // of a WebP
	tiff         *tiff.Page     // or nil
	hidden       int            // frames at the end of a GIF that are there for libvips alone
	unread       int            // frames of an APNG or of a sequence of AVIF, whose still picture is read; 0 for all else
	colors       isobmff.Colors // of an AVIF
	blocks       credit.Blocks  // of a format that streams
}

// copyHeader copies what stands before the pixels of a format that streams, without what the decoder has no use for.
func copyHeader(format Format, from *bufio.Reader, to *bytes.Buffer) (layout, error) {
	var found layout
	switch format {
	case JPEG:
		header, err := jpeg.CopyHeader(from, to)
		if err != nil {
			return found, err
		}
		found.coefficients, found.mostScans, found.blocks = header.Coefficients, header.MostScans, header.Blocks
	case PNG:
		var err error
		if found.png, err = png.CopyHeader(from, to); err != nil {
			return found, err
		}
		found.blocks, found.unread = found.png.Blocks, found.png.Frames
	}
	found.header = to.Len()
	return found, nil
}

// walk looks at a file of a format that does not stream, while it is being read.
type walk struct {
	format Format
	limits Limits
	gif    gif.Walk
	webp   webp.Walk
}

// on looks at as much of the file as has come. Its error is a [*Rejection]: the file has too many frames.
func (w *walk) on(file []byte) error {
	frames := 0
	switch w.format {
	case GIF:
		w.gif.On(file, w.limits.MaxFrames)
		frames = w.gif.Frames
	case WebP:
		w.webp.On(file)
		frames = w.webp.Frames
	}
	if frames > w.limits.MaxFrames {
		return rejection.TooLargef("an animation of more than %d frames; that is the limit", w.limits.MaxFrames)
	}
	return nil
}

// end looks at the whole file, and returns what libvips is to read of it, how it is stored, or a [*Rejection].
func (w *walk) end(file []byte) (_ []byte, found layout, err error) {
	switch w.format {
	case GIF:
		if w.gif.Frames > 0 {
			width, height := gif.Screen(file)
			err = w.limits.check(width, height, w.gif.Frames)
		}
		if err == nil {
			file, found.hidden, err = w.gif.Mend(file)
		}
	case WebP:
		found.lossless = w.webp.Lossless
		if webp.Lacking(file) {
			err = rejection.Corruptf("the webp is damaged: one of its frames has no pixels")
		}
	case AVIF, HEIC: // whose colors its own loader reads
		if err = isobmff.Check(file, string(w.format)); err == nil {
			found.colors, found.unread = isobmff.ReadColors(file), isobmff.Frames(file)
		}
	case TIFF:
		if found.tiff, err = tiff.Read(file, w.limits.MaxFrames); err == nil {
			file = found.tiff.Plain()
		}
	}
	return file, found, err
}

// credit returns whose the picture is and who made it, as far as its file says so. It is to be called before the last reading
// of the file, which a format that does not stream has whole until then.
func (in *input) credit() credit.Credit {
	switch in.format {
	case WebP:
		return credit.Read(webp.Blocks(in.file))
	case AVIF, HEIC:
		return credit.Read(isobmff.Blocks(in.file))
	case TIFF:
		return credit.Read(in.layout.tiff.Blocks())
	default: // a GIF has no blocks
		return credit.Read(in.layout.blocks)
	}
}

// profile returns the ICC profile by which a picture is shown, or nil. embedded is that in the file, or nil.
func (in *input) profile(embedded []byte) []byte {
	var described []byte // by other means than a profile
	precedes := false
	switch in.format {
	case PNG:
		described, precedes = png.Profile(in.head.Bytes())
	case AVIF:
		described = in.layout.colors.Profile
	}
	if precedes || embedded == nil {
		return described
	}
	return embedded
}
