package resize

import (
	"context"
	"errors"
	"fmt"
	"io"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
)

// errSuspect is the error for a JPEG that may be damaged or merely odd. It has to be examined as a whole.
var errSuspect = errors.New("the decoder is not sure of this jpeg")

// examine reads a JPEG once more, as a whole, and finds out whether it can be decoded after all. If so, the file that it has
// read is decoded next. It reports whether the file is cut short.
func (s *Source) examine(ctx context.Context, spec Spec) (truncated bool, err error) {
	reopener, ok := s.input.body.r.(Reopener)
	if !ok {
		return false, rejection.Corruptf("the jpeg may be damaged, and it can't be read again to find out")
	}
	file, err := s.readAgain(ctx, reopener)
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

func (s *Source) readAgain(ctx context.Context, reopener Reopener) (file []byte, err error) {
	err = s.caller.with(func() error {
		again, err := reopener.Reopen(ctx)
		if err != nil {
			return err
		}
		defer again.Close()
		file, err = io.ReadAll(&faultKeeper{ctx: ctx, caller: new(caller), r: again})
		return err
	})
	return file, err
}

// judge returns nil if a picture can be rendered, else a [*Rejection].
func judge(f jpeg.Finding, spec Spec) error {
	where := fmt.Sprintf("row %d of %d", f.Rows, f.Height)
	switch refusal := (*Rejection)(nil); {
	case errors.As(f.Damage, &refusal):
		return refusal
	case f.Damage != nil:
		return rejection.Corruptf("the jpeg is damaged at %s or above: %v", where, f.Damage)
	case f.Cut && 2*f.Rows < f.Height:
		return rejection.Corruptf("the jpeg is cut short at %s, before its half", where)
	case f.Cut && !spec.AcceptTruncated:
		return &Rejection{Class: ClassCorrupt, Reason: fmt.Sprintf("the jpeg is cut short at %s", where), Remedy: RemedyAcceptTruncated}
	}
	return nil
}
