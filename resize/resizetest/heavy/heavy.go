// Package heavy makes what is hard on memory: large pictures of every kind that is decoded in its own way, and bombs,
// small files that ask for much. Its tests measure what they cost.
package heavy

import (
	"fmt"
	"math/rand/v2"

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

// PNG encodes fast.
func PNG(interlaced bool) Encoder {
	params := vips.PngExportParams{Compression: 1, Filter: vips.PngFilterNone, Interlace: interlaced, StripMetadata: true}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportPng(&params) }
}

// WebP encodes fast.
func WebP(lossless bool) Encoder {
	params := vips.WebpExportParams{Quality: 60, Lossless: lossless, StripMetadata: true}
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return img.ExportWebp(&params) }
}

// AVIF encodes as fast as AV1 can be.
func AVIF(bits int) Encoder {
	params := vips.AvifExportParams{Quality: 40, Bitdepth: bits, StripMetadata: true}
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

// PlanarTIFF encodes without compression, a strip for each channel.
func PlanarTIFF() Encoder {
	return func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		samples, err := img.ToBytes()
		if err != nil {
			return nil, nil, err
		}
		pixels, bands := uint32(img.Width()*img.Height()), uint32(img.Bands())
		lists := uint32(tiffHeader + directorySize(12)) // behind the directory: the strips' offsets, their sizes, bits a sample
		strips := lists + 10*bands
		file := tiffStart()
		file = append(file, directory(0,
			tag{256, 4, 1, uint32(img.Width())}, tag{257, 4, 1, uint32(img.Height())}, tag{258, 3, bands, lists + 8*bands}, tag{259, 3, 1, 1}, tag{262, 3, 1, 2},
			tag{273, 4, bands, lists}, tag{277, 3, 1, bands}, tag{278, 4, 1, uint32(img.Height())}, tag{279, 4, bands, lists + 4*bands}, tag{284, 3, 1, 2},
			tag{254, 4, 1, 0}, tag{296, 3, 1, 1})...)
		for band := range bands {
			file = little.AppendUint32(file, strips+band*pixels)
		}
		for range bands {
			file = little.AppendUint32(file, pixels)
		}
		for range bands {
			file = little.AppendUint16(file, 8)
		}
		for band := range bands {
			for i := range pixels {
				file = append(file, samples[i*bands+band])
			}
		}
		return file, nil, nil
	}
}
