// Package png reads the chunks of PNG files (W3C's specification, third edition) without decoding a pixel.
//
//   - [CopyHeader] copies what stands before the pixels, without texts, which libvips would decompress and keep.
//   - [Header.Mend] has zlib's window large enough, as browsers do.
//   - [Profile] makes an ICC profile from the chunks cICP, gAMA and cHRM.
//
// Libraries that were weighed: Go's image/png skips all of these chunks; github.com/dsoprea/go-png-image-structure lists them,
// but of a file that it can seek in.
package png
