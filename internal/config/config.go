// Package config turns the environment into settings that are known to be good.
//
// Every mistake is reported at once, each with the variable, its value and what would be right: a function that does
// not start should need one look at its log, not one deployment per typing error.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"s3resizer/resize"
)

// Settings are what the RESIZE_* variables say. The zero value is not usable: see [Load].
type Settings struct {
	Sizes           []resize.Size
	Formats         []resize.Format
	Quality         resize.Quality
	Effort          resize.Effort
	Background      resize.Color
	DestBucket      BucketTemplate
	Key             KeyTemplate
	CacheControl    string // "" for the source's own
	BucketOwner     string // an account id, [AnyOwner], or "" for the function's own account
	Record          bool   // write the commit record
	Delete          bool   // what was made of a source goes with it
	Limits          resize.Limits
	MaxBytes        int64         // of a source
	Processors      int           // to use, which is also how many pictures are worked on at once
	AcceptTruncated bool          // render a JPEG of which half is there
	DeadlineMargin  time.Duration // work stops this long before the function's time limit
	LogLevel        slog.Level
	Metrics         bool // write CloudWatch metrics into the log of a function in Lambda
}

// efforts are where more time stops to pay; docs/effort.md has the measurements.
var efforts = resize.Effort{WebP: 2, AVIF: 2, GIF: 4}

// AnyOwner is the value of RESIZE_BUCKET_OWNER that switches the check off.
const AnyOwner = "any"

const prefix = "RESIZE_"

// variable is one setting: its default, and how its value is understood.
type variable struct {
	fallback string
	set      func(s *Settings, value string) error // an error says what would be right
}

var variables = map[string]variable{
	"SIZES":           {"small=368,medium=720,large=1440", setSizes},
	"FORMATS":         {"source", setFormats},
	"QUALITY":         {"", setQuality},
	"EFFORT":          {"", setEffort},
	"BACKGROUND":      {"white", setBackground},
	"DEST_BUCKET":     {"{bucket}-resized", setDestBucket},
	"KEY_TEMPLATE":    {"{size}-{key}", setKeyTemplate},
	"CACHE_CONTROL":   {"", setCacheControl},
	"BUCKET_OWNER":    {"", setBucketOwner},
	"RECORD":          {"on", func(s *Settings, value string) error { return setSwitch(&s.Record, value) }},
	"DELETE":          {"off", func(s *Settings, value string) error { return setSwitch(&s.Delete, value) }},
	"ON_TRUNCATED":    {"reject", setOnTruncated},
	"MAX_BYTES":       {"128MiB", setMaxBytes},
	"MAX_PIXELS":      {"150000000", setMaxPixels},
	"MAX_FRAMES":      {"500", setMaxFrames},
	"MAX_MEMORY":      {"", setMaxMemory},
	"DEADLINE_MARGIN": {"500ms", setDeadlineMargin},
	"LOG_LEVEL":       {"info", setLogLevel},
	"METRICS":         {"on", func(s *Settings, value string) error { return setSwitch(&s.Metrics, value) }},
}

// functionMemory is Lambda's variable for the memory of the function, in MiB.
const functionMemory = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

// Load reads settings from an environment, in the form of [os.Environ]. An unset or empty variable has its default; an
// unknown RESIZE_ variable is a mistake like any other, for it is most likely a known one misspelt.
//
// The number of processors, and the memory that a picture may take, follow from the memory of the function or, outside
// Lambda, of the cgroup or the machine.
func Load(environ []string) (Settings, error) {
	values := map[string]string{}
	var mistakes []error
	var functionMB string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if name == functionMemory {
			functionMB = value
		}
		name, ours := strings.CutPrefix(name, prefix)
		if _, known := variables[name]; ours && !known {
			mistakes = append(mistakes, fmt.Errorf("%s is not a setting; there are %s", printable(prefix+name), strings.Join(names(), ", ")))
		}
		if ours && value != "" {
			values[name] = value
		}
	}
	s := Settings{Quality: resize.Quality{JPEG: 80, WebP: 80, AVIF: 50}, Effort: efforts}
	memory := memory(functionMB, os.DirFS("/"))
	s.Processors = processors(memory, runtime.GOMAXPROCS(0))
	s.Limits.MaxMemory = memory / 100 * share / int64(s.Processors)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value, isSet := values[name]
		if !isSet {
			value = variables[name].fallback
		}
		if err := variables[name].set(&s, value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s%s=%q: %w", prefix, name, value, err))
		}
	}
	if len(mistakes) == 0 {
		mistakes = append(mistakes, s.Key.checkSizes(s.Sizes))
	}
	return s, errors.Join(mistakes...)
}

