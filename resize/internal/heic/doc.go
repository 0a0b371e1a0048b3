// Package heic adds a loader of HEIC to libvips, whose prebuilt library has none: libheif reads the container, and libde265
// decodes the pictures in it. To the rest of the program, a HEIC is a picture like any other. Only a build with the tag heic
// has the loader, and C code.
package heic
