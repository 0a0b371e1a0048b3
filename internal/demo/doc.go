// Package demo generates pictures that compress, decode and resize like
// photographs, for the demo, the tests and the benchmarks: sharp edges, fine
// texture at several scales, smooth gradients and sensor noise, so that a
// 12-megapixel JPEG of quality 90 comes to about three bits per pixel. Noise,
// flat colours or a gradient would each flatter some part of an image
// pipeline; downloaded photos would need a licence, a network and a hash.
//
// A scene is a function of the plane, described in picture heights and
// rendered at any size: the same picture, whatever the resolution. Encoding
// goes through libvips, because Go's standard library writes neither
// progressive JPEG nor WebP nor AVIF. What runs in Lambda does not have it.
package demo
