// Package conformance says what is right: a table of pictures, with what must become of each and where that is known from.
// Its test renders every row through the exported functions of package resize alone, and holds the renditions against the
// row, and against what must be true of any rendition.
//
// To add a picture, add a row to a table: photos_test.go has those that libvips itself is the judge of, colors_test.go those
// that have a color to be met. A picture that every part of the program is to meet (the function, the command, the soak)
// goes into package resizetest, which draws what it must show; its rows come along by themselves. What can be expected is in
// expect_test.go.
package conformance
