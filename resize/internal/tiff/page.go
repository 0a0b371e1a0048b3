package tiff

import (
	"fmt"
	"math"
	"slices"

	"s3resizer/resize/internal/rejection"
)

// The tags of fields (section 8).
const (
	tagSubfile       = 254 // NewSubfileType
	tagWidth         = 256
	tagLength        = 257
	tagBits          = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagFillOrder     = 266
	tagStripOffsets  = 273
	tagOrientation   = 274
	tagSamples       = 277
	tagRowsPerStrip  = 278
	tagStripCounts   = 279
	tagPlanar        = 284
	tagT4Options     = 292
	tagT6Options     = 293
	tagPredictor     = 317
	tagColorMap      = 320
	tagTileWidth     = 322
	tagTileLength    = 323
	tagTileOffsets   = 324
	tagTileCounts    = 325
	tagInkSet        = 332
	tagExtra         = 338 // ExtraSamples
	tagSampleFormat  = 339
	tagJPEGTables    = 347
	tagCoefficients  = 529 // YCbCrCoefficients
	tagSubsampling   = 530 // YCbCrSubSampling
	tagBlackAndWhite = 532 // ReferenceBlackWhite
	tagProfile       = 34675

	tagArtist    = 315
	tagXMP       = 700
	tagCopyright = 33432
	tagIPTC      = 33723
)

// kept are the tags of the fields that a decoder needs, and of those of [Page.Blocks].
var kept = func() map[uint16]bool {
	all := map[uint16]bool{}
	for _, tag := range []uint16{
		tagSubfile, tagWidth, tagLength, tagBits, tagCompression, tagPhotometric, tagFillOrder, tagStripOffsets, tagOrientation, tagSamples,
		tagRowsPerStrip, tagStripCounts, tagPlanar, tagT4Options, tagT6Options, tagPredictor, tagColorMap, tagTileWidth, tagTileLength,
		tagTileOffsets, tagTileCounts, tagInkSet, tagExtra, tagSampleFormat, tagJPEGTables, tagCoefficients, tagSubsampling,
		tagBlackAndWhite, tagProfile, tagArtist, tagXMP, tagCopyright, tagIPTC,
	} {
		all[tag] = true
	}
	return all
}()

// compressions are those that are read, by their numbers.
var compressions = map[uint64]string{
	1: "none", 2: "fax", 3: "fax", 4: "fax", 5: "LZW", 7: "JPEG", 8: "deflate", 32946: "deflate", 32773: "PackBits",
}

const compressedByJPEG = 7

// photometrics are the color spaces that are read, by their numbers.
var photometrics = map[uint64]string{0: "grey", 1: "grey", photometricRGB: "RGB", 3: "a palette", 5: "inks", photometricYCbCr: "YCbCr", 8: "L*a*b*"}

const (
	photometricRGB   = 2
	photometricYCbCr = 6
)

// Page is the first page of a TIFF: how it is stored.
type Page struct {
	*reader
	fields         map[uint16]field
	plain, stacked uint64 // where the directories are that Plain adds
}

// single returns the value of a field that is a single number.
func (p *Page) single(tag uint16) (uint64, bool) {
	f := p.fields[tag]
	n, ok := p.value(f, 0)
	return n, ok && f.count == 1
}

// number returns the value of a field that is a single number, or another number if there is no such field.
func (p *Page) number(tag uint16, otherwise uint64) uint64 {
	if n, ok := p.single(tag); ok {
		return n
	}
	return otherwise
}

func (p *Page) compression() uint64 { return p.number(tagCompression, 1) }
func (p *Page) photometric() uint64 { return p.number(tagPhotometric, 0) }
func (p *Page) samples() uint64     { return p.number(tagSamples, 1) }
func (p *Page) separate() bool      { return p.number(tagPlanar, 1) == 2 && p.samples() > 1 }

// Tiled reports whether its pixels are stored in tiles, not in strips.
func (p *Page) Tiled() bool {
	_, tiled := p.fields[tagTileWidth]
	return tiled
}

// bits returns how many bits a sample has.
func (p *Page) bits() uint64 {
	if n, ok := p.value(p.fields[tagBits], 0); ok {
		return n
	}
	return 1
}

// sensible reports whether the fields that say how pixels are stored, if they are there, are such as libtiff understands.
func (p *Page) sensible() bool {
	for tag := range p.fields {
		if _, ok := p.single(tag); !ok && slices.Contains(numbers, tag) {
			return false
		}
	}
	for _, tag := range longer {
		if !p.whole(p.fields[tag]) {
			return false
		}
	}
	bits, given := p.fields[tagBits]
	extra, more := p.fields[tagExtra]
	_, known := p.value(extra, extra.count-1)
	return (!given || bits.count == 1 || bits.count >= p.samples()) && (!more || known)
}

// longer are the tags of fields whose values may stand elsewhere in the file, and which nobody can do without.
var longer = []uint16{tagBits, tagSampleFormat, tagExtra, tagColorMap, tagJPEGTables, tagProfile}

// numbers are the tags of the fields without which pixels can't be decoded, and that are single numbers.
var numbers = []uint16{tagWidth, tagLength, tagCompression, tagPhotometric, tagSamples, tagRowsPerStrip, tagPlanar, tagPredictor, tagTileWidth, tagTileLength}

