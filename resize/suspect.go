package resize

import (
	"context"
	"errors"
	"fmt"
	"io"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
)

// errSuspect is for a JPEG that may be damaged, or merely odd: it has to be examined as a whole.
var errSuspect = errors.New("the decoder is not sure of this jpeg")

// examine reads a JPEG again, whole, and finds out whether it can be decoded after all; it is what is decoded next then.
// It reports whether the file is cut short.
func (s *Source) examine(ctx context.Context, spec Spec) (truncated bool, err error) {
	if spec.Reopen == nil {
		return false, rejection.Corruptf("the jpeg may be damaged; whether it is takes another look at it, and it can't be read again")
	}
	file, err := spec.readAgain(ctx)
	if err != nil {
		return false, fmt.Errorf("read the picture again: %w", err)
	}
	found := jpeg.Examine(ctx, file, int64(s.Width)*int64(s.Height))
	if err := context.Cause(ctx); err != nil {
		return false, fmt.Errorf("examine: %w", err)
	}
	if err := judge(found, spec); err != nil {
		return false, err
	}
	s.input.close()
	s.input = examinedInput(ctx, found.File, s.input.layout)
	return found.Cut, nil
}

func (spec Spec) readAgain(ctx context.Context) ([]byte, error) {
	again, err := spec.Reopen(ctx)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	return io.ReadAll(&faultKeeper{ctx: ctx, r: again})
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
