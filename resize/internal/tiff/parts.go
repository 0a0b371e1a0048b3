package tiff

import (
	"fmt"
	"math"

	"s3resizer/resize/internal/rejection"
)

// parts says into what the pixels of a page are divided.
type parts struct {
	name                   string // strip or tile
	offsets, lengths       field  // where they are
	offsetsTag, lengthsTag uint16
	width, height          uint64 // of each, in pixels
	across, down           uint64
	all                    uint64 // how many there are, of all planes
	raw                    bool   // they are not compressed
	full, last             uint64 // if so, the bytes that one takes, and one of the last strips
	single                 bool   // all is one strip, whose length may be missing
	mistaken               bool   // their lengths say nothing, as libtiff sees it: it computes them
}

func (p *Page) parts() parts {
	width, height := p.number(tagWidth, 0), p.number(tagLength, 0)
	d := parts{
		name: "strip", offsetsTag: tagStripOffsets, lengthsTag: tagStripCounts,
		width: width, height: min(p.number(tagRowsPerStrip, height), height), raw: p.compression() == 1,
	}
	if p.Tiled() {
		d.name, d.offsetsTag, d.lengthsTag = "tile", tagTileOffsets, tagTileCounts
		d.width, d.height = p.number(tagTileWidth, 0), p.number(tagTileLength, 0)
	}
	d.offsets, d.lengths = p.fields[d.offsetsTag], p.fields[d.lengthsTag]
	if most := uint64(math.MaxInt32); d.width == 0 || d.height == 0 || max(width, height, d.width, d.height) > most {
		return d
	}
	d.across, d.down = (width+d.width-1)/d.width, (height+d.height-1)/d.height
	d.all = d.across * d.down
	if p.separate() {
		d.all = times(d.all, p.samples())
	}
	d.full = p.bytes(d.width, d.height)
	d.last = d.full
	if !p.Tiled() {
		d.single = d.all == 1
		d.last = p.bytes(d.width, height-(d.down-1)*d.height)
	}
	one, _ := p.value(d.lengths, 0)
	two, _ := p.value(d.lengths, 1)
	missing := d.lengths.count == 0 && d.across*d.down == 1
	d.mistaken = d.raw && (d.single || missing || d.all > 2 && !p.separate() && one != two)
	return d
}

// bytes returns how many bytes pixels take that are not compressed.
func (p *Page) bytes(width, rows uint64) uint64 {
	samples := p.samples()
	if p.separate() {
		samples = 1
	}
	if across, down := p.subsampling(); p.subsampled() && across > 0 && down > 0 { // blocks of luma, each with two of chroma
		width, rows, samples = (width+across-1)/across, (rows+down-1)/down, across*down+2
	}
	return times((times(times(width, samples), p.bits())+7)/8, rows)
}

// part returns where a strip or tile is, and whether the fields say so.
func (p *Page) part(d parts, i uint64) (at, length uint64, ok bool) {
	at, there := p.value(d.offsets, i)
	length, ok = p.value(d.lengths, i)
	switch {
	case d.mistaken:
		return at, d.needs(i), there
	case d.single && !ok && there && at < uint64(len(p.file)):
		return at, uint64(len(p.file)) - at, true
	default:
		return at, length, there && ok
	}
}

// needs returns how many bytes a strip or tile has at least.
func (d parts) needs(i uint64) uint64 {
	switch {
	case !d.raw:
		return 1
	case i/d.across%d.down == d.down-1:
		return d.last
	default:
		return d.full
	}
}

// mostSamples is how many samples of a pixel libvips reads.
const mostSamples = 10000

// mostParts is how many strips or tiles a page may have. Each costs the decoder some 10 µs, however small it is. Programs write tiles
// of 128 pixels a side or more, of which the limit of 150 megapixels is 9,155, and of 64 it would be 36,621. The smallest strips are
// of one row: 100,000 are those of 25,000 rows in four channels, each by itself.
const mostParts = 100_000

// complete returns a [*rejection.Rejection] if a strip or tile of the page does not lie within the file, or if one of the first
// page, which is to be decoded, is not there.
func (p *Page) complete(page int) error {
	d := p.parts()
	of := ""
	switch {
	case page > 1 && p.compression() == 6: // its lengths mean nothing
		return nil
	case page > 1:
		d.all, of = min(d.all, d.offsets.count, d.lengths.count), fmt.Sprintf(" of page %d", page)
	case d.all == 0 || !p.sensible() || p.samples() == 0 || p.samples() > mostSamples:
		return errDamaged
	case d.all > mostParts && p.whole(d.offsets): // else, one is missing
		return rejection.TooLargef("a TIFF in %d %ss; the limit is %d, and with larger ones it is read", d.all, d.name, mostParts)
	}
	for i := range d.all {
		at, length, ok := p.part(d, i)
		switch {
		case !ok:
			return rejection.Corruptf("the tiff is damaged or cut short: it does not say where %s %d of %d%s is", d.name, i+1, d.all, of)
		case !p.within(at, length):
			return rejection.Corruptf("the tiff is cut short: %s %d of %d%s goes beyond its end", d.name, i+1, d.all, of)
		case page == 1 && length < d.needs(i):
			return rejection.Corruptf("the tiff is damaged: %s %d of %d has %d bytes of %d", d.name, i+1, d.all, length, d.needs(i))
		}
	}
	return nil
}

// Part names the strip or tile that begins at an offset, such as "strip 3 of 20", or returns "".
func (p *Page) Part(offset int64) string {
	d := p.parts()
	for i := range d.all {
		if at, _, ok := p.part(d, i); ok && at == uint64(offset) {
			return fmt.Sprintf("%s %d of %d", d.name, i+1, d.all)
		}
	}
	return ""
}
