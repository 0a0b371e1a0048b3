package isobmff

import (
	"encoding/binary"

	"s3resizer/resize/internal/rejection"
)

// How many pictures those of a file may be made of, all in all, and in how many steps. A grid can have 65,536 tiles (ISO/IEC
// 23008-12, 6.6.2.3), each with an alpha of its own; a phone writes some fifty tiles, in two steps.
const (
	maxParts = 1 << 18
	maxSteps = 8
)

// Check returns a [*rejection.Rejection] if what is said of the items does not fit together, if they have much more data than the file, or if a picture of it is made of
// itself, or of far too many others. A picture can be a grid of others, or have another one as its alpha, and so can those;
// libheif 1.15 follows all of them, with a thread for each, until the process dies. format is the name of the file's format,
// for messages.
func Check(file []byte, format string) error {
	parts := map[uint32][]uint32{}
	for meta := range boxes(file, "meta", 4) {
		if repeats(file, meta) {
			return rejection.Corruptf("the %s is made of the same bytes again and again, %d times its length or more", format, maxRepeated)
		}
		if !sound(meta) {
			return rejection.Corruptf("the %s is damaged: its items are not as it says", format)
		}
		for references := range boxes(meta, "iref", 0) {
			if !readReferences(references, parts) {
				return rejection.Corruptf("the %s is damaged or cut short", format)
			}
		}
	}
	type extent struct{ pictures, steps int } // how many pictures one is made of, itself included, and in how many steps
	known := map[uint32]extent{}
	var measure func(id uint32, above int) (extent, bool)
	measure = func(id uint32, above int) (extent, bool) {
		if e, done := known[id]; done || above > maxSteps { // a picture that is made of itself never ends
			return e, above+e.steps <= maxSteps
		}
		e := extent{pictures: 1}
		for _, part := range parts[id] {
			p, fits := measure(part, above+1)
			if e.pictures += p.pictures; !fits || e.pictures > maxParts {
				return e, false
			}
			e.steps = max(e.steps, 1+p.steps)
		}
		known[id] = e
		return e, true
	}
	all := 0
	for id := range parts {
		e, fits := measure(id, 0)
		if all += e.pictures; !fits || all > maxParts {
			return rejection.Corruptf("the %s has a picture that is made of itself, in more than %d steps, or of more than %d others", format, maxSteps, maxParts)
		}
	}
	return nil
}

// readReferences reads an item reference box (ISO/IEC 14496-12, 8.11.12), and adds to parts what each picture is made of: the
// pictures that it is derived from, and its auxiliary pictures. It reports whether the box makes sense.
func readReferences(content []byte, parts map[uint32][]uint32) bool {
	if len(content) < 4 {
		return false
	}
	width := 2 // bytes of an ID
	if content[0] > 0 {
		width = 4
	}
	id := func(at []byte) uint32 {
		if width == 4 {
			return binary.BigEndian.Uint32(at)
		}
		return uint32(binary.BigEndian.Uint16(at))
	}
	for rest := content[4:]; len(rest) > 0; {
		if len(rest) < 8 {
			return false
		}
		size, kind := int64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if size < int64(8+width+2) || size > int64(len(rest)) {
			return false
		}
		from, to := id(rest[8:]), rest[8+width+2:size]
		for n := binary.BigEndian.Uint16(rest[8+width:]); n > 0; n-- {
			if len(to) < width {
				return false
			}
			switch kind {
			case "dimg":
				parts[from] = append(parts[from], id(to))
			case "auxl":
				parts[id(to)] = append(parts[id(to)], from)
			}
			to = to[width:]
		}
		rest = rest[size:]
	}
	return true
}
