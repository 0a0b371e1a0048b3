package resize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	jpeg    *jpegEnd // where such a file ends, once it is read for the last time
	png     *pngEnd
	// The file was examined before, and what is wrong with it is nothing to mind.
	examined bool
	// Any other: the whole file, since the decoder wants to move about in it.
	file []byte
}

func newInput(ctx context.Context, r io.Reader) (*input, Format, error) {
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
	if in.streams = formats[format].streams; in.streams {
		in.head.Write(head)
		return in, format, nil
	}
	if in.file, err = io.ReadAll(io.MultiReader(bytes.NewReader(head), in.body)); err != nil {
		return nil, "", fmt.Errorf("read the file: %w", err)
	}
	if format == AVIF && bytes.Equal(in.file[8:12], []byte("avis")) {
		// Sequences have a still picture too, which is read if the file is not called one.
		copy(in.file[8:], "avif")
	}
	return in, format, checkEnding(format, in.file)
}

// examinedInput is for a JPEG of which the file is there and was examined. The end marker may be missing.
func examinedInput(ctx context.Context, file []byte) *input {
	body := &faultKeeper{ctx: ctx, r: bytes.NewReader(endOfImage)}
	return &input{body: body, streams: true, head: *bytes.NewBuffer(file), examined: true}
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
		in.jpeg = &jpegEnd{r: all, header: jpegHeaderLength(in.head.Bytes())}
		return onlyReader{in.jpeg}
	case PNG:
		in.png = newPNGEnd(all)
		return onlyReader{in.png}
	default: // examined
		return onlyReader{all}
	}
}

// doubtful tells whether the decoder, which is closed now and has warned or not, had its difficulties with the picture
// after all, or has left the end of it unread that is not there.
func (in *input) doubtful(warned bool) bool {
	return in.jpeg != nil && (warned || !in.jpeg.reached) || in.png != nil && !in.png.reached()
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
		return ErrSuspect
	}
	return &Rejection{ClassCorrupt, reason}
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
