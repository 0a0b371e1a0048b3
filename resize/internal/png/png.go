// Package png reads the chunks of a PNG (W3C's specification, third edition) that have to be known before and beside its
// decoding, and no pixel.
//
// [CopyHeader] copies what stands before the pixels, without texts, which libvips would decompress and keep. [End] notices, as
// the rest streams by, whether the last chunk is there. [Profile] makes an ICC profile of gAMA and cHRM.
//
// Weighed: Go's image/png skips all of these chunks, and github.com/dsoprea/go-png-image-structure takes a whole file into
// memory to list them.
package png
