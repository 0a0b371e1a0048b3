package jpeg

import (
	"context"
	"errors"
)

// Examine finds out what is wrong with a JPEG that the decoder was not sure of, and where. libjpeg has but one kind of
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
func Examine(ctx context.Context, file []byte, maxPixels int64) Finding {
	s := &scanner{ctx: ctx, maxPixels: maxPixels, bitReader: bitReader{data: withoutTail(file)}}
	s.useStandardTables()
	err := s.examine()
	found := Finding{Height: s.height, Rows: s.rows(), File: s.data}
	switch {
	case err == nil:
		found.Rows = s.height
	case errors.Is(err, errEnd):
		found.Cut = true
	default:
		found.Damage, found.Rows = err, s.reached
	}
	return found
}

// Finding is what Examine has found: no damage and not cut short means that all of the picture is there.
type Finding struct {
	Height int    // pixels, as stored
	Rows   int    // pixels from the top: those that are there, or above which the damage is
	Cut    bool   // the file ends before the picture does
	Damage error  // what is wrong, if it is not (only) that
	File   []byte // without the zeros after a cut
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

// scanner is the state of the examination.
type scanner struct {
	bitReader
	ctx       context.Context
	maxPixels int64

	width, height  int // pixels; 0 before the frame header
	progressive    bool
	components     []component
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

// examine reads marker segments (T.81, B.2.1) until the picture is complete. errEnd tells that the file ends before.
func (s *scanner) examine() error {
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
func (s *scanner) setting(marker byte, parameters []byte) error {
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

// complete reports whether every bit of every coefficient has come. (Nothing forbids to leave some out; nobody does.)
func (s *scanner) complete() bool {
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
func (s *scanner) rows() int {
	least := s.height
	for _, c := range s.components {
		for _, rows := range c.rows {
			least = min(least, rows)
		}
	}
	return least
}
