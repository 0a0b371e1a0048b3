package isobmff

import (
	"encoding/binary"

	"s3resizer/resize/internal/icc"
)

// Colors says what the samples of an AVIF mean.
type Colors struct {
	Profile []byte // the ICC profile that its code points stand for, or nil if they are sRGB's or there are none
	Grey    bool   // it has no chroma
	Narrow  bool   // it is grey, and black is 16 of 255, and white 235, and so on for more bits
}

// ReadColors reads the colors of the picture that an AVIF shows. The code points of the container come first, then those of the
// coded data (ISO/IEC 23000-22, 7.3.6.4; AVIF, 2.1), for a grey picture as for any other.
func ReadColors(file []byte) (found Colors) {
	meta := box(file, "meta", 4)
	id := primary(meta)
	sequence, coded := readSequence(data(file, meta, id))
	if !coded { // as of a grid, whose tiles are coded
		for configuration := range boxes(box(box(meta, "iprp", 0), "ipco", 0), "av1C", 4) {
			if sequence, coded = readSequence(configuration); coded {
				break
			}
		}
	}
	found.Grey, found.Narrow = sequence.grey, coded && !sequence.full
	primaries, transfer := sequence.primaries, sequence.transfer
	for name, content := range properties(meta, id) {
		switch {
		case name == "colr" && len(content) >= 11 && string(content[:4]) == "nclx":
			primaries, transfer = int(binary.BigEndian.Uint16(content[4:])), int(binary.BigEndian.Uint16(content[6:]))
			found.Narrow = content[10]&0x80 == 0
		case name == "av1C" && len(content) >= 4:
			found.Grey = content[2]&0x10 != 0
		}
	}
	found.Narrow = found.Narrow && found.Grey
	found.Profile = icc.FromCICP(icc.Primaries(primaries), icc.Transfer(transfer), false)
	return found
}
