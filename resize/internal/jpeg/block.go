package jpeg

import "math/bits"

// block reads what the scan has of a block. Like the methods below, it reports whether that was possible.
func (s *scanner) block(c *component, nonzero *uint64) bool {
	switch {
	case !s.progressive:
		return s.sequential(c)
	case s.ss == 0 && s.ah == 0:
		return s.difference(c)
	case s.ss == 0:
		return s.skip(1)
	case s.ah == 0:
		return s.first(c.ac, nonzero)
	default:
		return s.refinement(c.ac, nonzero)
	}
}

// difference reads a DC coefficient (T.81, F.2.2.1).
func (s *scanner) difference(c *component) bool {
	size := s.symbol(c.dc)
	return size >= 0 && size < 16 && s.skip(size)
}

// sequential reads all coefficients (T.81, F.2.2.2).
func (s *scanner) sequential(c *component) bool {
	if !s.difference(c) {
		return false
	}
	for k := 1; k < 64; k++ {
		symbol := s.symbol(c.ac)
		if symbol < 0 {
			return false
		}
		run, size := symbol>>4, symbol&15
		if size == 0 && run < 15 {
			break
		}
		if k += run; k > 63 || !s.skip(size) {
			return false
		}
	}
	return true
}

// first reads a band of AC coefficients for the first time (T.81, G.1.2.2).
func (s *scanner) first(table *huffman, nonzero *uint64) bool {
	if s.eobRun > 0 {
		s.eobRun--
		return true
	}
	for k := s.ss; k <= s.se; k++ {
		symbol := s.symbol(table)
		if symbol < 0 {
			return false
		}
		run, size := symbol>>4, symbol&15
		if size == 0 && run < 15 {
			return s.endOfBands(run)
		}
		if k += run; k > s.se || !s.skip(size) {
			return false
		}
		if size > 0 {
			*nonzero |= 1 << k
		}
	}
	return true
}

// endOfBands reads how many blocks, counting this one, have nothing more in this band.
func (s *scanner) endOfBands(run int) bool {
	extra, ok := s.take(run)
	s.eobRun = 1<<run + extra - 1
	return ok
}

// refinement reads one more bit of a band of AC coefficients (T.81, G.1.2.3): a bit of each coefficient that is not zero so
// far, and those that become so.
func (s *scanner) refinement(table *huffman, nonzero *uint64) bool {
	k := s.ss
	for ; k <= s.se && s.eobRun == 0; k++ {
		symbol := s.symbol(table)
		if symbol < 0 {
			return false
		}
		run, size := symbol>>4, symbol&15
		switch {
		case size > 1:
			return false
		case size == 1:
			if !s.skip(1) {
				return false
			}
		case run < 15:
			if !s.endOfBands(run) {
				return false
			}
			return s.corrections(k, *nonzero)
		}
		// The run counts coefficients that are still zero; between them stand bits of the others.
		for ; k <= s.se; k++ {
			if *nonzero&(1<<k) != 0 {
				if !s.skip(1) {
					return false
				}
			} else if run--; run < 0 {
				break
			}
		}
		if size == 1 {
			if k > s.se {
				return false
			}
			*nonzero |= 1 << k
		}
	}
	if s.eobRun > 0 {
		s.eobRun--
		return s.corrections(k, *nonzero)
	}
	return true
}

// corrections reads a bit for each coefficient from k on that is not zero.
func (s *scanner) corrections(k int, nonzero uint64) bool {
	band := uint64(1)<<k - 1
	if s.se < 63 {
		band |= ^(uint64(1)<<(s.se+1) - 1)
	}
	for n := bits.OnesCount64(nonzero &^ band); n > 0; n -= 16 {
		if !s.skip(min(n, 16)) {
			return false
		}
	}
	return true
}
