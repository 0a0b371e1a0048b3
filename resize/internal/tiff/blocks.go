package tiff

import "s3resizer/resize/internal/credit"

// Blocks returns what the page says of itself.
func (p *Page) Blocks() credit.Blocks {
	own := credit.Credit{Copyright: string(p.block(tagCopyright)), Creator: string(p.block(tagArtist))}
	return credit.Blocks{EXIF: own.EXIF(), IPTC: p.block(tagIPTC), XMP: p.block(tagXMP)}
}

// block returns the bytes of a field, as many as are looked at, or nil.
func (p *Page) block(tag uint16) []byte {
	f, there := p.fields[tag]
	if !there || !p.whole(f) {
		return nil
	}
	return p.file[f.at:][:min(times(f.count, sizes[f.kind]), credit.MaxBlock)]
}
