package tiff

// Matrix returns how the samples of a page in YCbCr become RGB: three rows, each with a factor for every sample, and what is to
// be added to each (sections 20 and 21). It returns nil if the page is not in YCbCr, or if libvips converts it by itself.
func (p *Page) Matrix() (rows [][]float64, add []float64) {
	if p.photometric() != photometricYCbCr || p.compression() == compressedByJPEG || p.subsampled() {
		return nil, nil
	}
	white := float64(uint64(1)<<p.bits() - 1)
	grey := float64(uint64(1) << (p.bits() - 1))
	reference := []float64{0, white, grey, white, grey, white}
	if given := p.rationals(tagBlackAndWhite, 6); given != nil && given[0] != given[1] && given[2] != given[3] && given[4] != given[5] {
		reference = given
	}
	luma := []float64{0.299, 0.587, 0.114} // ITU-R BT.601
	if given := p.rationals(tagCoefficients, 3); given != nil && given[1] != 0 {
		luma = given
	}
	y := white / (reference[1] - reference[0])
	cb := (white - grey) / (reference[3] - reference[2]) * (2 - 2*luma[2])
	cr := (white - grey) / (reference[5] - reference[4]) * (2 - 2*luma[0])
	rows = [][]float64{{y, 0, cr}, {y, -cb * luma[2] / luma[1], -cr * luma[0] / luma[1]}, {y, cb, 0}}
	for _, row := range rows {
		add = append(add, -row[0]*reference[0]-row[1]*reference[2]-row[2]*reference[4])
	}
	return rows, add
}

// rationals returns the values of a field of so many RATIONALs, or nil.
func (p *Page) rationals(tag uint16, count uint64) []float64 {
	f := p.fields[tag]
	if f.kind != 5 || f.count != count || !p.whole(f) {
		return nil
	}
	var all []float64
	for i := range count {
		above, below := p.reader.number(f.at+8*i, 4), p.reader.number(f.at+8*i+4, 4)
		if below == 0 {
			return nil
		}
		all = append(all, float64(above)/float64(below))
	}
	return all
}
