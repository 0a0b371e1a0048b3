package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"s3resizer/internal/naming"
	"s3resizer/resize"
)

func setFormats(s *Settings, value string) error {
	s.Formats = nil
	for name := range strings.SplitSeq(value, ",") {
		f := resize.Format(strings.TrimSpace(name))
		if !slices.Contains(resize.OutputFormats(), f) {
			return fmt.Errorf("%q: want a comma list of %v", name, resize.OutputFormats())
		}
		if slices.Contains(s.Formats, f) {
			return fmt.Errorf("%q is there twice", name)
		}
		s.Formats = append(s.Formats, f)
	}
	return nil
}

func setQuality(s *Settings, value string) error {
	return setPerFormat(value, 1, 100, "jpeg=80,webp=78,avif=50", s.qualities())
}

func (s *Settings) qualities() map[string]*int {
	return map[string]*int{"jpeg": &s.Quality.JPEG, "webp": &s.Quality.WebP, "avif": &s.Quality.AVIF}
}

func setEffort(s *Settings, value string) error {
	err := setPerFormat(value, 1, 9, "webp=2,avif=2,gif=4", s.efforts())
	s.Effort.WebP = min(s.Effort.WebP, 6) // where libwebp's scale ends
	return err
}

func (s *Settings) efforts() map[string]*int {
	return map[string]*int{"webp": &s.Effort.WebP, "avif": &s.Effort.AVIF, "gif": &s.Effort.GIF}
}

// setPerFormat reads one number for every format, or one each. What is not named stays as it is: the default or, in a profile, what that inherits.
func setPerFormat(value string, least, most int, example string, each map[string]*int) error {
	for pair := range strings.SplitSeq(value, ",") {
		format, number, perFormat := strings.Cut(strings.TrimSpace(pair), "=")
		if !perFormat {
			number = format
		}
		n, err := strconv.Atoi(number)
		target, known := each[format]
		switch {
		case err != nil || n < least || n > most || perFormat && !known || !perFormat && strings.Contains(value, ","):
			return fmt.Errorf("%q: want a number from %d to %d for all formats, or one per format, such as %q", pair, least, most, example)
		case perFormat:
			*target = n
		default:
			for _, target := range each {
				*target = n
			}
		}
	}
	return nil
}

func setCopy(s *Settings, value string) error {
	s.Copy = Copy{}
	if value == "" { // as a profile has it that copies nothing
		return nil
	}
	for name := range strings.SplitSeq(value, ",") {
		part := s.Copy.parts()[strings.TrimSpace(name)]
		if part == nil || *part {
			return fmt.Errorf("%q: want a comma list of metadata, tags, content-disposition and copyright, each once at most", name)
		}
		*part = true
	}
	return nil
}

func (c *Copy) parts() map[string]*bool {
	return map[string]*bool{"metadata": &c.Metadata, "tags": &c.Tags, "content-disposition": &c.Disposition, "copyright": &c.Copyright}
}

