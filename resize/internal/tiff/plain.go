package tiff

import (
	"maps"
	"math"
	"slices"
)

// Plain returns the file with a directory at its end, and a header that leads there: of the first page alone, with nothing but
// what a decoder needs. libvips would copy every comment and preview, and look at all pages, and libtiff would warn of every
// field that it does not know; for strips, libvips can't tell such a warning from one of damage.
func (p *Page) Plain() []byte {
	d := p.parts()
	fields := p.wanted(d)
	p.plain = p.add(fields)
	if p.Stacks() {
		fields[tagWidth], fields[tagLength] = fields[tagTileWidth], p.longs(min(d.all*d.height, math.MaxUint32)) // too many for libvips, if it is cut
		for tile, strip := range map[uint16]uint16{tagTileOffsets: tagStripOffsets, tagTileCounts: tagStripCounts, tagTileLength: tagRowsPerStrip} {
			fields[strip] = fields[tile]
			delete(fields, tile)
		}
		delete(fields, tagTileWidth)
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
	kind, count uint64
	values      []byte
}

// wanted returns the fields that the directory gets. Numbers are written anew, in the type and as often as libtiff expects them.
func (p *Page) wanted(d parts) map[uint16]entry {
	all := map[uint16]entry{d.offsetsTag: p.as(d.offsets, d.all), d.lengthsTag: p.lengths(d)}
	for _, tag := range []uint16{tagWidth, tagLength, tagRowsPerStrip, tagTileWidth, tagTileLength, tagT4Options, tagT6Options} {
		if n, ok := p.single(tag); ok {
			all[tag] = p.longs(n)
		}
	}
	for _, tag := range []uint16{tagCompression, tagPhotometric, tagFillOrder, tagOrientation, tagSamples, tagPlanar, tagPredictor, tagInkSet} {
		if n, ok := p.single(tag); ok && (tag != tagOrientation || n >= 1 && n <= 8) {
			all[tag] = p.shorts(n)
		}
	}
	for _, tag := range []uint16{tagBits, tagSampleFormat} {
		if n, ok := p.value(p.fields[tag], 0); ok {
			all[tag] = p.shorts(slices.Repeat([]uint64{n}, int(p.samples()))...)
		}
	}
	if extra := p.extra(); extra != nil {
		all[tagExtra] = p.shorts(extra...)
	}
	for _, tag := range []uint16{tagColorMap, tagJPEGTables, tagCoefficients, tagSubsampling, tagBlackAndWhite, tagProfile} {
		if f, ok := p.fields[tag]; ok && p.whole(f) {
			all[tag] = p.as(f, f.count)
		}
	}
	if rows, _ := p.Matrix(); rows != nil { // which is no business of the decoder; libvips mixes up planes of YCbCr
		all[tagPhotometric] = p.shorts(photometricRGB)
		for _, tag := range []uint16{tagCoefficients, tagSubsampling, tagBlackAndWhite} {
			delete(all, tag)
		}
	}
	return all
}

// lengths returns those of the strips or tiles.
func (p *Page) lengths(d parts) entry {
	if !d.mistaken && !d.single {
		return p.as(d.lengths, d.all)
	}
	var all []uint64
	for i := range d.all {
		_, length, _ := p.part(d, i)
		all = append(all, length)
	}
	return p.longs(all...)
}

// extra returns what the samples beyond the colors are. If the field does not say so of each, nothing is known of the others.
// libtiff would add the same, and warn.
func (p *Page) extra() []uint64 {
	colors := map[uint64]uint64{0: 1, 1: 1, photometricRGB: 3, 3: 1, photometricYCbCr: 3, 8: 3}[p.photometric()]
	given, samples := p.fields[tagExtra], p.samples()
	if colors == 0 || samples < colors+given.count {
		colors = samples - min(samples, given.count)
	}
	var all []uint64
	for i := range samples - colors {
		said, _ := p.value(given, i)
		all = append(all, said)
	}
	return all
}

// as returns a field as it is, with the first of its values.
func (p *Page) as(f field, count uint64) entry {
	e := entry{kind: f.kind, count: min(f.count, count)}
	length := times(e.count, sizes[f.kind])
	if length > p.word {
		e.values = p.offset(f.at)
	} else {
		e.values = slices.Clone(p.file[f.at : f.at+length])
	}
	return e
}

func (p *Page) longs(values ...uint64) entry {
	e := entry{kind: 4, count: uint64(len(values))}
	for _, v := range values {
		e.values = p.order.AppendUint32(e.values, uint32(v))
	}
	return p.placed(e)
}

func (p *Page) shorts(values ...uint64) entry {
	e := entry{kind: 3, count: uint64(len(values))}
	for _, v := range values {
		e.values = p.order.AppendUint16(e.values, uint16(v))
	}
	return p.placed(e)
}

// placed appends values to the file that a field has no room for.
func (p *Page) placed(e entry) entry {
	if uint64(len(e.values)) > p.word {
		at := uint64(len(p.file))
		p.file = append(p.file, e.values...)
		e.values = p.offset(at)
	}
	return e
}

func (p *Page) offset(at uint64) []byte {
	if p.word == 8 {
		return p.order.AppendUint64(nil, at)
	}
	return p.order.AppendUint32(nil, uint32(at))
}

// add appends a directory to the file, and returns where it is.
func (p *Page) add(fields map[uint16]entry) uint64 {
	for len(p.file)%8 != 0 { // directories begin at whole words
		p.file = append(p.file, 0)
	}
	at := uint64(len(p.file))
	count := p.offset(uint64(len(fields)))
	if p.word == 4 {
		count = p.order.AppendUint16(nil, uint16(len(fields)))
	}
	p.file = append(p.file, count...)
	for _, tag := range slices.Sorted(maps.Keys(fields)) {
		e := fields[tag]
		p.file = p.order.AppendUint16(p.order.AppendUint16(p.file, tag), uint16(e.kind))
		p.file = append(append(p.file, p.offset(e.count)...), e.values...)
		p.file = append(p.file, make([]byte, p.word-uint64(len(e.values)))...)
	}
	p.file = append(p.file, make([]byte, p.word)...) // no further directory
	return at
}
