package resize

import "runtime"

// rowsMemory is what the rows on their way through the resampler take. They are as wide and as deep as they are loaded.
func (s *Source) rowsMemory(first *picture, width, height, frames int64) int64 {
	reduced := int64(first.Whole.Y)
	if s.turned() {
		reduced = int64(first.Whole.X)
	}
	row := width * s.pixelBytes
	between, parts := s.rowsBetween(height, reduced)
	if frames > 1 { // what is between is each frame's own, and all are alive until the last one is there; a thread works on one of them
		return frames*row*(between+parts) + s.sums(width, height, reduced)
	}
	source := int64(0)
	if s.cached() {
		source = cacheRows(height, s.tileRows())
	}
	return row*(source+between+threads()*parts) + s.sums(width, height, reduced)
}

func threads() int64 { return int64(runtime.GOMAXPROCS(0)) }

// cached reports whether libvips keeps rows of the decoder; those that decode a picture whole have no need of it, nor have tiles.
func (s *Source) cached() bool {
	switch s.Format {
	case PNG:
		return !s.input.layout.png.Interlaced
	case TIFF:
		return !s.input.layout.tiff.Tiled()
	case GIF, JPEG:
		return true
	default:
		return false
	}
}

// tileRows is how many rows libvips reads from the decoder at once; of a TIFF, a strip, but no more than 128 of its rows.
func (s *Source) tileRows() int64 {
	if s.Format == TIFF {
		return 128
	}
	return 16
}

// cacheRows is how many rows a cache of libvips has (vips_linecache) of a picture with so many, in tiles of so many: three times
// 1 + lines / tile of them, with the lines of vips_get_tile_size.
func cacheRows(rows, tile int64) int64 {
	lines := 128 * (1 + threads()/7)
	return min(rows, 3*(lines+tile))
}

// byTwo returns in what two steps libvips makes a picture less high: by a whole factor, and by the rest of it, of which it leaves two
// at least (vips_resize).
func byTwo(height, reduced int64) (whole int64, rest float64) {
	factor := max(1, float64(height)/float64(reduced))
	whole = max(1, int64(factor/2))
	return whole, factor / float64(whole)
}

// rowsBetween returns how many rows of the source's width libvips holds while it makes a picture less high: in the caches behind
// both steps, in tiles of 10; and in the parts of each thread.
func (s *Source) rowsBetween(height, reduced int64) (between, parts int64) {
	const copies, kernels = 11, 7 // as many as were seen with one thread; a second has fewer
	parts = copies * min(height, 16)
	if s.Alpha {
		parts += 2 * min(height, 16) // weighted
		if s.deep {
			parts += 8 * min(height, 16) // in floats
		}
	}
	if height == reduced {
		return 0, parts
	}
	whole, rest := byTwo(height, reduced)
	shrunk := (height + whole - 1) / whole
	if whole > 1 {
		between = cacheRows(shrunk, 10)
	}
	// A tile of rows by a kernel of six samples at the scale that is left, at the edges more than there are.
	tile := int64(float64(min(10, reduced)) * rest)
	kernel := min(tile, shrunk) + int64(6*rest) + 3
	return between + cacheRows(reduced, 10), parts + kernel + (kernels-1)*min(kernel, shrunk+2)
}

// sums is what the threads add rows up in when they shrink by a whole factor (vips_shrinkv): 64 bytes for each sample.
func (s *Source) sums(width, height, reduced int64) int64 {
	if whole, _ := byTwo(height, reduced); whole == 1 {
		return 0
	}
	return threads() * 64 * width * s.bands
}
