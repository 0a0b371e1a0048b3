package vips

import (
	"errors"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// #include "room.h"
import "C"

// Raw is a picture for an encoder: bytes in memory, row by row. The frames of an animation stand one below the other.
type Raw struct {
	Samples              []byte
	Width, Height, Bands int // in pixels; Height is that of all frames together
	Space                Space
	Frames               int
	Delays               []int // milliseconds, one for each frame; nil leaves it to the viewer
	Loop                 int   // how often an animation plays; 0 for ever
	EXIF                 []byte
}

// Raw returns the pixels of a computed picture without copying them. They are valid until the picture is closed.
func (i *Image) Raw() (Raw, error) {
	samples := C.vips_image_get_data(i.c)
	if samples == nil {
		return Raw{}, failure("look at the pixels")
	}
	raw := Raw{Width: i.Width(), Height: i.Height(), Bands: i.Bands(), Space: i.Space(), Frames: 1}
	raw.Samples = unsafe.Slice((*byte)(samples), raw.Width*raw.Height*raw.Bands)
	return raw, nil
}

// Rows returns some rows, as a picture without frames.
func (r Raw) Rows(top, height int) Raw {
	row := r.Width * r.Bands
	r.Samples, r.Height = r.Samples[top*row:(top+height)*row], height
	r.Frames, r.Delays, r.Loop = 1, nil, 0
	return r
}

// FirstFrame returns the first frame of an animation.
func (r Raw) FirstFrame() Raw { return r.Rows(0, r.Height/r.Frames) }

// encode hands the picture to govips, which copies it.
func (r Raw) encode(export func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error)) ([]byte, error) {
	image, err := vips.NewImageFromMemory(r.Samples, r.Width, r.Height, r.Bands, vips.BandFormatUchar, r.Space)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	if r.EXIF != nil {
		image.SetBlob("exif-data", r.EXIF)
	}
	if r.Frames > 1 {
		err = errors.Join(image.SetPageHeight(r.Height/r.Frames), image.SetLoop(r.Loop))
		if err == nil && len(r.Delays) > 0 {
			err = image.SetPageDelay(r.Delays)
		}
		if err != nil {
			return nil, err
		}
	}
	data, _, err := export(image)
	return data, err
}

// Filter is the way in which a PNG predicts its samples.
type Filter = vips.PngFilter

// The filters that are used.
const (
	FilterNone    = vips.PngFilterNone
	FilterAverage = vips.PngFilterAvg
)

// PNG encodes with a compression from 0 to 9.
func (r Raw) PNG(compression int, filter Filter) ([]byte, error) {
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportPng(&vips.PngExportParams{Filter: filter, Compression: compression, StripMetadata: r.EXIF == nil})
	})
}

// PalettePNG encodes with 256 colors at most, and hardly any dither, which would only be more to compress.
func (r Raw) PalettePNG() ([]byte, error) {
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportPng(&vips.PngExportParams{Filter: FilterNone, Compression: 6, Palette: true, Bitdepth: 8, Dither: 0.01, StripMetadata: r.EXIF == nil})
	})
}

// GreyPNG encodes a grey picture with as many levels as so many bits hold, which must be all that it has.
func (r Raw) GreyPNG(bits int) ([]byte, error) {
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportPng(&vips.PngExportParams{Filter: FilterNone, Compression: 9, Bitdepth: bits, StripMetadata: r.EXIF == nil})
	})
}

// WebP encodes at a quality from 1 to 100, with an effort from 0 to 6.
func (r Raw) WebP(quality, effort int) ([]byte, error) {
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportWebp(&vips.WebpExportParams{Quality: quality, ReductionEffort: effort, StripMetadata: r.EXIF == nil})
	})
}

// AVIF encodes at a quality from 1 to 100, with an effort from 0 to 9.
func (r Raw) AVIF(quality, effort int) ([]byte, error) {
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportAvif(&vips.AvifExportParams{Quality: quality, Bitdepth: 8, Effort: effort, StripMetadata: r.EXIF == nil})
	})
}

// GIF encodes with an effort from 1 to 10 and a palette of 1 << bits colors. dithered says that what it lacks is made of dots.
func (r Raw) GIF(effort, bits int, dithered bool) ([]byte, error) {
	dither := 0.01 // govips takes 0 for the default, 1
	if dithered {
		dither = 1
	}
	return r.encode(func(image *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return image.ExportGIF(&vips.GifExportParams{Dither: dither, Effort: effort, Bitdepth: bits})
	})
}
