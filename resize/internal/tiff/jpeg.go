package tiff

import (
	"fmt"
	"iter"
	"slices"
)

// JPEG is a strip or tile that is a JPEG (TIFF Technical Note 2).
type JPEG struct {
	Name          string // such as "strip 3 of 20"
	Width, Height int    // pixels of the page that it has at least
	File          []byte // with the tables that it shares with others
}

// JPEGs returns the JPEGs that the page consists of, if it does.
func (p *Page) JPEGs() iter.Seq[JPEG] {
	return func(yield func(JPEG) bool) {
		if p.compression() != compressedByJPEG {
			return
		}
		tables := p.tables()
		d := p.parts()
		for i := range d.all {
			at, length, _ := p.part(d, i)
			file := p.file[at : at+length]
			start := min(2, len(file)) // the marker that it begins with
			rows := d.height
			if !p.Tiled() && i/d.across%d.down == d.down-1 {
				rows = p.number(tagLength, 0) - (d.down-1)*d.height
			}
			name := fmt.Sprintf("%s %d of %d", d.name, i+1, d.all)
			if !yield(JPEG{name, int(d.width), int(rows), slices.Concat(file[:start], tables, file[start:])}) {
				return
			}
		}
	}
}

// tables returns the segments of tables that all JPEGs of the page share.
func (p *Page) tables() []byte {
	f := p.fields[tagJPEGTables]
	if f.kind != 7 || f.count < 4 {
		return nil
	}
	return p.file[f.at+2 : f.at+f.count-2] // without the markers of its beginning and end
}
