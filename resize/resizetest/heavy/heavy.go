// Package heavy makes what is hard on memory: large pictures of every kind that is decoded in its own way, and bombs,
// small files that ask for much. Its tests measure what they cost.
package heavy

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// Picture is the recipe of a large picture. libvips must be started.
type Picture struct {
	Name          string
	Width, Height int // of a frame
	Frames        int // 0 for a still one
	Alpha         bool
	Deep          bool // 16 bits a sample
	Space         vips.Interpretation
	Encode        Encoder
}

// Draw makes the file: a tile of a noisy gradient, repeated, which no two frames begin at the same row of.
func (p Picture) Draw() ([]byte, error) {
	img, err := p.tile()
	if err != nil {
		return nil, err
	}
	defer img.Close()
	height := p.Height * max(1, p.Frames)
	if err := img.Replicate((p.Width+side-1)/side, (height+side-1)/side); err != nil {
		return nil, err
	}
	if err := img.ExtractArea(0, 0, p.Width, height); err != nil {
		return nil, err
	}
	if p.Frames > 1 {
		if err := img.SetPageHeight(p.Height); err != nil {
			return nil, err
		}
	}
	data, _, err := p.Encode(img)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", p.Name, err)
	}
	return data, nil
}

// side of the tile, in pixels; a prime.
const side = 499

func (p Picture) tile() (*vips.ImageRef, error) {
	bands, format := 3, vips.BandFormatUchar
	switch p.Space {
	case vips.InterpretationBW, vips.InterpretationGrey16:
		bands = 1
	case vips.InterpretationCMYK:
		bands = 4
	}
	if p.Alpha {
		bands++
	}
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 0, 2*side*side*bands)
	for y := range side {
		for x := range side {
			for band := range bands {
				sample := byte(x/4 + y/5 + random.IntN(24))
				if p.Alpha && band == bands-1 {
					sample = byte(x / 2) // smooth, as masks are
				}
				data = append(data, sample)
				if p.Deep {
					data = append(data, sample)
				}
			}
		}
	}
	if p.Deep {
		format = vips.BandFormatUshort
	}
	return vips.NewImageFromMemory(data, side, side, bands, format, p.Space)
}

// Encoder makes a file of a picture.
type Encoder = func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error)

// JPEG encodes with or without chroma subsampling, 4:2:0.
func JPEG(progressive, subsampled bool) Encoder {
	params := vips.JpegExportParams{Quality: 85, Interlace: progressive, SubsampleMode: vips.VipsForeignSubsampleOff, StripMetadata: true}
	if subsampled {
		params.SubsampleMode = vips.VipsForeignSubsampleOn
	}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportJpeg(&params) }
}

// PNG encodes fast, with so many bits a sample, of a palette or of grey if they are less than 8; 0 leaves it at what there is.
func PNG(interlaced bool, bits int, palette bool) Encoder {
	params := vips.PngExportParams{Compression: 1, Filter: vips.PngFilterNone, Interlace: interlaced, Bitdepth: bits, Palette: palette, StripMetadata: true}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportPng(&params) }
}

// WebP encodes fast.
func WebP(lossless bool) Encoder {
	params := vips.WebpExportParams{Quality: 60, Lossless: lossless, StripMetadata: true}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportWebp(&params) }
}

// AVIF encodes as fast as AV1 can be, with or without chroma subsampling, 4:2:0.
func AVIF(bits int, subsampled bool) Encoder {
	params := vips.AvifExportParams{Quality: 95, Bitdepth: bits, StripMetadata: true}
	if subsampled {
		params.Quality = 40
	}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportAvif(&params) }
}

// GIF encodes fast.
func GIF() Encoder {
	params := vips.GifExportParams{Effort: 1, Bitdepth: 4}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportGIF(&params) }
}

