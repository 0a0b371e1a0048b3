package jpeg

import (
	"context"
	"errors"
)

// Examine finds out what is wrong with a JPEG that the decoder was not sure of, and where. libjpeg gives the same warning for
// the padding that some phones leave in their files and for a picture that is half noise, and libvips only passes on that
// there was a warning.
//
// Examine goes through the entropy-coded data as a decoder would (ITU-T T.81, sections F.2 and G.2), without computing a
// coefficient. It is stricter than a decoder: every code must be in the tables, no coefficient may lie beyond the last one,
// every block of every scan must be there, and none may be left over. Like any decoder, it can't see a flipped bit that
// leaves the codes and their number as they were.
//
// It examines sequential and progressive Huffman coding, but not arithmetic coding. For a progressive picture it takes one
// bit of memory a coefficient, a sixteenth of what libjpeg takes. It refuses a frame of more than maxPixels pixels. When ctx
// ends, it stops, and what it returns means nothing.
func Examine(ctx context.Context, file []byte, maxPixels int64) Finding {
	s := &scanner{ctx: ctx, maxPixels: maxPixels, bitReader: bitReader{data: withoutTail(file)}}
	s.useStandardTables()
	err := s.examine()
	found := Finding{Width: s.width, Height: s.height, Scans: s.scans, Rows: s.rows(), File: s.data}
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

// Finding is what [Examine] has found. If Damage is nil and Cut is false, all of the picture is there.
type Finding struct {
	Width  int // pixels, as stored
	Height int
	Scans  int
	Rows   int    // pixel rows from the top that are there or, if Damage is not nil, above which it lies
	Cut    bool   // the file ends before the picture does
	Damage error  // what is wrong, beyond being cut short, or a [*rejection.Rejection] of what is too much; or nil
	File   []byte // the file, without the zeros that may follow a cut
}

var (
	errEnd  = errors.New("the file ends")
	errLeft = errors.New("it has more blocks than pixels")
)

// withoutTail cuts zeros off the end of a file. An upload that reserves its space first, and then breaks off, leaves them
// behind. (A whole file ends with a marker, and what follows that does not matter.)
func withoutTail(file []byte) []byte {
	const least = 64 // fewer zeros may be data of a flat picture
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

	width, height int // pixels; 0 before the frame header
	progressive   bool
	components    []component
	hMax, vMax    int
	dcTables      [4]*huffman
	acTables      [4]*huffman
	restarts      int // MCUs between restart markers, or 0
	scans         int // so far
	reached       int // the pixel row that the current scan has come to

	// Of the current scan:
	ss, se, ah, al int
	eobRun         int    // blocks to come that have nothing more in this band
	scratch        uint64 // takes the place of a block's nonzero bits where they are not needed
}

// examine reads marker segments (T.81, B.2.1) until the picture is complete. It returns errEnd if the file ends before that.
func (s *scanner) examine() error {
	s.at = 2 // SOI was seen when the format was detected
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

// setting reads a segment that says how the scans after it are coded.
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

// complete reports whether every bit of every coefficient has come. (The standard allows leaving some out; nobody does.)
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

// rows returns for how many pixel rows from the top every coefficient has come, to whatever precision. Those rows can be
// seen, if not in full detail; the others are grey, or coarse.
func (s *scanner) rows() int {
	least := s.height
	for _, c := range s.components {
		for _, rows := range c.rows {
			least = min(least, rows)
		}
	}
	return least
}
