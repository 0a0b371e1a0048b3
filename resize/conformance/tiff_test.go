package conformance

import (
	"s3resizer/resize"
	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// tiffRows are of what only a newer libvips decodes.
func tiffRows() []row {
	all := []row{}
	for name, p := range resizetest.Subsampled() {
		r := row{
			is: name, file: func() ([]byte, error) { return p.Data, nil }, widths: corpusWidths, formats: []resize.Format{resize.AsSource, resize.PNG},
			right: []expectation{shows{p}}, truth: "TIFF 6.0, section 21, and ITU-R BT.601",
		}
		if vips.MajorVersion == 8 && vips.MinorVersion < 16 {
			r.right = []expectation{rejected{resize.ClassUnsupported, "with subsampled chroma is not read by libvips"}}
		}
		all = append(all, r)
	}
	return all
}