// TIFF encodes in strips of the given number of rows, or in tiles of 256 pixels a side if it is 0.
func TIFF(rows int) Encoder {
	params := vips.TiffExportParams{Compression: vips.TiffCompressionDeflate, Predictor: vips.TiffPredictorHorizontal, TileHeight: rows, StripMetadata: true}
	if rows == 0 {
		params.Tile, params.TileWidth, params.TileHeight = true, 256, 256
	}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportTiff(&params) }
}

// SeparateTIFF encodes each channel by itself, in strips of so many rows, or in one if it is 0.
func SeparateTIFF(rows int) Encoder {
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		samples, err := img.ToBytes()
		bytes := len(samples) / (img.Width() * img.Height() * img.Bands()) // of a sample
		var channels [][]byte
		for band := range img.Bands() {
			channel := make([]byte, 0, len(samples)/img.Bands())
			for at := band * bytes; at < len(samples); at += img.Bands() * bytes {
				channel = append(channel, samples[at:at+bytes]...)
			}
			channels = append(channels, channel)
		}
		return storedTIFF(img.Width(), img.Height(), rows, uint32(8*bytes), 2, channels), nil, err
	}
}

// BilevelTIFF encodes a grey picture with a bit for each pixel, in one strip.
func BilevelTIFF() Encoder {
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		samples, err := img.ToBytes()
		row := (img.Width() + 7) / 8
		packed := make([]byte, row*img.Height())
		for i, sample := range samples {
			x, y := i%img.Width(), i/img.Width()
			packed[y*row+x/8] |= sample >> 7 << (7 - x%8)
		}
		return storedTIFF(img.Width(), img.Height(), 0, 1, 1, [][]byte{packed}), nil, err
	}
}

// storedTIFF is a little-endian TIFF of channels that are stored apart, deflated.
func storedTIFF(width, height, rows int, bits, photometric uint32, channels [][]byte) []byte {
	if rows == 0 {
		rows = height
	}
	var offsets, lengths, depths, strips []byte
	for _, channel := range channels {
		strip := len(channel) / height * rows
		for part := range slices.Chunk(channel, strip) {
			data := deflated(part)
			offsets = little.AppendUint32(offsets, uint32(tiffHeader+len(strips)))
			lengths = little.AppendUint32(lengths, uint32(len(data)))
			strips = append(strips, data...)
		}
		depths = little.AppendUint16(depths, uint16(bits))
	}
	lists := uint32(tiffHeader + len(strips))
	n, bands := uint32(len(offsets)/4), uint32(len(channels))
	at := lists + 2*uint32(len(offsets)) + uint32(len(depths)) // of the directory
	list := func(tagged, kind uint16, count, where uint32, values []byte) tag {
		if len(values) <= 4 { // they stand in the field itself
			where = little.Uint32(append(slices.Clone(values), 0, 0, 0, 0))
		}
		return tag{tagged, kind, count, where}
	}
	file := slices.Concat([]byte("II*\x00"), little.AppendUint32(nil, at), strips, offsets, lengths, depths)
	return append(file, directory(0,
		tag{254, 4, 1, 0}, tag{256, 4, 1, uint32(width)}, tag{257, 4, 1, uint32(height)}, list(258, 3, bands, lists+8*n, depths), tag{259, 3, 1, 8},
		tag{262, 3, 1, photometric}, list(273, 4, n, lists, offsets), tag{277, 3, 1, bands}, tag{278, 4, 1, uint32(rows)},
		list(279, 4, n, lists+4*n, lengths), tag{284, 3, 1, min(bands, 2)}, tag{296, 3, 1, 1})...)
}

// Turned says in EXIF that what a JPEG or PNG shows is stored lying on its side.
func Turned(encode Encoder) Encoder {
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		data, meta, err := encode(img)
		if err != nil {
			return nil, nil, err
		}
		exif, at := resizetest.EXIF(6), 33 // behind a PNG's header
		block := chunk("eXIf", exif)
		if data[0] == 0xff {
			at, block = 2, segment(0xe1, append([]byte("Exif\x00\x00"), exif...))
		}
		return slices.Insert(data, at, block...), meta, nil
	}
}
