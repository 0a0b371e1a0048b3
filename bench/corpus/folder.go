package corpus

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"s3resizer/resize"
)

// Folder lists the pictures in anybody's folder, by name; what [resize.Open] refuses is left out. libvips must be
// started.
func Folder(folder string) ([]Picture, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var pictures []Picture
	for _, entry := range entries {
		path, err := filepath.Abs(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		if class, ok := classify(path); ok {
			pictures = append(pictures, Picture{Name: strings.TrimSuffix(entry.Name(), filepath.Ext(path)), Class: class, Path: path, extension: filepath.Ext(path)})
		}
	}
	if len(pictures) == 0 {
		return nil, fmt.Errorf("%s has no pictures", folder)
	}
	return pictures, nil
}

func classify(path string) (Class, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	source, err := resize.Open(context.Background(), bytes.NewReader(data), resize.Limits{MaxPixels: 1 << 40, MaxFrames: 1 << 20, MaxMemory: 1 << 40})
	if err != nil {
		return "", false
	}
	defer source.Close()
	switch {
	case source.Frames > 1:
		return Animation, true
	case source.Format == resize.PNG && source.Alpha:
		return PNGArtwork, true
	case source.Format == resize.PNG:
		return PNGPhoto, true
	case source.Format != resize.JPEG:
		return Class(source.Format), true
	case isProgressive(data):
		return Progressive, true
	case source.Width*source.Height > 50_000_000:
		return Huge, true
	case source.Width < 3000:
		return LowDetail, true
	default:
		return Baseline, true
	}
}

// isProgressive tells by the first start-of-frame marker (ITU-T T.81, table B.1): SOF2, 6, 10 and 14 are progressive.
func isProgressive(jpeg []byte) bool {
	for at := 2; at+4 <= len(jpeg); {
		marker := jpeg[at+1]
		if marker >= 0xc0 && marker <= 0xcf && !slices.Contains([]byte{0xc4, 0xc8, 0xcc}, marker) {
			return marker&3 == 2
		}
		at += 2 + int(jpeg[at+2])<<8 + int(jpeg[at+3])
	}
	return false
}