// String writes it as the setting has it, in the order of the names.
func (c Copy) String() string {
	var names []string
	for name, part := range c.parts() {
		if *part {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func setDestBucket(s *Settings, value string) (err error) {
	s.DestBucket, err = naming.ParseBucket(value)
	return err
}

func setKeyTemplate(s *Settings, value string) (err error) {
	s.Key, err = naming.ParseKey(value)
	return err
}

// checkNames refuses sizes that the template can't tell apart.
func (s *Settings) checkNames() error {
	var sizes, extensions []string
	for _, size := range s.Sizes {
		sizes = append(sizes, size.Name)
	}
	for _, format := range resize.OutputFormats() {
		extensions = append(extensions, format.Extension())
	}
	return s.Key.CheckSizes(sizes, extensions)
}

func setBackground(s *Settings, value string) error {
	named := map[string]string{"white": "#ffffff", "black": "#000000"}
	if hex, ok := named[value]; ok {
		value = hex
	}
	rgb, err := strconv.ParseUint(strings.TrimPrefix(value, "#"), 16, 24)
	if err != nil || len(value) != len("#rrggbb") || value[0] != '#' {
		return errors.New(`want "white", "black" or "#rrggbb"`)
	}
	s.Background = resize.Color{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb)}
	return nil
}

func setCacheControl(s *Settings, value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New(`want the value of a Cache-Control header, in printable ASCII, such as "public, max-age=31536000"`)
	}
	s.CacheControl = value
	return nil
}

func setLogLevel(s *Settings, value string) error {
	// slog has levels between these, such as "info+1", which no line is of.
	if s.LogLevel.UnmarshalText([]byte(value)) != nil || strings.ContainsAny(value, "+-") {
		return errors.New(`want "debug", "info", "warn" or "error"`)
	}
	return nil
}

func setBucketOwner(s *Settings, value string) error {
	if value != AnyOwner && (len(value) != 12 || strings.Trim(value, "0123456789") != "") {
		return fmt.Errorf("want the 12 digits of an AWS account id, or %q to switch the check off (for an S3 that is not AWS's)", AnyOwner)
	}
	s.BucketOwner = value
	return nil
}

func setSwitch(to *bool, value string) error {
	if value != "on" && value != "off" {
		return errors.New(`want "on" or "off"`)
	}
	*to = value == "on"
	return nil
}

func setOriginal(s *Settings, value string) error {
	if value != "keep" && value != "delete" {
		return errors.New(`want "keep" or "delete", for uploads of which everything is made`)
	}
	s.DeleteOriginal = value == "delete"
	return nil
}

// checkOriginal refuses to delete an upload without a record, which says afterwards that its renditions are no orphans.
func (s Settings) checkOriginal() error {
	if s.DeleteOriginal && !s.Record {
		return fmt.Errorf("%sORIGINAL, %[1]sRECORD: want the record on where originals are deleted: nothing else says then what the renditions are of", prefix)
	}
	return nil
}

func setOnTruncated(s *Settings, value string) error {
	if value != "reject" && value != "accept" {
		return errors.New(`want "reject" or "accept", for JPEGs that are cut short but have half of their rows`)
	}
	s.AcceptTruncated = value == "accept"
	return nil
}

func setMaxBytes(s *Settings, value string) (err error) {
	s.MaxBytes, err = byteCount(value)
	return err
}

func setMaxMemory(s *Settings, value string) (err error) {
	s.Limits.MaxMemory, err = byteCount(value)
	return err
}

func byteCount(value string) (int64, error) {
	number, unit := value, int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if n, ok := strings.CutSuffix(value, suffix); ok {
			number, unit = n, factor
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > 1<<40/unit {
		return 0, errors.New(`want a number of bytes such as "134217728" or "128MiB"`)
	}
	return n * unit, nil
}

func setMaxPixels(s *Settings, value string) (err error) {
	s.Limits.MaxPixels, err = strconv.ParseInt(value, 10, 64)
	if err != nil || s.Limits.MaxPixels < 1 {
		return errors.New(`want a number of pixels, width × height × frames, such as "150000000"`)
	}
	return nil
}

func setMaxFrames(s *Settings, value string) (err error) {
	s.Limits.MaxFrames, err = strconv.Atoi(value)
	if err != nil || s.Limits.MaxFrames < 1 || s.Limits.MaxFrames > 10000 { // beyond, libvips takes the first for all
		return errors.New(`want a number of frames such as "500", at most 10000`)
	}
	return nil
}

func setDeadlineMargin(s *Settings, value string) (err error) {
	s.DeadlineMargin, err = time.ParseDuration(value)
	if err != nil || s.DeadlineMargin < 0 || s.DeadlineMargin > time.Minute {
		return errors.New(`want a duration of at most a minute such as "500ms" or "2s"`)
	}
	return nil
}

// inValue says in which value a mistake is. One about the value as a whole, not an item of its list, says so already.
func inValue(value string, mistake error) error {
	if strings.HasPrefix(mistake.Error(), strconv.Quote(value)+": ") {
		return mistake
	}
	return fmt.Errorf("%q: %w", value, mistake)
}
