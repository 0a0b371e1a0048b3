package resize

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// input is what libvips reads a picture from. The header is read twice: once to learn the dimensions, and once more with
// the load shrink that is chosen by them. So input can start again from its first byte, until last is called.
//
// It also remembers the error of its reader, since libvips gives the same one for a broken connection as for a broken
// picture.
type input struct {
	body   *faultKeeper
	format Format
	// A format that streams is decoded while it is being read. Its reader can't seek, so libvips keeps no decoded rows for
	// later. head is what the first reading of the header has read.
	streams bool
	head    bytes.Buffer
	length  int64     // of the file in bytes, or 0 if the reader does not say
	jpeg    *jpeg.End // of such a file, once last was called
	// A JPEG that was examined is decoded whatever is wrong with it.
	examined bool
	// The file of any other format is read whole, since its decoder moves about in it.
	file  []byte
	seeks *seeks // of a TIFF, once last was called

	layout layout
}

func newInput(ctx context.Context, c *caller, r io.Reader, limits Limits) (*input, Format, error) {
	in := &input{body: &faultKeeper{ctx: ctx, caller: c, r: r}}
	if sized, ok := r.(interface{ Len() int }); ok {
		in.length = int64(sized.Len())
	}
	head := make([]byte, sniffLength)
	n, err := io.ReadFull(in.body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || in.body.err != nil {
		return nil, "", fmt.Errorf("read the first bytes: %w", errors.Join(in.body.err, err))
	}
	head = head[:n]
	format, err := detect(head)
	if err != nil {
		return nil, "", err
	}
	in.format = format
	whole := io.MultiReader(bytes.NewReader(head), in.body)
	if in.streams = formats[format].streams; in.streams {
		err = in.readHead(whole, format)
	} else {
		err = in.readFile(whole, format, limits)
	}
	if in.body.err != nil {
		return nil, "", fmt.Errorf("read the picture: %w", in.body.err)
	}
	if err != nil {
		return nil, "", err
	}
	if format == AVIF && bytes.Equal(in.file[8:12], []byte("avis")) {
		// A sequence has a still picture too. libvips reads that if the file does not say that it is a sequence.
		copy(in.file[8:], "avif")
	}
	return in, format, nil
}

// examinedInput returns an input for a JPEG that was examined, and which is all there. It appends an end marker, in case there
// is none.
func examinedInput(ctx context.Context, file []byte, layout layout) *input {
	body := &faultKeeper{ctx: ctx, caller: new(caller), r: bytes.NewReader(jpeg.EndOfImage)}
	return &input{body: body, format: JPEG, streams: true, head: *bytes.NewBuffer(file), examined: true, layout: layout}
}

// load reads the header of the picture from a reader, and its pixels when they are asked for.
func (in *input) load(r io.Reader, how vips.Loading) (*vips.Image, error) {
	page := in.layout.tiff
	how.Strict = page != nil && page.Strict()
	image, err := vips.Load(r, formats[in.format].loader, how)
	if err != nil || page == nil {
		return image, err
	}
	if err := in.fromTIFF(image); err != nil {
		image.Close()
		return nil, err
	}
	return image, nil
}

// readHead reads what stands before the pixels.
func (in *input) readHead(r io.Reader, format Format) (err error) {
	ahead := bufio.NewReaderSize(r, 8<<10)
	if in.layout, err = copyHeader(format, ahead, &in.head); err != nil {
		return err
	}
	_, err = io.CopyN(&in.head, ahead, int64(ahead.Buffered()))
	return err
}

// directoryRoom is how much longer a TIFF gets by [tiff.Page.Plain].
const directoryRoom = 2 << 10

// readFile reads the whole file, but stops as soon as it is too long or has too many frames.
func (in *input) readFile(r io.Reader, format Format, limits Limits) error {
	tooLong := func(length int) error {
		if int64(length) > limits.MaxMemory {
			return rejection.TooLargef("a %s is read whole, and this one is of more bytes than the %s of memory that one picture may take", format, mebibytes(limits.MaxMemory))
		}
		return nil
	}
	if sized, ok := in.body.r.(interface{ Len() int }); ok {
		length := sniffLength + sized.Len()
		if err := tooLong(length); err != nil {
			return err
		}
		in.file = make([]byte, 0, length+1+directoryRoom) // one more byte, so that the end is met without growing
	}
	walked := walk{format: format, limits: limits}
	for {
		in.file = slices.Grow(in.file, 1)
		n, err := r.Read(in.file[len(in.file):cap(in.file)])
		in.file = in.file[:len(in.file)+n]
		if err := walked.on(in.file); err != nil {
			return err
		}
		if err := tooLong(len(in.file)); err != nil {
			return err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	var err error
	in.file, in.layout, err = walked.end(in.file)
	return err
}

// again returns a reader of the picture from its first byte, after which there may be another one.
func (in *input) again() io.Reader {
	if !in.streams {
		return bytes.NewReader(in.file)
	}
	read := bytes.NewReader(bytes.Clone(in.head.Bytes()))
	return onlyReader{io.MultiReader(read, io.TeeReader(in.body, &in.head))}
}

// last returns the last reader of the picture from its first byte. It fails when ctx ends.
func (in *input) last(ctx context.Context) io.Reader {
	in.body.ctx = ctx
	if in.format == TIFF {
		in.seeks = &seeks{Reader: bytes.NewReader(in.file)}
		return in.seeks
	}
	if !in.streams {
		return bytes.NewReader(in.file)
	}
	all := io.MultiReader(&in.head, in.body)
	switch {
	case in.examined:
		return onlyReader{all}
	case in.format == JPEG:
		in.jpeg = jpeg.NewEnd(all, in.layout.header, in.layout.mostScans)
		return onlyReader{in.jpeg}
	default: // PNG
		return onlyReader{in.layout.png.Mend(all)}
	}
}

// doubtful reports whether the picture may be damaged, though it was decoded: the decoder, which must be closed by now, has
// warned of something, or should have, or did not read to the end of the file, or the end is not there.
func (in *input) doubtful(warned bool) bool {
	return in.jpeg != nil && (warned || !in.jpeg.Reached || in.jpeg.TooMany || in.jpeg.Senseless)
}

// blame returns the error for a failure of libvips: that of the reader or of ctx, if there is one. Else the picture itself is
// to blame, which is a [*Rejection] with the given reason, or errSuspect if it is worth a second look.
func (in *input) blame(ctx context.Context, reason string) error {
	if in.body.err != nil {
		return fmt.Errorf("read the picture: %w", in.body.err)
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if in.jpeg != nil && in.jpeg.TooMany {
		return rejection.TooLargef("a JPEG with more than %d scans; that is the limit for its size", in.layout.mostScans)
	}
	if in.jpeg != nil {
		return errSuspect
	}
	return rejection.Corruptf("%s", reason)
}

func (in *input) close() {
	in.head.Reset()
	in.file, in.layout.tiff, in.seeks = nil, nil, nil
}

// faultKeeper remembers the error, other than io.EOF, with which its reader or its context ended.
type faultKeeper struct {
	ctx    context.Context
	caller *caller // whose reader it is
	r      io.Reader
	err    error
}

func (f *faultKeeper) Read(p []byte) (read int, err error) {
	if f.err == nil {
		f.err = context.Cause(f.ctx)
	}
	if f.err != nil {
		return 0, f.err
	}
	err = f.caller.with(func() error {
		n, err := f.r.Read(p)
		read = n
		if err != nil && err != io.EOF {
			f.err = err
		}
		return err
	})
	return read, err
}

// onlyReader hides all methods but Read. A reader with a method Seek would be taken for one that can seek.
type onlyReader struct{ io.Reader }
