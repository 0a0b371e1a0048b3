package resizetest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strings"
)

// disguised are good pictures whose names say something else. Only the bytes count.
func disguised() []Picture {
	card := Card(Width, Height)
	png, _ := pngOf(card, pngRGB, 8, false)
	return []Picture{
		still("a-png.jpg", png, "png", card, exact),
		still("a-jpeg.png", encodeJPEG(card), "jpeg", card, lossy),
		still("a-webp.jpeg", file("lossless.webp"), "webp", card, exact),
		still("a-jpeg.txt", encodeJPEG(card), "jpeg", card, lossy),
		still("no-suffix", encodeJPEG(card), "jpeg", card, lossy),
		still("UPPER.JPG", encodeJPEG(card), "jpeg", card, lossy),
	}
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="160"><rect width="240" height="160" fill="red"/></svg>`

// rejected are pictures of formats that are not resized, and files that are no pictures.
func rejected() []Picture {
	var all []Picture
	add := func(name, says, data string) {
		all = append(all, Picture{Name: name, Data: []byte(data), Rejected: &Rejection{"unsupported", says}})
	}
	pixels := strings.Repeat("\x80\x40\x20", Width*Height)
	little := func(values ...uint32) string {
		var out []byte
		for _, v := range values {
			out = binary.LittleEndian.AppendUint32(out, v)
		}
		return string(out)
	}

	// Drawings and documents.
	add("drawing.svg", "SVG", svg)
	add("long-drawing.svg", "SVG", `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`+"\n<!-- "+strings.Repeat("drawn by hand ", 10)+"-->\n"+
		strings.Replace(svg, "<rect", strings.Repeat(`<rect width="1" height="1"/>`, 50)+"<rect", 1))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(svg)) // into memory
	_ = z.Close()
	add("drawing.svgz", "gzip", zipped.String())
	add("drawing.jpg", "SVG", svg)
	add("document.pdf", "PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
	add("document.ps", "PostScript", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 240 160\n")

	// What ImageMagick would read.
	add("bitmap.bmp", "BMP", "BM"+little(uint32(54+len(pixels)), 0, 54, 40, Width, Height, 1|24<<16, 0, uint32(len(pixels)), 2835, 2835, 0, 0)+pixels)
	add("icon.ico", "ICO", "\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x18\x00"+little(808, 22)+pixels[:900])
	add("layers.psd", "PSD", "8BPS\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\xa0\x00\x00\x00\xf0\x00\x08\x00\x03"+pixels)
	add("layers.xcf", "XCF", "gimp xcf v011\x00\x00\x00\x00\xf0\x00\x00\x00\xa0\x00\x00\x00\x00")
	add("film.exr", "OpenEXR", "\x76\x2f\x31\x01\x02\x00\x00\x00channels\x00chlist\x00")

	// What libvips would read, but not of strangers.
	add("libvips.v", "libvips", "\xb6\xa6\xf2\x08"+little(Width, Height, 3, 8, 0, 0, 22)+strings.Repeat("\x00", 32)+pixels)
	add("portable.ppm", "PPM", "P6\n240 160\n255\n"+pixels)
	add("portable.pgm", "PPM", "P5 240 160 255 "+pixels[:Width*Height])
	add("portable.pfm", "PPM", "PF\n1 1\n-1.0\n"+little(0, 0, 0))
	add("radiance.hdr", "Radiance", "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 160 +X 240\n"+pixels)
	add("stars.fits", "FITS", "SIMPLE  =                    T / a star\nBITPIX  =                    8"+strings.Repeat(" ", 2800))
	add("table.csv", "not an image", strings.Repeat("1, 2, 3\n", 100))
	add("matrix.mat", "not an image", "3 3 1 0\n1 2 1\n2 4 2\n1 2 1\n")
	add("pixels.raw", "not an image", pixels)

	// Pictures that are not resized yet, and moving ones.
	add("phone.heic", "HEIC", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"+strings.Repeat("\x00", 300))
	for item, says := range map[string]string{"unci": "uncompressed pixels (unci)", "j2k1": "JPEG 2000 (j2k1)"} {
		entry := "\x00\x00\x00\x15infe\x02\x00\x00\x00\x00\x01\x00\x00" + item + "\x00"
		info := "\x00\x00\x00\x23iinf\x00\x00\x00\x00\x00\x01" + entry
		add(item+".heif", says, "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1miaf\x00\x00\x00\x2fmeta\x00\x00\x00\x00"+info+strings.Repeat("\x00", 300))
	}
	add("wavelets.jp2", "JPEG 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 \x00\x00\x00\x00jp2 ")
	add("wavelets.j2k", "JPEG 2000", "\xff\x4f\xff\x51\x00\x2f\x00\x00\x00\x00\x00\xf0\x00\x00\x00\xa0")
	add("xl.jxl", "JXL", "\xff\x0a\xfa\x7f\x01\x90\x08\x06\x01\x00\x8c\x00\x4b\x38")
	add("live.mov", "movie", "\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  \x00\x00\x00\x08wide")
	add("clip.mp4", "movie", "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41")
	add("clip.webm", "movie", "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01")
	add("clip.avi", "movie", "RIFF\x00\x10\x00\x00AVI LIST\x00\x00\x00\x00hdrl")
	add("camera.cr3", "raw", "\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom")
	add("camera.raf", "raw", "FUJIFILMCCD-RAW 0201FF119502X-T3")

	// No pictures.
	add("empty.jpg", "empty", "")
	add("one-byte.jpg", "not an image", "\xff")
	add("magic-alone.jpg", "not an image", "\xff\xd8\xff")
	add("zeros.png", "not an image", strings.Repeat("\x00", 5000))
	add("text.jpg", "not an image", "This is a letter, whatever its name says.\n")
	add("text-utf16.jpg", "not an image", "\xff\xfeT\x00h\x00i\x00s\x00 \x00i\x00s\x00 \x00t\x00e\x00x\x00t\x00")
	add("error-page.png", "web page", "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n")
	add("error-page-short.png", "web page", "\n\n<html><body>Forbidden</body></html>")
	add("error-page-drawn.jpg", "web page", "<!doctype html><html><body>"+svg+"</body></html>")
	add("error.jpg", "not an image", `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	add("error.json.jpg", "not an image", `{"message":"Internal server error"}`)
	add("pictures.zip", "archive", "PK\x03\x04\x14\x00\x00\x00\x08\x00")
	add("program.jpg", "not an image", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00")

	return all
}
