package demo

import "s3resizer/resize/resizetest/vips"

// gpsPosition is a made-up position in the sea off Jeju, as EXIF 2.3 (4.6.6)
// writes one: degrees, minutes and seconds as rationals. A file that still has
// it after resizing would have told where its photo was taken.
var gpsPosition = []struct{ tag, value string }{
	{"GPSLatitudeRef", "N"},
	{"GPSLatitude", "33/1 5/1 4321/100"},
	{"GPSLongitudeRef", "E"},
	{"GPSLongitude", "126/1 12/1 1234/100"},
}

// setEXIF sets what libvips will write as the file's EXIF block.
func setEXIF(ref *vips.ImageRef, orientation int) error {
	if err := ref.SetOrientation(orientation); err != nil {
		return err
	}
	for _, field := range gpsPosition {
		ref.SetString("exif-ifd3-"+field.tag, field.value)
	}
	return nil
}

// stored turns upright pixels into those that, with the given EXIF
// orientation, are shown upright (EXIF 2.3, 4.6.4, tag 0x0112).
func (p pixels) stored(orientation int) pixels {
	if orientation <= 1 {
		return p
	}
	s := pixels{data: make([]byte, len(p.data)), width: p.width, height: p.height, bands: p.bands}
	if orientation >= 5 {
		s.width, s.height = p.height, p.width
	}
	// Where the upright pixel (0, 0) is stored, and how far to step in the
	// stored picture for one pixel to the right and one down.
	right, bottom := s.width-1, s.height-1
	var x0, y0, xRight, yRight, xDown, yDown int
	switch orientation {
	case 2:
		x0, xRight, yDown = right, -1, 1
	case 3:
		x0, y0, xRight, yDown = right, bottom, -1, -1
	case 4:
		y0, xRight, yDown = bottom, 1, -1
	case 5:
		yRight, xDown = 1, 1
	case 6:
		y0, yRight, xDown = bottom, -1, 1
	case 7:
		x0, y0, yRight, xDown = right, bottom, -1, -1
	case 8:
		x0, yRight, xDown = right, 1, -1
	}
	step := (yRight*s.width + xRight) * s.bands
	for y := range p.height {
		from := y * p.width * p.bands
		to := ((y0+y*yDown)*s.width + x0 + y*xDown) * s.bands
		for range p.width {
			copy(s.data[to:to+s.bands], p.data[from:from+p.bands])
			from += p.bands
			to += step
		}
	}
	return s
}
