package isobmff

// sound reports whether what a meta box says of its items fits together, as far as a decoder would show something else than what is
// meant: all that are listed have an entry (ISO/IEC 14496-12, 8.11.6), without which an alpha is not found; and the bits of a
// sample are as many for its decoder as they are for whoever shows it (pixi and av1C: ISO/IEC 23008-12, 6.5.6; AVIF, 2.2.1).
func sound(meta []byte) bool {
	if list := box(meta, "iinf", 0); list != nil {
		f := fields{list}
		version := f.next(4) >> 24
		entries := f.next(idWidth(version > 0))
		for _, whole := range allBoxes(f.rest) {
			if string(whole[4:8]) != "infe" {
				return false
			}
			entries--
		}
		if entries != 0 {
			return false
		}
	}
	depth, said := uint64(0), uint64(0)
	for name, content := range properties(meta, primary(meta)) {
		switch {
		case name == "av1C" && len(content) >= 4:
			depth = 8
			if content[2]&0x40 != 0 { // high_bitdepth
				depth = 10
			}
			if content[2]&0x20 != 0 { // twelve_bit
				depth = 12
			}
		case name == "pixi" && len(content) >= 6:
			said = uint64(content[5]) // of the first channel
		}
	}
	return depth == 0 || said == 0 || depth == said
}