// subsampling returns how many pixels share a sample of chroma, across and down: in YCbCr, unless JPEG has its own.
func (p *Page) subsampling() (across, down uint64) {
	if p.photometric() != photometricYCbCr || p.compression() == compressedByJPEG {
		return 1, 1
	}
	across, down = 2, 2 // unless the field says otherwise (section 21)
	f := p.fields[tagSubsampling]
	if a, ok := p.value(f, 0); ok {
		across = a
	}
	if d, ok := p.value(f, 1); ok {
		down = d
	}
	return across, down
}

func (p *Page) subsampled() bool {
	across, down := p.subsampling()
	return across != 1 || down != 1
}

var errRaw = rejection.Unsupportedf("a camera's raw file is not resized; what the camera makes of it, as JPEG, is")

// readable returns a [*rejection.Rejection] if the page is a preview, as in most cameras' raw files, if it consists of the
// samples of a sensor, or if it is of a kind that libvips does not decode, or shows in wrong colors.
func (p *Page) readable() error {
	photometric, compression, samples, bits := p.photometric(), p.compression(), p.samples(), p.bits()
	if p.number(tagSubfile, 0)&1 != 0 || photometric == 32803 || photometric == 34892 { // DNG's
		return errRaw
	}
	switch {
	case compression == 6:
		return rejection.Unsupportedf("a TIFF with JPEG of the old style (compression 6) is not read; with that of today, it is")
	case compressions[compression] == "":
		return rejection.Unsupportedf("a TIFF with compression %d is not read; none, LZW, deflate, JPEG, PackBits and fax are", compression)
	case photometrics[photometric] == "":
		return rejection.Unsupportedf("a TIFF with photometric interpretation %d is not read; grey, RGB, palette, CMYK, YCbCr and L*a*b* are", photometric)
	case photometric == photometricYCbCr && samples < 3:
		return rejection.Unsupportedf("a TIFF in YCbCr with %s is not read; with 3 samples, it is", p.depth())
	case !p.sameBits():
		return rejection.Unsupportedf("a TIFF whose samples are not all of the same number of bits is not read")
	case bits%8 != 0 && !p.fewBits(), compression == compressedByJPEG && bits != 8, photometric == photometricYCbCr && bits != 8 && bits != 16:
		return rejection.Unsupportedf("a TIFF of %s is not read; grey and palettes of 1, 2, 4, 8 or 16 bits are, and colors of 8 or 16", p.depth())
	case p.separate() && p.Tiled():
		return rejection.Unsupportedf("a TIFF with tiles for each channel is not read; with tiles for all channels, or strips, it is")
	case photometric == photometricYCbCr && compression == compressedByJPEG && p.separate():
		return rejection.Unsupportedf("a TIFF with a JPEG for each channel of YCbCr is not read; with one for all, it is")
	case p.subsampled() && (p.separate() || bits != 8 || samples != 3):
		return rejection.Unsupportedf("a TIFF with subsampled chroma is not read if it has planes, alpha, or more than 8 bits")
	}
	return nil
}

// sameBits reports whether all samples have as many bits as the first.
func (p *Page) sameBits() bool {
	f := p.fields[tagBits]
	for i := range min(f.count, p.samples()) {
		if n, _ := p.value(f, i); n != p.bits() {
			return false
		}
	}
	return true
}

// fewBits reports whether the samples are some of a byte's bits, and libvips knows how to spread them.
func (p *Page) fewBits() bool {
	if !slices.Contains([]uint64{1, 2, 4}, p.bits()) {
		return false
	}
	photometric := p.photometric()
	return photometric == 3 || photometric <= 1 && p.samples() == 1
}

// depth describes the samples.
func (p *Page) depth() string {
	if samples := p.samples(); samples > 1 {
		return fmt.Sprintf("%d samples of %d bits", samples, p.bits())
	}
	return fmt.Sprintf("%d bits per sample", p.bits())
}

// Kind describes how the page is stored.
func (p *Page) Kind() string {
	kind := fmt.Sprintf("a TIFF in %s, %s, compression %s", photometrics[p.photometric()], p.depth(), compressions[p.compression()])
	if p.subsampled() {
		kind += ", with subsampled chroma"
	}
	return kind
}

// Rows returns how many rows are decoded at once; 0 if they are decoded one by one. Tiles are decoded whole. Strips are decoded
// row by row, unless they are small, or each channel has strips of its own, or chroma is subsampled.
func (p *Page) Rows() int {
	rows := p.number(tagTileLength, 0)
	if rows == 0 && (p.separate() || p.subsampled() || p.photometric() == photometricYCbCr && p.compression() == compressedByJPEG) {
		rows = p.number(tagRowsPerStrip, math.MaxInt32) // without it, the picture is one strip
	}
	return int(min(rows, math.MaxInt32))
}

// Padded reports whether libvips decodes it to a fourth sample, which means nothing.
func (p *Page) Padded() bool { return p.subsampled() }

// Warnings reports whether the decoder only warns of pixels that it can't decode: fax and PackBits.
func (p *Page) Warnings() bool {
	c := compressions[p.compression()]
	return c == "fax" || c == "PackBits"
}

// Strict reports whether libvips must fail at warnings. It does so at errors in tiles only then.
func (p *Page) Strict() bool { return p.Tiled() || p.Warnings() }

// Stacks reports whether libvips fails at strips that it can't decode, but not at tiles.
func (p *Page) Stacks() bool { return p.Tiled() && (p.Warnings() || p.subsampled()) }
