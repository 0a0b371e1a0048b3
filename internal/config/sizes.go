package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"s3resizer/resize"
)

// maxSide is the longest side of a picture that every output format but WebP holds; see resize for the formats' own limits.
const maxSide = 16384

func setSizes(s *Settings, value string) error {
	s.Sizes = nil
	for pair := range strings.SplitSeq(value, ",") {
		pair = strings.TrimSpace(pair)
		name, text, _ := strings.Cut(pair, "=")
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@") != "" {
			return fmt.Errorf(`%q: want name=size pairs such as "small=368,large=1440", the name of letters, digits, -, _ and @`, pair)
		}
		if slices.ContainsFunc(s.Sizes, func(known resize.Size) bool { return known.Name == name }) {
			return fmt.Errorf("the size %q is there twice", name)
		}
		size, err := parseSize(text)
		if err != nil {
			return fmt.Errorf("%q: %w", pair, err)
		}
		size.Name = name
		s.Sizes = append(s.Sizes, size)
	}
	return nil
}

var positions = []resize.Position{
	"center", resize.Top, resize.Bottom, resize.Left, resize.Right, resize.TopLeft, resize.TopRight, resize.BottomLeft, resize.BottomRight,
	resize.Attention, resize.Entropy,
}

// parseSize reads what stands behind the name: "368", "x600", "400x300", and behind that ":cover@top:enlarge".
func parseSize(text string) (resize.Size, error) {
	parts := strings.Split(text, ":")
	size, err := parseSides(parts[0])
	if err != nil {
		return size, err
	}
	for _, part := range parts[1:] {
		fit, position, placed := strings.Cut(part, "@")
		switch {
		case part == "enlarge" && !size.Enlarge:
			size.Enlarge = true
		case size.Fit == resize.Inside && (fit == string(resize.Cover) || part == string(resize.Contain)):
			size.Fit = resize.Fit(fit)
		default:
			return size, fmt.Errorf(`%q: want one of "cover", "cover@position" and "contain", and "enlarge", once each, such as 200x200:cover@top`, part)
		}
		if placed && !slices.Contains(positions, resize.Position(position)) {
			return size, fmt.Errorf("%q: want one of %s", "@"+position, list(positions, func(p resize.Position) string { return string(p) }))
		}
		if position != "center" && placed {
			size.Position = resize.Position(position)
		}
	}
	if size.Fit != resize.Inside && (size.Width == 0 || size.Height == 0) {
		return size, fmt.Errorf("%s wants a width and a height, such as 400x300:%[1]s", size.Fit)
	}
	return size, nil
}

// parseSides reads a width, a height or both.
func parseSides(text string) (size resize.Size, err error) {
	width, height, box := strings.Cut(text, "x")
	if width != "" || !box {
		size.Width, err = parseSide(width)
	}
	if box && err == nil {
		size.Height, err = parseSide(height)
	}
	return size, err
}

func parseSide(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxSide {
		return 0, errors.New(`want a width such as 368, a height such as x600 or a box such as 400x300, each side between 1 and ` + strconv.Itoa(maxSide) + " pixels")
	}
	return n, nil
}
