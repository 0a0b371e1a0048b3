package resizetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	_ "image/png" // for image.Decode

	"golang.org/x/image/webp"
)

func decodeGIF(data []byte) (decoded, error) {
	g, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil {
		return decoded{}, err
	}
	frames, delays, loop := composed(g)
	return decoded{"gif", g.Config.Width, g.Config.Height, frames, delays, loop}, nil
}

// avifDimensions reads the image spatial extents of the first item (ISO/IEC 23008-12, 6.5.3).
func avifDimensions(data []byte) (decoded, error) {
	at := bytes.Index(data, []byte("ispe"))
	if at < 0 || len(data) < at+16 {
		return decoded{}, errors.New("an AVIF without its dimensions")
	}
	return decoded{format: "avif", width: int(binary.BigEndian.Uint32(data[at+8:])), height: int(binary.BigEndian.Uint32(data[at+12:]))}, nil
}

// Animation returns an error if Go can't decode every frame of an animated WebP.
func Animation(webp []byte) error {
	_, err := decodeWebP(webp)
	return err
}

// decodeWebP decodes a WebP. An animated one, which Go's package can't decode, it decodes frame by frame (RFC 9649, 2.7).
func decodeWebP(data []byte) (decoded, error) {
	out := decoded{format: "webp"}
	var canvas *image.NRGBA
	for rest := data[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		if size > len(rest)-8 {
			return out, fmt.Errorf("chunk %s is cut short", name)
		}
		body := rest[8 : 8+size]
		rest = rest[min(len(rest), 8+size+size%2):]
		switch name {
		case "VP8X":
			canvas = image.NewNRGBA(image.Rect(0, 0, uint24(body[4:])+1, uint24(body[7:])+1))
		case "ANIM":
			out.loop = int(binary.LittleEndian.Uint16(body[4:]))
		case "ANMF":
			frame, err := decodeFrame(body[16:], uint24(body[6:])+1, uint24(body[9:])+1)
			if err != nil {
				return out, err
			}
			at := frame.Rect.Add(image.Pt(2*uint24(body), 2*uint24(body[3:])))
			operator := draw.Over
			if body[15]&2 != 0 {
				operator = draw.Src
			}
			draw.Draw(canvas, at, frame, image.Point{}, operator)
			out.frames = append(out.frames, mapped(canvas, func(c color.NRGBA) color.NRGBA { return c }))
			out.delays = append(out.delays, uint24(body[12:]))
			if body[15]&1 != 0 {
				draw.Draw(canvas, at, image.Transparent, image.Point{}, draw.Src)
			}
		}
	}
	if len(out.frames) == 0 {
		img, err := webp.Decode(bytes.NewReader(data))
		if err != nil {
			return out, err
		}
		out.frames = []*image.NRGBA{fromWebP(img)}
	}
	out.width, out.height = out.frames[0].Rect.Dx(), out.frames[0].Rect.Dy()
	return out, nil
}

// decodeFrame decodes the chunks of one frame as if they were a file.
func decodeFrame(chunks []byte, width, height int) (*image.NRGBA, error) {
	head := []byte("WEBP")
	if bytes.HasPrefix(chunks, []byte("ALPH")) {
		w, h := width-1, height-1
		head = append(head, "VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"...)
		head = append(head, byte(w), byte(w>>8), byte(w>>16), byte(h), byte(h>>8), byte(h>>16))
	}
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(head)+len(chunks)))
	img, err := webp.Decode(bytes.NewReader(append(append(file, head...), chunks...)))
	if err != nil {
		return nil, err
	}
	return fromWebP(img), nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// fromWebP converts the colors of a WebP, in which black is 16 and white 235 (ITU-R BT.601). Go's decoder returns them in a type
// that stands for JPEG's full range.
func fromWebP(img image.Image) *image.NRGBA {
	var planes *image.YCbCr
	alpha := func(x, y int) uint8 { return 255 }
	switch img := img.(type) {
	case *image.YCbCr:
		planes = img
	case *image.NYCbCrA:
		planes = &img.YCbCr
		alpha = func(x, y int) uint8 { return img.A[img.AOffset(x, y)] }
	default:
		return toNRGBA(img)
	}
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			c := planes.YCbCrAt(x, y)
			luma, cb, cr := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
			out.SetNRGBA(x, y, color.NRGBA{level(luma + 1.596*cr), level(luma - 0.392*cb - 0.813*cr), level(luma + 2.017*cb), alpha(x, y)})
		}
	}
	return out
}
