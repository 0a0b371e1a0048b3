// Package heic gives libvips, whose prebuilt library has none, a loader of HEIC: libheif reads the container, libde265
// decodes what is in it. To the rest of the program a HEIC is a picture like any other. It is in the build with the tag
// heic alone; any other build has no C of it.
package heic
