package jpeg

import (
	"errors"

	"s3resizer/resize/internal/rejection"
)

const maxMCUBlocks = 10 // T.81, B.2.3

// MostVisits is how often scans may come by a pixel, all in all: a second's work, or less. VisitsOfEach are what a scan costs besides.
const (
	MostVisits   = 3_000_000_000
	VisitsOfEach = 4_000
)

// MostScans is how many scans a picture of the given dimensions, in pixels, may have. An empty one takes few bytes, but a look
// at every block. Programs write 10 or so, those that search for the smallest file up to 64; libvips takes no more than 100.
// Of a picture of more than 30 megapixels there may be fewer: 20 of 150.
func MostScans(width, height int) int {
	return int(min(100, MostVisits/(max(1, int64(width))*max(1, int64(height)))))
}

// scan reads a scan header and the entropy-coded data behind it.
func (s *scanner) scan(body []byte) error {
	if s.scans++; s.scans > MostScans(s.width, s.height) {
		return rejection.TooLargef("a JPEG of %d × %d pixels with more than %d scans; that is the limit for its size", s.width, s.height, MostScans(s.width, s.height))
	}
	in, err := s.scanHeader(body)
	if err != nil {
		return err
	}
	if err := s.checkProgression(in); err != nil {
		return err
	}
	return s.mcus(in)
}

// came notes that the current scan has come as far as a pixel row.
func (s *scanner) came(in []*component, row int) {
	s.reached = min(row, s.height)
	for _, c := range in {
		for k := s.ss; k <= s.se; k++ {
			if c.precision[k] < 0 {
				c.rows[k] = s.reached
			}
		}
	}
}

// mcus goes through the minimum coded units of a scan (T.81, A.2). A unit has blocks of all components of the scan; where
// there is only one component, it is a single block.
func (s *scanner) mcus(in []*component) error {
	across, down := s.units(in)
	pixels := 8 * s.vMax
	if len(in) == 1 {
		pixels /= in[0].v
	}
	blocks := 0
	for _, c := range in {
		blocks += s.blocksInMCU(c, in)
	}
	if blocks > maxMCUBlocks {
		return errSegment
	}
	s.eobRun = 0
	toGo, next := s.restarts, byte(markerRST0)
	for y := range down {
		s.came(in, y*pixels)
		if err := s.ctx.Err(); err != nil {
			return err
		}
		for x := range across {
			if s.restarts > 0 {
				if toGo == 0 {
					if err := s.restart(in, next); err != nil {
						return err
					}
					toGo, next = s.restarts, markerRST0|(next+1)&7
				}
				toGo--
			}
			for _, c := range in {
				for i := range s.blocksInMCU(c, in) {
					column, row := x, y
					if len(in) > 1 {
						column, row = x*c.h+i%c.h, y*c.v+i/c.h
					}
					if !s.block(c, s.history(c, column, row)) {
						return s.fault()
					}
				}
			}
		}
	}
	s.came(in, s.height)
	for _, c := range in {
		for k := s.ss; k <= s.se; k++ {
			c.precision[k] = s.al
		}
	}
	return s.finish(in)
}

// units returns how many MCUs a scan has, across and down.
func (s *scanner) units(in []*component) (across, down int) {
	if len(in) == 1 {
		return in[0].wide, in[0].high
	}
	return ceilDiv(s.width, 8*s.hMax), ceilDiv(s.height, 8*s.vMax)
}

// blocksInMCU returns how many blocks of a component an MCU of the scan has.
func (s *scanner) blocksInMCU(c *component, in []*component) int {
	if len(in) == 1 {
		return 1
	}
	return c.h * c.v
}

// history returns the bits that say which coefficients of a block are not zero.
func (s *scanner) history(c *component, column, row int) *uint64 {
	if !s.progressive {
		return &s.scratch
	}
	return &c.nonzero[row*c.stride+column]
}

// restart ends an interval and finds the marker that begins the next one (T.81, E.2.4).
func (s *scanner) restart(in []*component, want byte) error {
	if err := s.finish(in); err != nil {
		return err
	}
	marker, err := s.marker()
	if err != nil {
		return err
	}
	if marker != want {
		return errors.New("a restart marker is missing")
	}
	s.eobRun = 0
	return nil
}

// finish looks at what is left of the data when every block has come. Less than a byte is padding (T.81, F.1.2.3). More is
// either harmless, left behind by some encoders, or a sign of damage: damaged bits were taken for blocks, and those that
// belong there were pushed out.
//
// What is left is taken for harmless if it does not consist of blocks right up to the marker, and if two of these three
// things are true: the blocks end with the padding that they should; what is left is the same byte over and over; and it
// stands at the end of a sequential picture, where cameras leave it. (Damage within the very last blocks may look like that.)
func (s *scanner) finish(in []*component) error {
	if s.eobRun > 0 {
		return errLeft
	}
	s.fill()
	if s.n < 8 {
		return nil
	}
	marker, err := s.peek()
	if err != nil || s.blocksLeft(in) {
		return errLeft
	}
	ends, padding, last := s.padded(), s.paddingLeft(), !s.progressive && (marker < markerRST0 || marker > markerRST7)
	if ends && padding || last && (ends || padding) {
		return nil
	}
	return errLeft
}

// padded reports whether the bits up to the next whole byte are ones, as padding is.
func (s *scanner) padded() bool {
	left := s.n % 8
	return s.acc>>(s.n-left)&(1<<left-1) == 1<<left-1
}

// blocksLeft reports whether the rest of the data, right up to the marker, consists of blocks. It returns false for a scan
// that refines coefficients, since almost any bits would do there.
func (s *scanner) blocksLeft(in []*component) bool {
	for rest := *s; s.ah == 0; {
		for _, c := range in {
			for range s.blocksInMCU(c, in) {
				if rest.eobRun = 0; !rest.block(c, &rest.scratch) {
					return false
				}
				if rest.fill(); rest.n < 8 && rest.acc&(1<<rest.n-1) == 1<<rest.n-1 {
					return true
				}
			}
		}
	}
	return false
}

// paddingLeft reports whether the rest of the data is the same byte over and over: zeros, or at least four others.
func (s *scanner) paddingLeft() bool {
	rest := s.bitReader
	rest.n -= rest.n % 8
	first, _ := rest.take(8)
	for count := 1; ; count++ {
		switch value, more := rest.take(8); {
		case !more:
			return first == 0 || count >= 4
		case value != first:
			return false
		}
	}
}

// fault says why a block can't be read.
func (s *scanner) fault() error {
	if !s.short {
		return errors.New("a code that it can't have")
	}
	if _, err := s.peek(); err != nil {
		return err
	}
	return errors.New("a marker where a block should be")
}
