package animate

import (
	"bytes"
	"fmt"
	"image/color"
	"image/gif"
	"maps"
	"slices"

	"s3resizer/resize/internal/vips"
)

const (
	// mostColors is how many a palette of 8 bits has, with one place left for what is transparent.
	mostColors = 255
	// fewColors is how many a palette of a part of the screen may have for it not to be tried with the frames that follow.
	fewColors = 64
	// mostSample is how many pixels the colors are looked for in, which takes a microsecond each, in noise. With all of them, a film is
	// 0.2 dB nearer. Of an animation with ever new colors, it is half after each so many searches, down to the least.
	mostSample, leastSample, searches = 1 << 13, 1 << 10, 32
	// mostFull is how often few colors are tried in vain, before only palettes of all colors are looked for.
	mostFull = 8
	// near is how far colors may be from those of a palette that was made for an earlier frame, as the mean of squared distances:
	// 38 dB, which is what a PNG of few colors has to reach.
	near = 31
	// nearer is how far they may be, likewise, with fewer colors than there could be: 42 dB.
	nearer = 12
	// farthest is how far each of them may be, squared. An antialiased edge has pixels that far from the colors around it.
	farthest = 64 * 64
)

// distance is that of two colors, squared.
func distance(a, b uint32) int {
	r, g, b2 := int(a>>16)-int(b>>16), int(a>>8&0xff)-int(b>>8&0xff), int(a&0xff)-int(b&0xff)
	return r*r + g*g + b2*b2
}

// palette finds the nearest of its colors by the cube of 32 or 16 levels in which a color is: it knows which of its own can be the
// nearest to any in there.
type palette struct {
	colors       []uint32
	table        color.Palette // the same, and a transparent one
	mean, worst  int           // of the squared distances of the pixels that it was made for
	coarse, fine [1 << 12][]uint8
}

func (p *palette) clear() uint8 { return uint8(len(p.colors)) }

// newPalette returns a palette for some pixels, and their places in it: the smallest of some numbers of colors, in bits, that is near
// enough, since a pixel then has a shorter code.
func newPalette(pixels []uint32, depths []int, sample, effort int) (p *palette, indexes []uint8, err error) {
	for _, bits := range depths {
		p, indexes, err = paletteOf(bits, pixels, sample, effort)
		if err != nil || p.mean <= nearer && p.worst <= farthest {
			break
		}
	}
	return p, indexes, err
}

func paletteOf(bits int, pixels []uint32, sample, effort int) (*palette, []uint8, error) {
	colors, err := colorsOf(bits, pixels, sample, effort)
	p := &palette{colors: colors}
	for _, c := range colors {
		p.table = append(p.table, color.NRGBA{byte(c >> 16), byte(c >> 8), byte(c), 0xff})
	}
	p.table = append(p.table, color.NRGBA{})
	if err != nil || len(colors) == 0 {
		return p, nil, err
	}
	indexes := make([]uint8, len(pixels))
	sum := 0
	for i, c := range pixels {
		var d int
		indexes[i], d = p.nearest(c)
		sum, p.worst = sum+d, max(p.worst, d)
	}
	p.mean = sum / len(pixels)
	return p, indexes, nil
}

// colorsOf returns the colors of some pixels, if they are few enough, else the best to have in their place, by a sample
// of so many. One place of the 1 << bits is left for what is transparent.
func colorsOf(bits int, pixels []uint32, sample, effort int) ([]uint32, error) {
	most := 1<<bits - 1
	seen := map[uint32]bool{}
	for _, c := range pixels {
		if seen[c] = true; len(seen) > most {
			break
		}
	}
	if len(seen) <= most {
		return slices.Sorted(maps.Keys(seen)), nil
	}
	const width = 256
	n := min(len(pixels), sample) / width * width
	if len(pixels) < width {
		n = len(pixels)
	}
	some := vips.Raw{Width: min(n, width), Height: max(1, n/width), Bands: 3, Space: vips.SRGB, Frames: 1}
	for i := range n {
		c := pixels[i*len(pixels)/n]
		some.Samples = append(some.Samples, byte(c>>16), byte(c>>8), byte(c))
	}
	data, err := some.GIF(effort, bits, false)
	if err != nil {
		return nil, err
	}
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	table, ok := config.ColorModel.(color.Palette)
	if !ok {
		return nil, fmt.Errorf("libvips %s wrote a gif without a palette", vips.Version())
	}
	var colors []uint32
	for _, c := range table {
		r, g, b, _ := c.RGBA()
		colors = append(colors, r>>8<<16|g>>8<<8|b>>8)
	}
	slices.Sort(colors)
	colors = slices.Compact(colors) // it is filled up with black
	return colors[:min(len(colors), most)], nil
}

// fit returns the places of some pixels in the palette, or nil if they are too far from its colors: farther than they may be, and
// than those were that it was made for.
func (p *palette) fit(pixels []uint32) []uint8 {
	most := max(near, p.mean+p.mean/4) * len(pixels)
	indexes := make([]uint8, len(pixels))
	for i, c := range pixels {
		var d int
		indexes[i], d = p.nearest(c)
		if most -= d; most < 0 || d > max(farthest, p.worst) {
			return nil
		}
	}
	return indexes
}

// nearest returns the place of the nearest color, and its squared distance.
func (p *palette) nearest(c uint32) (place uint8, least int) {
	candidates := p.candidates(c)
	place, least = candidates[0], distance(c, p.colors[candidates[0]])
	for _, i := range candidates[1:] {
		if d := distance(c, p.colors[i]); d < least {
			place, least = i, d
		}
	}
	return place, least
}

func (p *palette) candidates(c uint32) []uint8 {
	fine := &p.fine[c>>12&0xf00|c>>8&0xf0|c>>4&0xf]
	if *fine == nil {
		coarse := &p.coarse[c>>15&0x1c0|c>>10&0x38|c>>5&7]
		if *coarse == nil {
			all := make([]uint8, len(p.colors))
			for i := range all {
				all[i] = uint8(i)
			}
			*coarse = p.within(all, c, 32)
		}
		*fine = p.within(*coarse, c, 16)
	}
	return *fine
}

// within returns those of the given colors that may be the nearest of one in the cube around c: they are nearer to its nearest point
// than some other is to its farthest.
func (p *palette) within(among []uint8, c uint32, side int) (out []uint8) {
	var least [mostColors]int
	bound := 1 << 30
	for k, i := range among {
		color := p.colors[i]
		sum := 0
		for shift := 0; shift <= 16; shift += 8 {
			low := int(c>>shift&0xff) &^ (side - 1)
			below, above := low-int(color>>shift&0xff), int(color>>shift&0xff)-(low+side-1)
			d, far := max(0, below, above), max(-above, -below)
			least[k] += d * d
			sum += far * far
		}
		bound = min(bound, sum)
	}
	for k, i := range among {
		if least[k] <= bound {
			out = append(out, i)
		}
	}
	return out
}
