package resize

import (
	"context"
	"errors"
	"fmt"
	"io"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
)

// ErrSuspect is what [Source.Render] returns for a JPEG that may be damaged, or merely odd: as it streams by, the two can't
// be told apart. Nothing has been emitted then. See [Source.RenderSuspect].
var ErrSuspect = errors.New("the decoder is not sure of this JPEG: it has to be examined as a whole")

// RenderSuspect does what Render does for a picture that Render suspects. r gives the same file from its first byte; it
// is read to its end, and held whole.
//
// Padding between segments, parameters that nobody heeds and other harmless oddities are passed over. A file that ends too
// soon is a [*Rejection] that says where, unless spec accepts it and half of its rows, at least, are there: each with all of
// its coefficients, though maybe not to their last bit if it is progressive. Anything else is one too.
func (s *Source) RenderSuspect(ctx context.Context, r io.Reader, spec Spec, emit func(Rendition) error) error {
	file, err := io.ReadAll(&faultKeeper{ctx: ctx, r: r})
	if err != nil {
		return fmt.Errorf("read the picture again: %w", err)
	}
	found := jpeg.Examine(ctx, file, int64(s.Width)*int64(s.Height))
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("examine: %w", err)
	}
	if err := judge(found, spec); err != nil {
		return err
	}
	s.Truncated = found.Cut
	s.input.close()
	s.input = examinedInput(ctx, found.File, s.input.layout)
	return s.Render(ctx, spec, emit)
}

// judge decides what is to become of a picture.
func judge(f jpeg.Finding, spec Spec) error {
	where := fmt.Sprintf("row %d of %d", f.Rows, f.Height)
	switch {
	case f.Damage != nil:
		return rejection.Corruptf("the jpeg is damaged at %s or above: %v", where, f.Damage)
	case f.Cut && 2*f.Rows < f.Height:
		return rejection.Corruptf("the jpeg is cut short at %s, before its half", where)
	case f.Cut && !spec.AcceptTruncated:
		return &Rejection{Class: ClassCorrupt, Reason: fmt.Sprintf("the jpeg is cut short at %s", where), Remedy: RemedyAcceptTruncated}
	}
	return nil
}
