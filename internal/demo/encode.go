package demo

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"sync"

	"s3resizer/resize/resizetest/vips"
)

// Options says how a picture is encoded.
type Options struct {
	Format      string // "jpeg", "png", "webp", "gif", "tiff" or "avif"
	Quality     int    // 1–100, 0 for 90; formats without loss ignore it
	Progressive bool   // progressive JPEG, interlaced PNG; other formats ignore it

	// Orientation is the EXIF orientation, 1–8, or 0 for a file without EXIF.
	// The pixels are stored turned the other way, so that a viewer that honours
	// the tag shows the picture upright. The EXIF block also tells a made-up GPS
	// position, as a phone's would, in all formats but TIFF, which keeps the
	// orientation alone, and GIF, which has no EXIF: its Orientation must be 0 or 1.
	Orientation int

	// Profile is the ICC profile to embed. The pixels are taken to be in its
	// colour space already.
	Profile []byte
}

const defaultQuality = 90

// startVips starts libvips unless the caller has: Startup keeps the settings
// of whoever comes first.
var startVips = sync.OnceValue(func() error {
	return vips.Startup(&vips.Config{ConcurrencyLevel: 1})
})

// Encode returns the picture as a file. JPEG is written with 4:2:0 chroma
// subsampling; having no alpha, it shows what is transparent as white. A
// *image.Gray becomes a file of one channel where the format has such.
func Encode(img image.Image, o Options) ([]byte, error) {
	if img.Bounds().Empty() {
		return nil, errors.New("encode: the picture is empty")
	}
	if o.Orientation < 0 || o.Orientation > 8 {
		return nil, fmt.Errorf("encode: EXIF orientation %d is not one of 1 to 8", o.Orientation)
	}
	if o.Quality < 0 || o.Quality > 100 {
		return nil, fmt.Errorf("encode: quality %d is not in 1 to 100", o.Quality)
	}
	if o.Format == "gif" && o.Orientation > 1 {
		return nil, errors.New("encode: GIF has no EXIF to tell an orientation")
	}
	if o.Quality == 0 {
		o.Quality = defaultQuality
	}
	ref, err := load(packPixels(img, o.Format == "jpeg").stored(o.Orientation))
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", o.Format, err)
	}
	defer ref.Close()
	if o.Orientation != 0 {
		if err := setEXIF(ref, o.Orientation); err != nil {
			return nil, fmt.Errorf("encode %s: %w", o.Format, err)
		}
	}
	if len(o.Profile) > 0 {
		ref.SetBlob("icc-profile-data", o.Profile)
	}
	data, err := export(ref, o)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", o.Format, err)
	}
	return data, nil
}

func export(ref *vips.ImageRef, o Options) (data []byte, err error) {
	// libvips adds an EXIF block of its own to a file that keeps its metadata.
	strip := o.Orientation == 0 && len(o.Profile) == 0
	switch o.Format {
	case "jpeg":
		data, _, err = ref.ExportJpeg(&vips.JpegExportParams{Quality: o.Quality, Interlace: o.Progressive,
			StripMetadata: strip, SubsampleMode: vips.VipsForeignSubsampleOn})
	case "png":
		data, _, err = ref.ExportPng(&vips.PngExportParams{Compression: 6, Filter: vips.PngFilterAll,
			Interlace: o.Progressive, StripMetadata: strip})
	case "webp":
		data, _, err = ref.ExportWebp(&vips.WebpExportParams{Quality: o.Quality, ReductionEffort: 2, StripMetadata: strip})
	case "gif":
		data, _, err = ref.ExportGIF(&vips.GifExportParams{Dither: 1, Effort: 4, Bitdepth: 8})
	case "tiff":
		params := vips.NewTiffExportParams()
		params.StripMetadata = strip
		data, _, err = ref.ExportTiff(params)
	case "avif":
		data, _, err = ref.ExportAvif(&vips.AvifExportParams{Quality: o.Quality, Bitdepth: 8, Effort: 1, StripMetadata: strip})
	default:
		err = errors.New(`the format is not one of "jpeg", "png", "webp", "gif", "tiff", "avif"`)
	}
	return data, err
}

// DisplayP3 converts an opaque sRGB picture to the Display P3 colour space, and
// returns the profile to embed with it.
func DisplayP3(img *image.NRGBA) (converted *image.NRGBA, profile []byte, err error) {
	ref, err := load(packPixels(img, true))
	if err != nil {
		return nil, nil, fmt.Errorf("convert to Display P3: %w", err)
	}
	defer ref.Close()
	// Both names are of profiles that libvips carries within itself.
	if err := ref.TransformICCProfileWithFallback("p3", "srgb"); err != nil {
		return nil, nil, fmt.Errorf("convert to Display P3: %w", err)
	}
	packed, err := ref.ToBytes()
	if err != nil {
		return nil, nil, fmt.Errorf("convert to Display P3: %w", err)
	}
	converted = image.NewNRGBA(image.Rect(0, 0, ref.Width(), ref.Height()))
	for i := range len(packed) / 3 {
		copy(converted.Pix[i*4:], packed[i*3:i*3+3])
		converted.Pix[i*4+3] = 0xff
	}
	return converted, ref.GetICCProfile(), nil
}

// pixels are packed samples, as libvips takes them.
type pixels struct {
	data                 []byte
	width, height, bands int
}

func load(p pixels) (*vips.ImageRef, error) {
	if err := startVips(); err != nil {
		return nil, err
	}
	space := vips.InterpretationSRGB
	if p.bands == 1 {
		space = vips.InterpretationBW
	}
	return vips.NewImageFromMemory(p.data, p.width, p.height, p.bands, vips.BandFormatUchar, space)
}

// packPixels keeps grey pictures at one band and drops an alpha that says
// nothing, or, where it must, lays the picture on white.
func packPixels(img image.Image, flatten bool) pixels {
	bounds := img.Bounds()
	p := pixels{width: bounds.Dx(), height: bounds.Dy()}
	if gray, ok := img.(*image.Gray); ok {
		p.bands = 1
		for y := range p.height {
			row := gray.Pix[y*gray.Stride:]
			p.data = append(p.data, row[:p.width]...)
		}
		return p
	}
	nrgba, ok := img.(*image.NRGBA)
	if flatten && (!ok || !nrgba.Opaque()) {
		canvas := image.NewNRGBA(image.Rect(0, 0, p.width, p.height))
		draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(canvas, canvas.Rect, img, bounds.Min, draw.Over)
		nrgba = canvas
	} else if !ok {
		nrgba = image.NewNRGBA(image.Rect(0, 0, p.width, p.height))
		draw.Draw(nrgba, nrgba.Rect, img, bounds.Min, draw.Src)
	}
	p.bands = 4
	if nrgba.Opaque() {
		p.bands = 3
	}
	p.data = make([]byte, 0, p.width*p.height*p.bands)
	for y := range p.height {
		row := nrgba.Pix[y*nrgba.Stride:]
		for x := range p.width {
			p.data = append(p.data, row[x*4:x*4+p.bands]...)
		}
	}
	return p
}
