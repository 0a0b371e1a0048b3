package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "golang.org/x/image/tiff"
)

// decoders are the programs that come with each format's library, by the file's extension. {in} and {out} are names of files;
// without {out}, the picture comes on the standard output. What they write is a PNG, a TIFF, or one of the kinds of PNM.
var decoders = map[string][]string{
	".jpg": {"djpeg", "-pnm", "{in}"}, ".jpeg": {"djpeg", "-pnm", "{in}"},
	".png":  {"pngtopam", "-alphapam", "{in}"}, // Netpbm's for GIF shows frames without their screen.
	".webp": {"dwebp", "-quiet", "{in}", "-o", "{out}.png"},
	".avif": {"avifdec", "{in}", "{out}.png"},
	".tif":  {"tiff2rgba", "-c", "none", "{in}", "{out}.tif"}, ".tiff": {"tiff2rgba", "-c", "none", "{in}", "{out}.tif"},
}

// ownDecoder shows a file by the program of its format, if that is installed.
func ownDecoder(path string) (*image.NRGBA, error) {
	args := decoders[extension(path)]
	if args == nil {
		return nil, errNotAsked
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		return nil, errNotAsked
	}
	folder, err := os.MkdirTemp("", "field")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	output := ""
	var filled []string
	for _, arg := range args {
		arg = strings.ReplaceAll(arg, "{in}", path)
		if strings.Contains(arg, "{out}") {
			arg = strings.ReplaceAll(arg, "{out}", filepath.Join(folder, "out"))
			output = arg
		}
		filled = append(filled, arg)
	}
	var stdout, stderr bytes.Buffer
	command := exec.Command(filled[0], filled[1:]...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	data := stdout.Bytes()
	if output != "" {
		if data, err = os.ReadFile(output); err != nil {
			return nil, err
		}
		return decoded(data)
	}
	return fromPNM(data)
}

// fromPNM reads what djpeg and Netpbm's programs write: the binary kinds of 8 or 16 bits, and of 1.
func fromPNM(data []byte) (*image.NRGBA, error) {
	kind, width, height, depth, most := "", 0, 0, 1, 255
	header, at := []any{&kind, &width, &height, &most}, 0
	if bytes.HasPrefix(data, []byte("P7")) {
		head, _, found := bytes.Cut(data, []byte("ENDHDR\n"))
		if !found {
			return nil, errors.New("a PAM without its header")
		}
		at = len(head) + len("ENDHDR\n")
		for line := range strings.Lines(string(head)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			if into := map[string]*int{"WIDTH": &width, "HEIGHT": &height, "DEPTH": &depth, "MAXVAL": &most}[name]; into != nil {
				if _, err := fmt.Sscan(value, into); err != nil {
					return nil, err
				}
			}
		}
	} else {
		reader := bytes.NewReader(data)
		if bytes.HasPrefix(data, []byte("P4")) {
			header, most = header[:3], 1
		}
		if _, err := fmt.Fscan(reader, header...); err != nil {
			return nil, err
		}
		at = len(data) - reader.Len() + 1 // a single space
		if kind == "P6" {
			depth = 3
		}
	}
	size := 1
	if most > 255 {
		size = 2
	}
	row := width * depth * size
	if kind == "P4" {
		row = (width + 7) / 8
	}
	if width < 1 || height < 1 || len(data)-at < row*height {
		return nil, fmt.Errorf("%d bytes for %d × %d pixels", len(data)-at, width, height)
	}
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sample := func(i int) uint8 {
				if kind == "P4" {
					return ^(data[at+y*row+x/8] >> (7 - x%8) & 1 * 255)
				}
				v := int(data[at+y*row+(x*depth+i)*size])
				if size == 2 {
					v = v<<8 | int(data[at+y*row+(x*depth+i)*size+1])
				}
				return uint8((v*255 + most/2) / most)
			}
			pixel := out.Pix[4*(y*width+x):]
			pixel[0], pixel[3] = sample(0), 255
			pixel[1], pixel[2] = pixel[0], pixel[0]
			if depth > 2 {
				pixel[1], pixel[2] = sample(1), sample(2)
			}
			if depth%2 == 0 {
				pixel[3] = sample(depth - 1)
			}
		}
	}
	return out, nil
}
