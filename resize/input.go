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
	"s3resizer/resize/internal/png"
	"s3resizer/resize/internal/rejection"
)

// input is what libvips reads a picture from. The header is read twice (once to learn the dimensions, once more with
// the load shrink chosen from them), so input can start again from its first byte, until rewound for the last time.
// And it remembers how its reader failed: libvips tells a broken connection and a broken picture apart no better than
// "premature end".
type input struct {
	body   *faultKeeper
	format Format
	// A format that is decoded as it streams: the bytes that the first reading of the header has taken. Such a reader
	// can't seek, which makes libvips drop what it has decoded.
	streams bool
	head    bytes.Buffer
	jpeg    *jpeg.End // where such a file ends, once it is read for the last time
	png     *png.End
	// The file was examined before, and what is wrong with it is nothing to mind.
	examined bool
	// Any other: the whole file, since the decoder wants to move about in it.
	file []byte

	layout layout
}

func newInput(ctx context.Context, r io.Reader, limits Limits) (*input, Format, error) {
	in := &input{body: &faultKeeper{ctx: ctx, r: r}}
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
		// Sequences have a still picture too, which is read if the file is not called one.
		copy(in.file[8:], "avif")
	}
	return in, format, nil
}

// examinedInput is for a JPEG of which the file is there and was examined. The end marker may be missing.
func examinedInput(ctx context.Context, file []byte, layout layout) *input {
	body := &faultKeeper{ctx: ctx, r: bytes.NewReader(jpeg.EndOfImage)}
	return &input{body: body, streams: true, head: *bytes.NewBuffer(file), examined: true, layout: layout}
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

// readFile reads the whole file, unless it proves to be too much on the way.
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
		in.file = make([]byte, 0, length+1) // one more, to meet the end without growing
	}
	walked := walk{format: format, maxFrames: limits.MaxFrames}
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
	in.layout, err = walked.end(in.file)
	return err
}

// again returns a reader of the picture from its first byte that leaves room for another one.
func (in *input) again() io.Reader {
	if !in.streams {
		return bytes.NewReader(in.file)
	}
	read := bytes.NewReader(bytes.Clone(in.head.Bytes()))
	return onlyReader{io.MultiReader(read, io.TeeReader(in.body, &in.head))}
}

// last returns a reader of the picture from its first byte, for the last time. The end of ctx ends it.
func (in *input) last(ctx context.Context) io.Reader {
	in.body.ctx = ctx
	if !in.streams {
		return bytes.NewReader(in.file)
	}
	all := io.MultiReader(&in.head, in.body)
	switch in.format {
	case JPEG:
		in.jpeg = jpeg.NewEnd(all, in.layout.header)
		return onlyReader{in.jpeg}
	case PNG:
		in.png = png.NewEnd(all)
		return onlyReader{in.png}
	default: // examined
		return onlyReader{all}
	}
}

// doubtful reports whether the decoder, which is closed now and has warned or not, had its difficulties with the picture
// after all, or should have had, or has left the end of it unread that is not there.
func (in *input) doubtful(warned bool) bool {
	return in.jpeg != nil && (warned || !in.jpeg.Reached || in.jpeg.Senseless) || in.png != nil && !in.png.Reached()
}

// blame says why libvips failed: the reader's error or that of ctx, where there is one, else the picture itself, which may
// be worth a second look.
func (in *input) blame(ctx context.Context, reason string) error {
	if in.body.err != nil {
		return fmt.Errorf("read the picture: %w", in.body.err)
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if in.jpeg != nil {
		return errSuspect
	}
	return rejection.Corruptf("%s", reason)
}

func (in *input) close() {
	in.head.Reset()
	in.file = nil
}

// faultKeeper remembers the error, other than io.EOF, with which its reader or its context ended.
type faultKeeper struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (f *faultKeeper) Read(p []byte) (int, error) {
	if f.err == nil {
		f.err = context.Cause(f.ctx)
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// onlyReader hides every method but Read: govips would take a Seek for an invitation.
type onlyReader struct{ io.Reader }
