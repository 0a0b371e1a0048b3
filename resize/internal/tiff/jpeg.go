package tiff

import (
	"context"
	"slices"

	"s3resizer/resize/internal/jpeg"
	"s3resizer/resize/internal/rejection"
)

// Examine goes through the JPEGs that the strips or tiles of a page consist of (TIFF Technical Note 2), and returns a
// [*rejection.Rejection] if one is damaged or cut short. libvips shows whatever libjpeg has made of a tile. When ctx ends,
// Examine stops, and what it returns means nothing.
func (p *Page) Examine(ctx context.Context) error {
	if p.compression() != compressedByJPEG {
		return nil
	}
	tables := p.tables()
	d := p.parts()
	for i := range d.all {
		if ctx.Err() != nil {
			return nil
		}
		at, length, _ := p.part(d, i)
		part := p.file[at : at+length]
		if len(part) < 2 {
			return rejection.Corruptf("the tiff is damaged: %s %d of %d is no JPEG", d.name, i+1, d.all)
		}
		rows := d.height
		if !p.tiled() && i/d.across%d.down == d.down-1 {
			rows = p.number(tagLength, 0) - (d.down-1)*d.height
		}
		found := jpeg.Examine(ctx, slices.Concat(part[:2], tables, part[2:]), int64(d.width+64)*int64(d.height+64))
		switch {
		case found.Damage != nil:
			return rejection.Corruptf("the tiff is damaged at %s %d of %d: %v", d.name, i+1, d.all, found.Damage)
		case found.Cut || uint64(found.Width) < d.width || uint64(found.Height) < rows:
			return rejection.Corruptf("the tiff is damaged: %s %d of %d is cut short", d.name, i+1, d.all)
		}
	}
	return nil
}

// tables returns the segments of tables that all JPEGs of the page share.
func (p *Page) tables() []byte {
	f := p.fields[tagJPEGTables]
	if f.kind != 7 || f.count < 4 {
		return nil
	}
	return p.file[f.at+2 : f.at+f.count-2] // without the markers of its beginning and end
}
