// Package corpus keeps the pictures that are measured with: the standard ones, drawn by package photos once and kept in
// a folder, or anybody's own.
//
// Photos are given what package photos leaves at demo strength: the sensor noise that brings a JPEG of quality 90 to
// the 3 to 4 bits a pixel of a phone's. Entropy decoding is most of the work, and its cost goes with the bits.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
)

// Class is a kind of picture that costs alike; means are taken over a class.
type Class string

// The classes of pictures.
const (
	Baseline    Class = "baseline JPEG"
	Progressive Class = "progressive JPEG"
	LowDetail   Class = "low-detail JPEG" // too narrow to be shrunk as it is decoded
	Huge        Class = "100 MP JPEG"
	PNGPhoto    Class = "PNG photo"
	PNGArtwork  Class = "PNG with alpha"
	FewColors   Class = "PNG of few colors"
	WebP        Class = "WebP"
	Animation   Class = "animated GIF"
	Recording   Class = "recording of a screen" // an animated GIF of which little changes
)

// Animated reports whether pictures of the class have several frames.
func (c Class) Animated() bool { return c == Animation || c == Recording }

// Picture is one to measure with.
type Picture struct {
	Name  string // also the file's name, without its extension
	Class Class
	Path  string // the file; of a standard picture, valid after Prepare

	extension string
	draw      func() ([]byte, error)
}

// recipe is the version of what the standard pictures look like. Change it with them, or old files are taken for new.
const recipe = "1"

// Standard lists the standard pictures, for a folder that keeps them.
func Standard(folder string) []Picture {
	pictures := standard()
	for i := range pictures {
		p := &pictures[i]
		p.Path = filepath.Join(folder, "recipe-"+recipe, p.Name+p.extension)
	}
	return pictures
}

// Prepare draws the picture, unless its file is there.
func (p Picture) Prepare() error {
	if _, err := os.Stat(p.Path); err == nil || p.draw == nil {
		return err
	}
	data, err := p.draw()
	if err != nil {
		return fmt.Errorf("draw %s: %w", p.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(p.Path), 0o755); err != nil {
		return err
	}
	unfinished := p.Path + ".part"
	if err := os.WriteFile(unfinished, data, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, p.Path)
}
