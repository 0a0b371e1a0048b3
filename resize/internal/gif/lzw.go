package gif

// decoded returns how many pixels the data of a frame stand for, counted up to most, and which colors they have. The data
// begin with the LZW code size and go on in blocks (GIF89a, section 22 and appendix F). Where a code makes no sense, they end.
//
// A code stands for a string of pixels, which is that of an earlier code and one more. So the lengths of the strings tell how
// many pixels there are, and every color that is used has come as a code of its own.
func decoded(data []byte, most int) (pixels int, used [256]bool) {
	const codes = 1 << 12
	if len(data) == 0 || data[0] < 1 || data[0] > 8 {
		return 0, used
	}
	least := uint(data[0])
	clearing := 1 << least
	next, width, before := clearing+2, least+1, -1
	var lengths [codes]int32
	for code := range clearing {
		lengths[code] = 1
	}
	stream := bits{blocks: data[1:]}
	for pixels < most {
		code, more := stream.next(width)
		switch {
		case !more || code == clearing+1:
			return pixels, used
		case code == clearing:
			next, width, before = clearing+2, least+1, -1
			continue
		case code > next || code == next && (before < 0 || next == codes):
			return pixels, used
		case code < clearing:
			used[code] = true
		}
		if before >= 0 && next < codes {
			lengths[next] = lengths[before] + 1
			if next++; next == 1<<width && width < 12 {
				width++
			}
		}
		pixels += int(lengths[code])
		before = code
	}
	return pixels, used
}

// bits reads numbers from blocks of data, their lowest bit first.
type bits struct {
	blocks []byte
	left   int // bytes of the current block
	held   uint32
	count  uint // bits of held
}

// next returns the next number of so many bits, and whether there is one.
func (b *bits) next(width uint) (int, bool) {
	for b.count < width {
		if b.left == 0 {
			if len(b.blocks) == 0 || b.blocks[0] == 0 {
				return 0, false
			}
			b.left, b.blocks = int(b.blocks[0]), b.blocks[1:]
		}
		if len(b.blocks) == 0 {
			return 0, false
		}
		b.held |= uint32(b.blocks[0]) << b.count
		b.blocks = b.blocks[1:]
		b.left--
		b.count += 8
	}
	number := b.held & (1<<width - 1)
	b.held >>= width
	b.count -= width
	return int(number), true
}