// Values returns what each variable says in an environment that [Load] accepts, the defaults included; "" where what is
// in force follows from something else.
func Values(environ []string) map[string]string {
	values := map[string]string{}
	for name, v := range variables {
		values[prefix+name] = v.fallback
	}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); value != "" && strings.HasPrefix(name, prefix) {
			values[name] = value
		}
	}
	return values
}

// printable is a name as it is or, where that would garble the log, escaped.
func printable(name string) string {
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}

func names() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		out = append(out, prefix+name)
	}
	return out
}

// Spec is what [resize.Source.Render] needs.
func (s Settings) Spec() resize.Spec {
	return resize.Spec{Sizes: s.Sizes, Formats: s.Formats, Quality: s.Quality, Effort: s.Effort, Background: s.Background, AcceptTruncated: s.AcceptTruncated}
}

func setSizes(s *Settings, value string) error {
	const right = `want name=width pairs such as "small=368,large=1440"`
	for pair := range strings.SplitSeq(value, ",") {
		name, width, _ := strings.Cut(strings.TrimSpace(pair), "=")
		w, err := strconv.Atoi(width)
		switch {
		case err != nil || w < 1 || w > maxWidth:
			return fmt.Errorf("%q: %s, the width between 1 and %d pixels", pair, right, maxWidth)
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "":
			return fmt.Errorf("%q: %s, the name of letters, digits, - and _", pair, right)
		case slices.ContainsFunc(s.Sizes, func(known resize.Size) bool { return known.Name == name }):
			return fmt.Errorf("the size %q is there twice", name)
		}
		s.Sizes = append(s.Sizes, resize.Size{Name: name, Width: w})
	}
	return nil
}

// maxWidth is the widest picture that every output format but WebP holds; see resize for the formats' own limits.
const maxWidth = 16384

func setFormats(s *Settings, value string) error {
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
	return setPerFormat(value, 1, 100, "jpeg=80,webp=78,avif=50",
		map[string]*int{"jpeg": &s.Quality.JPEG, "webp": &s.Quality.WebP, "avif": &s.Quality.AVIF})
}

func setEffort(s *Settings, value string) error {
	err := setPerFormat(value, 1, 9, "webp=2,avif=2,gif=4",
		map[string]*int{"webp": &s.Effort.WebP, "avif": &s.Effort.AVIF, "gif": &s.Effort.GIF})
	s.Effort.WebP = min(s.Effort.WebP, 6) // where libwebp's scale ends
	return err
}

// setPerFormat reads one number for every format, or one each. What is not named keeps its default.
func setPerFormat(value string, least, most int, example string, each map[string]*int) error {
	if value == "" {
		return nil
	}
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
	if value != "" && value != AnyOwner && (len(value) != 12 || strings.Trim(value, "0123456789") != "") {
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

func setOnTruncated(s *Settings, value string) error {
	if value != "reject" && value != "accept" {
		return errors.New(`want "reject" or "accept", for JPEGs that are cut short but have half of their rows`)
	}
	s.AcceptTruncated = value == "accept"
	return nil
}

func setMaxBytes(s *Settings, value string) (err error) {
	s.MaxBytes, err = bytes(value)
	return err
}

func setMaxMemory(s *Settings, value string) (err error) {
	if value != "" {
		s.Limits.MaxMemory, err = bytes(value)
	}
	return err
}

func bytes(value string) (int64, error) {
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

// Fingerprint tells renditions made under other settings apart: it changes with everything that decides what a
// rendition is, and stands in each one's metadata.
func (s Settings) Fingerprint() string {
	decides := []any{"v1", s.Sizes, s.Formats, s.Quality, s.Background, s.Key.tokens, s.CacheControl}
	if s.Effort != efforts { // the measured ones may change: what was made with others then is not stale
		decides = append(decides, "effort", s.Effort)
	}
	if s.AcceptTruncated { // what is made otherwise is the same with both
		decides = append(decides, "truncated")
	}
	sum := sha256.Sum256(fmt.Append(nil, decides...))
	return hex.EncodeToString(sum[:6])
}
