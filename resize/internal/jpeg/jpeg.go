// Package jpeg reads JPEG files (ITU-T T.81) without decoding a pixel.
//
//   - [CopyHeader] copies what stands before the pixels, without what the decoder has no use for, and learns how the picture
//     is coded.
//   - [End] watches the rest of the file stream by, and notices whether the decoder reads all of it.
//   - [Examine] goes through a whole file that the decoder was not sure of, and says what is wrong with it, and where.
//
// Libraries that were weighed: Go's image/jpeg stops at the first oddity without saying in which row, reads no arithmetic
// coding, and exports no codes. github.com/dsoprea/go-jpeg-image-structure splits a file that it can seek in into segments,
// and leaves the coded data in one piece. libjpeg has one warning for padding and for noise alike.
package jpeg

// The second byte of each marker (T.81, table B.1).
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

// isFrame reports whether a marker is any of the SOF, which begin a frame header.
func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF15 && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// EndOfImage is the marker that a JPEG ends with.
var EndOfImage = []byte{0xff, markerEOI}
