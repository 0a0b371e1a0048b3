package resize

import "runtime"

// rows is how many rows of a picture of the given height libvips holds while it is reduced to another height.
//
// What a picture comes from in sequence is followed by a cache of rows: the decoder, in tiles of 16 rows or, of a TIFF, of a strip's;
// the shrinking by a whole factor, and the resampling of what is left, in tiles of 10. (vips_sequential, vips_linecache.)
// Each thread has its own parts of what is between them, and the shrinking has a line for the sums (vips_shrinkv). The frames of an
// animation are all in memory, so there are no caches, but each has its own parts.
func (s *Source) rows(height, reduced int64, animation bool) int64 {
	threads := int64(runtime.GOMAXPROCS(0))
	lines := 128 * (1 + threads/7) // vips_get_tile_size
	cache := func(rows, tile int64) int64 {
		if animation {
			return 0
		}
		return min(rows, 3*(lines+tile)) // 3 × (1 + lines / tile) tiles
	}
	factor := max(1, float64(height)/float64(reduced))
	whole := max(1, int64(factor/2)) // vips_resize leaves a factor of two
	rest := factor / float64(whole)
	shrunk := (height + whole - 1) / whole
	const parts, copies = 7, 6 // as many as were seen of each
	tile := int64(16)
	if s.input.layout.tiff != nil {
		tile = 128 // the most of a strip that libvips reads at once
	}
	// A tile of 10 rows, by a kernel of six samples at the scale that is left.
	kernel := min(int64(float64(min(10, reduced))*rest), shrunk) + int64(6*rest) + 3
	rows := cache(height, tile) + cache(reduced, 10) + (parts-2+copies*threads)*min(height, 16) + parts*threads*kernel
	if whole > 1 {
		const sum = 64 // bytes a sample
		rows += cache(shrunk, 10) + threads*sum*s.bands/s.pixelBytes
	}
	if s.Alpha { // weighted by it, beside the rest
		rows += threads * 2 * min(height, 16)
		if s.deep {
			rows += threads * 8 * min(height, 16) // in floats
		}
	}
	return rows
}
