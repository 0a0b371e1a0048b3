package jpeg

import "errors"

// segment reads the parameters of the marker that was read last.
func (s *scanner) segment() ([]byte, error) {
	if s.at+2 > len(s.data) {
		return nil, errEnd
	}
	length := int(s.data[s.at])<<8 | int(s.data[s.at+1])
	if length < 2 {
		return nil, errors.New("a marker segment of no length")
	}
	if s.at+length > len(s.data) {
		return nil, errEnd
	}
	body := s.data[s.at+2 : s.at+length]
	s.at += length
	return body, nil
}

var errSegment = errors.New("a marker segment that makes no sense")

func (s *scanner) restartInterval(body []byte) error {
	if len(body) != 2 {
		return errSegment
	}
	s.restarts = int(body[0])<<8 | int(body[1])
	return nil
}

// component is a color component. Its blocks are of 8 × 8 samples.
type component struct {
	id             byte
	h, v           int
	dc, ac         *huffman // of the current scan
	dcSlot, acSlot int      // the places of dc and ac among the tables
	wide, high     int      // blocks that the picture covers
	stride         int      // blocks in a line, with the padding to whole MCUs
	precision      [64]int  // for each coefficient, how many of its low bits are still to come; -1 before any has
	rows           [64]int  // for each coefficient, the pixel rows for which its first scan has come
	nonzero        []uint64 // a bit for each coefficient of each block; progressive only
}

// frame reads a frame header (T.81, B.2.2).
func (s *scanner) frame(marker byte, body []byte) error {
	if marker > markerSOF2 {
		return errors.New("what is wrong can't be found out for its kind of coding")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) || len(s.components) > 0 {
		return errSegment
	}
	s.progressive = marker == markerSOF2
	s.height, s.width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	if s.width == 0 || s.height == 0 || int64(s.width)*int64(s.height) > s.maxPixels || body[5] == 0 || body[5] > 4 {
		return errSegment
	}
	components := make([]component, body[5])
	for i := range components {
		c := &components[i]
		c.id, c.h, c.v = body[6+3*i], int(body[7+3*i]>>4), int(body[7+3*i]&15)
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return errSegment
		}
		s.hMax, s.vMax = max(s.hMax, c.h), max(s.vMax, c.v)
	}
	for i := range components {
		c := &components[i]
		c.wide, c.high = ceilDiv(s.width*c.h, 8*s.hMax), ceilDiv(s.height*c.v, 8*s.vMax)
		c.stride = ceilDiv(s.width, 8*s.hMax) * c.h
		if s.progressive {
			c.nonzero = make([]uint64, c.stride*ceilDiv(s.height, 8*s.vMax)*c.v)
		}
		for k := range c.precision {
			c.precision[k] = -1
		}
	}
	s.components = components
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// scanHeader reads a scan header (T.81, B.2.3) and returns the components of the scan.
func (s *scanner) scanHeader(body []byte) ([]*component, error) {
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return nil, errSegment
	}
	n := int(body[0])
	parameters := body[1+2*n:]
	s.ss, s.se, s.ah, s.al = int(parameters[0]), int(parameters[1]), int(parameters[2]>>4), int(parameters[2]&15)
	if !s.progressive {
		s.ss, s.se, s.ah, s.al = 0, 63, 0, 0 // decoders ignore what is written there, and some cameras write nonsense
	}
	var in []*component
	for i := range n {
		c := s.component(body[1+2*i])
		dc, ac := body[2+2*i]>>4, body[2+2*i]&15
		if c == nil || dc > 3 || ac > 3 {
			return nil, errSegment
		}
		c.dc, c.ac, c.dcSlot, c.acSlot = s.dcTables[dc], s.acTables[ac], int(dc), int(ac)
		if c.dc == nil && s.ss == 0 && s.ah == 0 || c.ac == nil && s.se > 0 {
			return nil, errors.New("a Huffman table that is missing or makes no sense")
		}
		in = append(in, c)
	}
	return in, nil
}

func (s *scanner) component(id byte) *component {
	for i := range s.components {
		if s.components[i].id == id {
			return &s.components[i]
		}
	}
	return nil
}

// checkProgression returns an error if a scan does not fit those before it (T.81, G.1.1.1).
func (s *scanner) checkProgression(in []*component) error {
	bad := errors.New("a scan that doesn't fit those before it")
	if s.progressive && (s.se > 63 || s.ss > s.se || s.ss == 0 && s.se > 0 || s.ss > 0 && len(in) > 1 || s.ah > 0 && s.al != s.ah-1 || s.al > 13) {
		return bad
	}
	for _, c := range in {
		if s.ss > 0 && c.precision[0] < 0 {
			return bad
		}
		for k := s.ss; k <= s.se; k++ {
			if s.ah > 0 && c.precision[k] != s.ah || s.ah == 0 && c.precision[k] > 0 || !s.progressive && c.precision[k] == 0 {
				return bad
			}
		}
	}
	return nil
}
