package tiff

import (
	"maps"
	"slices"
)

// Plain returns the file with a directory at its end that has nothing but what a decoder needs of the first page. That is what
// the file begins with from then on. libvips would copy every comment, profile and preview, and look at all pages, and libtiff
// would warn of every field that it does not know; for strips, libvips can't tell such a warning from one of damage.
func (p *Page) Plain() []byte {
	d := p.parts()
	fields := p.copied()
	if extra := p.extra(); extra != nil {
		fields[tagExtra] = extra
	}
	if o := p.number(tagOrientation, 0); o >= 1 && o <= 8 {
		fields[tagOrientation] = p.shorts(uint16(o)) // some have it as a LONG
	} else {
		delete(fields, tagOrientation)
	}
	if _, length, _ := p.part(d, 0); d.single {
		fields[tagStripCounts] = p.long(length)
	}
	if rows, _ := p.Matrix(); rows != nil { // what is no business of the decoder; libvips mixes up planes of YCbCr
		fields[tagPhotometric] = p.shorts(photometricRGB)
		delete(fields, tagCoefficients)
		delete(fields, tagSubsampling)
		delete(fields, tagBlackAndWhite)
	}
	p.plain = p.add(fields)
	if p.Stacks() {
		for tile, strip := range map[uint16]uint16{tagTileOffsets: tagStripOffsets, tagTileCounts: tagStripCounts, tagTileLength: tagRowsPerStrip, tagTileWidth: tagWidth} {
			fields[strip] = fields[tile]
			delete(fields, tile)
		}
		fields[tagLength] = p.long(d.all * d.height)
		p.stacked = p.add(fields)
	}
	p.Stack(false)
	return p.file
}

// Stack makes the file one that shows its tiles as strips, one below the other, or the page itself again.
func (p *Page) Stack(tiles bool) {
	at := p.plain
	if tiles {
		at = p.stacked
	}
	if p.word == 8 {
		p.order.PutUint64(p.file[8:], at)
	} else {
		p.order.PutUint32(p.file[4:], uint32(at))
	}
}

// entry is a field for a directory: its type, how many values it has, and their bytes, or where in the file they stand.
type entry struct {
	kind   uint16
	count  uint64
	values []byte
}

// copied returns the fields as they are, their values not copied.
func (p *Page) copied() map[uint16]*entry {
	all := map[uint16]*entry{}
	for tag, f := range p.fields {
		e := &entry{kind: uint16(f.kind), count: f.count}
		if size := f.count * sizes[f.kind]; size > p.word {
			e.values = p.offset(f.at)
		} else {
			e.values = slices.Clone(p.file[f.at : f.at+size])
		}
		all[tag] = e
	}
	return all
}

func (p *Page) offset(at uint64) []byte {
	if p.word == 8 {
		return p.order.AppendUint64(nil, at)
	}
	return p.order.AppendUint32(nil, uint32(at))
}

func (p *Page) long(n uint64) *entry {
	return &entry{kind: 4, count: 1, values: p.order.AppendUint32(nil, uint32(n))}
}

func (p *Page) shorts(values ...uint16) *entry {
	e := &entry{kind: 3, count: uint64(len(values))}
	for _, v := range values {
		e.values = p.order.AppendUint16(e.values, v)
	}
	if uint64(len(e.values)) > p.word {
		at := uint64(len(p.file))
		p.file = append(p.file, e.values...)
		e.values = p.offset(at)
	}
	return e
}

// extra returns the field that says what the samples beyond the colors are, if it does not say so of each: nothing is known of
// them. libtiff would add the same, and warn.
func (p *Page) extra() *entry {
	colors := map[uint64]uint64{0: 1, 1: 1, 2: 3, 3: 1, photometricYCbCr: 3, 8: 3}[p.photometric()]
	if p.samples() <= colors+p.fields[tagExtra].count || colors == 0 {
		return nil
	}
	values := make([]uint16, p.samples()-colors)
	for i := range values {
		said, _ := p.value(p.fields[tagExtra], uint64(i))
		values[i] = uint16(said)
	}
	return p.shorts(values...)
}

// add appends a directory to the file, and returns where it is.
func (p *Page) add(fields map[uint16]*entry) uint64 {
	for len(p.file)%8 != 0 { // directories begin at whole words
		p.file = append(p.file, 0)
	}
	at := uint64(len(p.file))
	out := p.file
	if p.word == 8 {
		out = p.order.AppendUint64(out, uint64(len(fields)))
	} else {
		out = p.order.AppendUint16(out, uint16(len(fields)))
	}
	for _, tag := range slices.Sorted(maps.Keys(fields)) {
		e := fields[tag]
		out = p.order.AppendUint16(p.order.AppendUint16(out, tag), e.kind)
		if p.word == 8 {
			out = p.order.AppendUint64(out, e.count)
		} else {
			out = p.order.AppendUint32(out, uint32(e.count))
		}
		out = append(append(out, e.values...), make([]byte, p.word-uint64(len(e.values)))...)
	}
	p.file = append(out, make([]byte, p.word)...) // no further directory
	return at
}
