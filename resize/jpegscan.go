package resize

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// examineJPEG finds out what is wrong with a JPEG that the decoder was not sure of, and where. libjpeg has but one kind of
// warning for the padding that some phones leave in their files, and for a picture of which half is noise; libvips passes on
// that there was one.
//
// It goes through the entropy-coded data as a decoder would (ITU-T T.81, sections F.2 and G.2) without computing a
// coefficient, and insists on what a decoder lets pass: no code that the tables don't have, no coefficient beyond the
// last, every block of every scan there, and no blocks left over. What no decoder can see it doesn't see either: a
// flipped bit that leaves the codes and their number as they were.
//
// Sequential and progressive Huffman coding are examined; arithmetic coding is not. Of a progressive picture it keeps a
// bit for each coefficient, a sixteenth of what libjpeg does. A frame of more than maxPixels is refused.
func examineJPEG(ctx context.Context, file []byte, maxPixels int64) jpegFinding {
	s := &jpegScan{ctx: ctx, maxPixels: maxPixels, bitReader: bitReader{data: withoutTail(file)}}
	s.useStandardTables()
	err := s.examine()
	found := jpegFinding{height: s.height, rows: s.rows(), file: s.data}
	switch {
	case err == nil:
		found.rows = s.height
	case errors.Is(err, errEnd):
		found.cut = true
	default:
		found.damage, found.rows = err, s.reached
	}
	return found
}

// jpegFinding is what examineJPEG has found: no damage and not cut short means that all of the picture is there.
type jpegFinding struct {
	height int    // pixels, as stored
	rows   int    // pixels from the top: those that are there, or above which the damage is
	cut    bool   // the file ends before the picture does
	damage error  // what is wrong, if it is not (only) that
	file   []byte // without the zeros after a cut
}

var (
	errEnd  = errors.New("the file ends")
	errLeft = errors.New("it has more blocks than pixels")
)

// withoutTail cuts off the zeros that an upload leaves behind which reserved its space first, and then broke off. What is
// whole ends with a marker, behind which nothing matters.
func withoutTail(file []byte) []byte {
	const least = 64 // zeros; fewer may be data, of a flat picture
	end := len(file)
	for end > 0 && file[end-1] == 0 {
		end--
	}
	if len(file)-end < least {
		return file
	}
	return file[:end]
}

// jpegScan is the state of the examination.
type jpegScan struct {
	bitReader
	ctx       context.Context
	maxPixels int64

	width, height  int // pixels; 0 before the frame header
	progressive    bool
	components     []jpegComponent
	hMax, vMax     int
	dcTables       [4]*huffman
	acTables       [4]*huffman
	restarts       int // MCUs between restart markers, or 0
	scans, reached int // the pixel row that the current scan has come to

	// Of the current scan:
	ss, se, ah, al int
	eobRun         int    // blocks to come that have nothing more in this band
	scratch        uint64 // for the bits of coefficients that nobody will ask for
}

// jpegComponent is a color component; its numbers of blocks are of 8 × 8 samples.
type jpegComponent struct {
	id                 byte
	h, v               int
	dc, ac             *huffman // of the current scan
	dcSlot, acSlot     int      // where those are among the tables
	wide, high, stride int      // blocks that the picture covers; blocks of a line with the padding to whole MCUs
	precision          [64]int  // how many low bits of a coefficient are still to come; -1: nothing has come
	rows               [64]int  // pixel rows for which the first scan of a coefficient has come
	nonzero            []uint64 // a bit for each coefficient of each block; progressive only
}

// Markers (T.81, table B.1); the second byte.
const (
	markerTEM   = 0x01
	markerSOF0  = 0xc0 // baseline; SOF1 is extended sequential, SOF2 progressive
	markerSOF2  = 0xc2
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerSOI   = 0xd8
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDRI   = 0xdd
	markerAPP0  = 0xe0
	markerAPP15 = 0xef
	markerCOM   = 0xfe
)

// isFrame tells whether a marker begins a frame header: any SOF.
func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF15 && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// The limits keep a hostile file from keeping us busy: an empty scan takes few bytes, and a look at every block.
const (
	maxScans     = 200
	maxMCUBlocks = 10 // T.81, B.2.3
)

// examine reads marker segments (T.81, B.2.1) until the picture is complete. errEnd tells that the file ends before.
func (s *jpegScan) examine() error {
	s.at = 2 // SOI, by which the format was told
	for {
		marker, err := s.marker()
		switch {
		case s.complete() && (err != nil || marker == markerEOI || !s.progressive):
			return nil // the end marker may be missing; whatever follows the data belongs to no picture
		case err != nil:
			return err
		case marker == markerEOI:
			return errors.New("it ends before all of its scans have come")
		case marker == markerSOI:
			return errors.New("a second picture begins within it")
		case marker == markerTEM || marker >= markerRST0 && marker <= markerRST7: // no parameters
			continue
		}
		parameters, err := s.segment()
		if err != nil {
			return err
		}
		if marker == markerSOS {
			err = s.scan(parameters)
		} else {
			err = s.setting(marker, parameters)
		}
		if err != nil {
			return err
		}
	}
}

