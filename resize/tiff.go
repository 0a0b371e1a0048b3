package resize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/internal/vips"
)

// fromTIFF makes what libvips has loaded of a TIFF RGB, where libvips leaves that to others.
func (in *input) fromTIFF(image *vips.Image) error {
	page := in.layout.tiff
	if page.Padded() {
		if err := image.Keep(3); err != nil {
			return err
		}
	}
	if rows, add := page.Matrix(); rows != nil {
		return image.Recombine(rows, add)
	}
	return nil
}

// examineTIFF returns an error if the pixels are damaged in a way that libvips does not mind when it loads the page.
func (s *Source) examineTIFF(ctx context.Context) error {
	page := s.input.layout.tiff
	visits := int64(0)
	for part := range page.JPEGs() {
		found := jpeg.Examine(ctx, part.File, int64(part.Width+64)*int64(part.Height+64)) // which may go beyond the picture
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("examine: %w", err)
		}
		visits += int64(found.Scans) * (int64(found.Width)*int64(found.Height) + jpeg.VisitsOfEach)
		switch refusal := (*Rejection)(nil); {
		case errors.As(found.Damage, &refusal), visits > jpeg.MostVisits:
			return rejection.TooLargef("a TIFF in JPEGs of too many scans, %d of them in %s; with sequential ones, or larger strips or tiles, it is read", found.Scans, part.Name)
		case found.Damage != nil:
			return rejection.Corruptf("the tiff is damaged at %s: %v", part.Name, found.Damage)
		case found.Cut || found.Width < part.Width || found.Height < part.Height:
			return rejection.Corruptf("the tiff is damaged at %s: its jpeg is cut short", part.Name)
		}
	}
	if !page.Stacks() {
		return nil
	}
	page.Stack(true)
	defer page.Stack(false)
	tiles, err := vips.Load(s.input.last(ctx), vips.TIFF, vips.Loading{Strict: true})
	if err != nil {
		return rejection.Unsupportedf("%s in so many tiles is not read; in strips it is", page.Kind())
	}
	defer tiles.Close()
	defer killAtEnd(ctx, tiles)()
	own := tiles.Copy()
	defer own.Close()
	if err := own.Drain(); err != nil {
		return s.input.blame(ctx, s.input.damage())
	}
	return nil
}

// damage says that the picture is damaged and, of a TIFF, where: libvips reads no further than the strip that it fails at, and
// hardly further than the tile.
func (in *input) damage() string {
	if in.seeks != nil {
		if part := in.layout.tiff.Part(in.seeks.to.Load()); part != "" {
			return "the tiff is damaged at " + part
		}
	}
	return fmt.Sprintf("the %s is damaged or cut short", in.format)
}

// seeks remembers where its reader was last told to go.
type seeks struct {
	*bytes.Reader
	to atomic.Int64
}

func (s *seeks) Seek(offset int64, whence int) (int64, error) {
	at, err := s.Reader.Seek(offset, whence)
	if err == nil && at < s.Size() {
		s.to.Store(at)
	}
	return at, err
}
