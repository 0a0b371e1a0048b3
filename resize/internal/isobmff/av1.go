package isobmff

// sequence is what an AV1 sequence header says of colors.
type sequence struct {
	grey, full          bool
	described           bool // the next two are there
	primaries, transfer int
}

// readSequence looks for the sequence header among the units of coded data, which it precedes, and reads it up to its colors
// (AV1 Bitstream & Decoding Process Specification, 5.3 and 5.5). It reports whether there is one.
func readSequence(units []byte) (found sequence, ok bool) {
	const sequenceHeader, temporalDelimiter = 1, 2
	for len(units) >= 2 {
		kind, extended, sized := units[0]>>3&15, units[0]&4 != 0, units[0]&2 != 0
		units = units[1:]
		if extended {
			units = units[1:]
		}
		size := len(units)
		if sized {
			size = 0
			for shift := 0; ; shift += 7 {
				if len(units) == 0 || shift > 28 {
					return found, false
				}
				b := units[0]
				units = units[1:]
				if size |= int(b&0x7f) << shift; b < 0x80 {
					break
				}
			}
		}
		if size > len(units) || kind != sequenceHeader && kind != temporalDelimiter {
			return found, false
		}
		if kind == sequenceHeader {
			return colorsOf(&bits{data: units[:size]})
		}
		units = units[size:]
	}
	return found, false
}

func colorsOf(b *bits) (found sequence, ok bool) {
	profile := b.next(3)
	b.next(1) // still_picture
	reduced := b.flag()
	if reduced {
		b.next(5) // seq_level_idx
	} else {
		operatingPoints(b)
	}
	widthBits, heightBits := b.next(4)+1, b.next(4)+1
	b.next(widthBits)
	b.next(heightBits)
	if !reduced && b.flag() { // frame_id_numbers_present_flag
		b.next(7)
	}
	b.next(3) // use_128x128_superblock to enable_intra_edge_filter
	if !reduced {
		b.next(4) // enable_interintra_compound to enable_dual_filter
		hints := b.flag()
		if hints {
			b.next(2)
		}
		screen := 2
		if !b.flag() { // seq_choose_screen_content_tools
			screen = b.next(1)
		}
		if screen > 0 && !b.flag() { // seq_choose_integer_mv
			b.next(1)
		}
		if hints {
			b.next(3)
		}
	}
	b.next(3) // enable_superres, enable_cdef, enable_restoration
	if deep := b.flag(); deep && profile == 2 {
		b.next(1) // twelve_bit
	}
	found.grey = profile != 1 && b.flag()
	if found.described = b.flag(); found.described {
		found.primaries, found.transfer = b.next(8), b.next(8)
		b.next(8) // matrix_coefficients
	}
	found.full = b.flag() // of a picture in RGB, it is another field, which is not asked for
	return found, !b.ended
}

// operatingPoints passes over what a sequence header has for movies.
func operatingPoints(b *bits) {
	delay := 0
	if b.flag() { // timing_info_present_flag
		b.next(32)
		b.next(32)
		if b.flag() { // equal_picture_interval
			zeros := 0
			for zeros < 32 && !b.ended && !b.flag() {
				zeros++
			}
			b.next(zeros)
		}
		if b.flag() { // decoder_model_info_present_flag
			delay = b.next(5) + 1
			b.next(32)
			b.next(10)
		}
	}
	display := b.flag() // initial_display_delay_present_flag
	for points := b.next(5) + 1; points > 0 && !b.ended; points-- {
		b.next(12)
		if b.next(5) > 7 {
			b.next(1)
		}
		if delay > 0 && b.flag() {
			b.next(delay)
			b.next(delay)
			b.next(1)
		}
		if display && b.flag() {
			b.next(4)
		}
	}
}

// bits reads numbers, their highest bit first. Past the end, they are 0.
type bits struct {
	data  []byte
	at    int
	ended bool
}

func (b *bits) next(width int) (number int) {
	for range width {
		number <<= 1
		if b.at/8 >= len(b.data) {
			b.ended = true
			continue
		}
		number |= int(b.data[b.at/8] >> (7 - b.at%8) & 1)
		b.at++
	}
	return number
}

func (b *bits) flag() bool { return b.next(1) == 1 }