// setting heeds a segment that says how the scans behind it are to be read.
func (s *jpegScan) setting(marker byte, parameters []byte) error {
	switch {
	case marker == markerDHT:
		return s.huffmanTables(parameters)
	case marker == markerDRI:
		return s.restartInterval(parameters)
	case isFrame(marker):
		return s.frame(marker, parameters)
	default:
		return nil
	}
}

// complete tells whether every bit of every coefficient has come. (Nothing forbids to leave some out; nobody does.)
func (s *jpegScan) complete() bool {
	for _, c := range s.components {
		for _, missing := range c.precision {
			if missing != 0 {
				return false
			}
		}
	}
	return len(s.components) > 0
}

// rows is the number of rows from the top for which every coefficient has come, to whatever precision: those are there
// to be seen, if not in full detail. The others are grey, or coarse.
func (s *jpegScan) rows() int {
	least := s.height
	for _, c := range s.components {
		for _, rows := range c.rows {
			least = min(least, rows)
		}
	}
	return least
}

// segment returns the parameters of a marker.
func (s *jpegScan) segment() ([]byte, error) {
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

func (s *jpegScan) restartInterval(body []byte) error {
	if len(body) != 2 {
		return errSegment
	}
	s.restarts = int(body[0])<<8 | int(body[1])
	return nil
}

// frame reads a frame header (T.81, B.2.2).
func (s *jpegScan) frame(marker byte, body []byte) error {
	if marker > markerSOF2 {
		return errors.New("what is wrong can't be told of its kind of coding")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) || len(s.components) > 0 {
		return errSegment
	}
	s.progressive = marker == markerSOF2
	s.height, s.width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	if s.width == 0 || s.height == 0 || int64(s.width)*int64(s.height) > s.maxPixels || body[5] == 0 || body[5] > 4 {
		return errSegment
	}
	components := make([]jpegComponent, body[5])
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

// scan reads a scan header and the entropy-coded data behind it.
func (s *jpegScan) scan(body []byte) error {
	if s.scans++; s.scans > maxScans {
		return fmt.Errorf("it has more than %d scans", maxScans)
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

// scanHeader reads a scan header (T.81, B.2.3) and returns the components that the scan has.
func (s *jpegScan) scanHeader(body []byte) ([]*jpegComponent, error) {
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return nil, errSegment
	}
	n := int(body[0])
	parameters := body[1+2*n:]
	s.ss, s.se, s.ah, s.al = int(parameters[0]), int(parameters[1]), int(parameters[2]>>4), int(parameters[2]&15)
	if !s.progressive {
		s.ss, s.se, s.ah, s.al = 0, 63, 0, 0 // whatever is written there: nobody looks at it, and some cameras err
	}
	var in []*jpegComponent
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

func (s *jpegScan) component(id byte) *jpegComponent {
	for i := range s.components {
		if s.components[i].id == id {
			return &s.components[i]
		}
	}
	return nil
}

// checkProgression tells whether a scan adds to what has come what it says (T.81, G.1.1.1), and notes that it does.
func (s *jpegScan) checkProgression(in []*jpegComponent) error {
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

// came notes that a scan has come as far as a pixel row.
func (s *jpegScan) came(in []*jpegComponent, row int) {
	s.reached = min(row, s.height)
	for _, c := range in {
		for k := s.ss; k <= s.se; k++ {
			if c.precision[k] < 0 {
				c.rows[k] = s.reached
			}
		}
	}
}

// mcus goes through the minimum coded units of a scan (T.81, A.2): blocks of all its components or, of a single one,
// block by block.
func (s *jpegScan) mcus(in []*jpegComponent) error {
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

// units is how many MCUs a scan has, across and down.
func (s *jpegScan) units(in []*jpegComponent) (across, down int) {
	if len(in) == 1 {
		return in[0].wide, in[0].high
	}
	return ceilDiv(s.width, 8*s.hMax), ceilDiv(s.height, 8*s.vMax)
}

// blocksInMCU is the number of a component's blocks in an MCU of the scan.
func (s *jpegScan) blocksInMCU(c *jpegComponent, in []*jpegComponent) int {
	if len(in) == 1 {
		return 1
	}
	return c.h * c.v
}

// history returns the bits of a block's coefficients.
func (s *jpegScan) history(c *jpegComponent, column, row int) *uint64 {
	if !s.progressive {
		return &s.scratch
	}
	return &c.nonzero[row*c.stride+column]
}

// restart ends an interval and finds the marker that begins the next one (T.81, E.2.4).
func (s *jpegScan) restart(in []*jpegComponent, want byte) error {
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

// finish looks at what is left of the data when every block has come. Bits of less than a byte are padding (T.81,
// F.1.2.3). More than that is either what some encoders leave behind, and harmless, or blocks whose place others took where
// bits were damaged. It is harmless if it isn't blocks right up to the marker, and if two things speak for it out of three:
// the blocks end with the bits that they should, what is left is the same byte over and over, and this is the end of a
// sequential picture, where cameras leave it. (What was damaged within its very last blocks may look like that.)
func (s *jpegScan) finish(in []*jpegComponent) error {
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

// padded tells whether the bits up to the next byte are the ones that padding should be.
func (s *jpegScan) padded() bool {
	left := s.n % 8
	return s.acc>>(s.n-left)&(1<<left-1) == 1<<left-1
}

// blocksLeft tells whether the rest of the data, right up to the marker, consists of blocks. What refines coefficients
// can't be told from anything else.
func (s *jpegScan) blocksLeft(in []*jpegComponent) bool {
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

// paddingLeft tells whether the rest of the data is the same byte over and over: zeros, or at least four others.
func (s *jpegScan) paddingLeft() bool {
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
func (s *jpegScan) fault() error {
	if !s.short {
		return errors.New("a code that it can't have")
	}
	if _, err := s.peek(); err != nil {
		return err
	}
	return errors.New("a marker where a block should be")
}

// block reads what a scan has of a block, and tells whether that was possible.
func (s *jpegScan) block(c *jpegComponent, nonzero *uint64) bool {
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
func (s *jpegScan) difference(c *jpegComponent) bool {
	size := s.symbol(c.dc)
	return size >= 0 && size < 16 && s.skip(size)
}

// sequential reads all coefficients (T.81, F.2.2.2).
func (s *jpegScan) sequential(c *jpegComponent) bool {
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
func (s *jpegScan) first(table *huffman, nonzero *uint64) bool {
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

// endOfBands reads how many blocks have nothing more, this one included, and counts it.
func (s *jpegScan) endOfBands(run int) bool {
	extra, ok := s.take(run)
	s.eobRun = 1<<run + extra - 1
	return ok
}

// refinement reads a further bit of a band of AC coefficients (T.81, G.1.2.3): of each that has come, and of those that
// come with it.
func (s *jpegScan) refinement(table *huffman, nonzero *uint64) bool {
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
		// The run counts coefficients that have not come; the bits of those between them are here.
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

// corrections reads a bit for each coefficient from k on that has come.
func (s *jpegScan) corrections(k int, nonzero uint64) bool {
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

// bitReader reads entropy-coded data up to the next marker.
type bitReader struct {
	data  []byte
	at    int    // of the next byte that is not in acc
	acc   uint64 // its low n bits are still to be read
	n     int
	end   bool // no more bytes: a marker is next, or the end of the file
	short bool // more bits were wanted than there are
}

// marker finds the next marker (T.81, B.1.1.2), whatever bytes are in front of it.
func (b *bitReader) marker() (byte, error) {
	b.acc, b.n, b.end = 0, 0, false
	for ; b.at+1 < len(b.data); b.at++ {
		if code := b.data[b.at+1]; b.data[b.at] == 0xff && code != 0 && code != 0xff {
			b.at += 2
			return code, nil
		}
	}
	return 0, errEnd
}

// peek does the same and stays where it is.
func (b *bitReader) peek() (byte, error) {
	ahead := *b
	return ahead.marker()
}

// fill makes at least 49 bits ready, or all that there are.
func (b *bitReader) fill() {
	for b.n <= 48 && !b.end {
		if b.n <= 32 && b.at+4 <= len(b.data) {
			if word := binary.BigEndian.Uint32(b.data[b.at:]); !hasOnes(word) {
				b.acc, b.n, b.at = b.acc<<32|uint64(word), b.n+32, b.at+4
				continue
			}
		}
		if b.at == len(b.data) {
			b.end = true
			return
		}
		value, next := b.data[b.at], b.at+1
		if value == 0xff { // a zero is stuffed behind it (T.81, F.1.2.3); others of its kind may be filled in
			for next < len(b.data) && b.data[next] == 0xff {
				next++
			}
			if next == len(b.data) || b.data[next] != 0 {
				b.end = true
				return
			}
			next++
		}
		b.acc, b.n, b.at = b.acc<<8|uint64(value), b.n+8, next
	}
}

// hasOnes tells whether one of the bytes of word is 0xff: Alan Mycroft's test for a zero byte, on the complement.
func hasOnes(word uint32) bool { return (^word-0x01010101)&word&0x80808080 != 0 }

// take reads up to 16 bits as a number.
func (b *bitReader) take(count int) (int, bool) {
	if !b.skip(count) {
		return 0, false
	}
	return int(b.acc >> b.n & (1<<count - 1)), true
}

func (b *bitReader) skip(count int) bool {
	if b.n < count {
		if b.fill(); b.n < count {
			b.short = true
			return false
		}
	}
	b.n -= count
	return true
}

// symbol reads a Huffman code. What it stands for is negative if there is no such code, or not all of it.
func (b *bitReader) symbol(table *huffman) int {
	if b.n < 16 {
		b.fill()
	}
	var window int // the next 16 bits; those that are missing are zeros
	if b.n >= 16 {
		window = int(b.acc >> (b.n - 16) & 0xffff)
	} else {
		window = int(b.acc << (16 - b.n) & 0xffff)
	}
	if entry := table.fast[window>>8]; entry != 0 && int(entry>>8) <= b.n {
		b.n -= int(entry >> 8)
		return int(entry & 0xff)
	}
	if length, symbol := table.find(window); length > 0 && length <= b.n {
		b.n -= length
		return symbol
	}
	b.short = b.n < 16
	return -1
}

// huffman is a table of codes of up to 16 bits (T.81, annex C).
type huffman struct {
	fast    [256]uint16 // by the next 8 bits: length of the code and its symbol; 0: it is longer
	end     [17]int     // by length: one more than the last code
	first   [17]int     // by length: where in symbols the symbol of code c is, less c
	symbols []byte
}

// find returns the length of the code that 16 bits begin with, and its symbol; 0 if there is no such code.
func (t *huffman) find(window int) (length, symbol int) {
	for length := 1; length <= 16; length++ {
		if code := window >> (16 - length); code < t.end[length] {
			return length, int(t.symbols[t.first[length]+code])
		}
	}
	return 0, 0
}

// huffmanTables reads Huffman tables (T.81, B.2.4.2).
func (s *jpegScan) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return errSegment
		}
		class, slot, total := body[0]>>4, body[0]&15, 0
		for _, count := range body[1:17] {
			total += int(count)
		}
		if class > 1 || slot > 3 || total > 256 || len(body) < 17+total {
			return errSegment
		}
		table := newHuffman(body[1:17], body[17:17+total])
		if class == 0 {
			s.dcTables[slot] = table
		} else {
			s.acTables[slot] = table
		}
		body = body[17+total:]
	}
	return nil
}

// newHuffman makes a table, or nil if there are more codes than bits for them.
func newHuffman(counts, symbols []byte) *huffman {
	t := &huffman{symbols: symbols}
	code, index := 0, 0
	for length := 1; length <= 16; length++ {
		t.first[length] = index - code
		for range counts[length-1] {
			if length <= 8 {
				from := code << (8 - length)
				for i := range 1 << (8 - length) {
					if from+i < len(t.fast) {
						t.fast[from+i] = uint16(length)<<8 | uint16(symbols[index])
					}
				}
			}
			code, index = code+1, index+1
		}
		if code >= 1<<length && counts[length-1] > 0 { // the code of ones alone is no code
			return nil
		}
		t.end[length] = code
		if counts[length-1] == 0 {
			t.end[length] = 0
		}
		code <<= 1
	}
	return t
}

// useStandardTables sets the tables of T.81, annex K.3: frames of Motion JPEG leave them out.
func (s *jpegScan) useStandardTables() {
	for slot, tables := range standardTables {
		s.dcTables[slot] = newHuffman([]byte(tables.dcCounts), []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"))
		s.acTables[slot] = newHuffman([]byte(tables.acCounts), []byte(tables.acSymbols))
	}
}

// standardTables are those for luma and for chroma.
var standardTables = [2]struct{ dcCounts, acCounts, acSymbols string }{
	{
		dcCounts: "\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00",
		acCounts: "\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d",
		acSymbols: "\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1" +
			"\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37" +
			"\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a" +
			"\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3" +
			"\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3" +
			"\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
	},
	{
		dcCounts: "\x00\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00",
		acCounts: "\x00\x02\x01\x02\x04\x04\x03\x04\x07\x05\x04\x04\x00\x01\x02\x77",
		acSymbols: "\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1" +
			"\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\x27\x28\x29\x2a\x35\x36" +
			"\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69" +
			"\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a" +
			"\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca" +
			"\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
	},
}
