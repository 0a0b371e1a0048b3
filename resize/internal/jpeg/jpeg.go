// Package jpeg reads of a JPEG (ITU-T T.81) what has to be known before and beside its decoding, and computes no pixel.
//
// [CopyHeader] copies what stands before the pixels, without what is of no use, and learns how the picture is coded. [End]
// notices, as the rest streams by, whether the decoder wants all of it. [Examine] goes through a whole file that the decoder
// was not sure of, and says what is wrong with it and where. [Tuned] gives a JPEG that was just encoded the Huffman tables
// that suit it best.
//
// Nothing else does that. Go's image/jpeg decodes: it ends at the first oddity without saying in which row, reads neither
// arithmetic coding nor 12 bits, and shows no codes. github.com/dsoprea/go-jpeg-image-structure splits a whole file into its
// segments, and leaves the coded data in one piece. libjpeg has one warning for padding and for noise alike, and makes tables
// of its own in twice the time.
package jpeg

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

// isFrame reports whether a marker begins a frame header: any SOF.
func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF15 && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// EndOfImage is the marker that a JPEG ends with.
var EndOfImage = []byte{0xff, markerEOI}
