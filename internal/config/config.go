// Package config turns the environment into settings that are known to be good.
//
// Every mistake is reported at once, each with the variable, its value and what would be right: a function that does
// not start should need one look at its log, not one deployment per typing error.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"s3resizer/internal/naming"
	"s3resizer/resize"
)

// Settings are what the RESIZE_* variables say. The zero value is not usable: see [Load].
type Settings struct {
	Sizes           []resize.Size
	Formats         []resize.Format
	Quality         resize.Quality
	Effort          resize.Effort
	Background      resize.Color
	DestBucket      naming.BucketTemplate
	Key             naming.KeyTemplate
	CacheControl    string // "" for the source's own
	BucketOwner     string // an account id, [AnyOwner], or "" for the function's own account
	Copy            Copy   // what of an upload its renditions get
	Record          bool   // write the commit record
	Delete          bool   // what was made of a source goes with it
	DeleteOriginal  bool   // once a source is resized, it goes
	Limits          resize.Limits
	MaxBytes        int64         // of a source
	Processors      int           // to use, which is also how many pictures are worked on at once
	AcceptTruncated bool          // render a JPEG of which half is there
	Planar          bool          // resize the common JPEG by its planes
	DeadlineMargin  time.Duration // work stops this long before the function's time limit
	LogLevel        slog.Level
	Metrics         bool // write CloudWatch metrics into the log of a function in Lambda

	Profiles     []*Settings       // by prefix, the longest first: see [Settings.For]
	Prefix       string            // of a profile: what its keys begin with
	Skip         bool              // of a profile: nothing is made of what is there
	Named        map[string]string // of a profile: what it does not inherit, by variable
	NamesMayMeet bool              // a rendition may have the name of another source's, under another profile
}

// Copy says what of an upload travels to its renditions, beside the picture.
type Copy struct {
	Metadata    bool // user metadata
	Tags        bool
	Disposition bool // Content-Disposition
	Copyright   bool // copyright and creator, in the file
}

// AnyOwner is the value of RESIZE_BUCKET_OWNER that switches the check off.
const AnyOwner = "any"

const prefix = "RESIZE_"

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
		if ours && !slices.ContainsFunc(Table, func(row Setting) bool { return row.Name == prefix+name }) {
			mistakes = append(mistakes, fmt.Errorf("%s is not a setting; there are %s", printable(prefix+name), strings.Join(names(), ", ")))
		}
		if ours && value != "" {
			values[prefix+name] = value
		}
	}
	s := defaults()
	memory := memory(functionMB, os.DirFS("/"))
	s.Processors = processors(memory, runtime.GOMAXPROCS(0))
	s.Limits.MaxMemory = memory / 100 * share / int64(s.Processors)
	for _, row := range Table {
		if value := values[row.Name]; value != "" && row.set != nil {
			if err := row.set(&s, value); err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s=%w", row.Name, inValue(value, err)))
			}
		}
	}
	if len(mistakes) == 0 {
		if err := s.checkNames(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%sSIZES, %[1]sKEY_TEMPLATE: %w", prefix, err))
		}
	}
	if value := values[ProfilesName]; value != "" {
		mistakes = append(mistakes, s.setProfiles(value)...)
		s.compareNames()
	}
	if len(mistakes) == 0 {
		mistakes = append(mistakes, s.checkPlace(), s.checkOriginal())
	}
	return s, errors.Join(mistakes...)
}

// defaults are the settings as they are without any variable, but for what follows from the memory.
func defaults() Settings {
	var s Settings
	for _, row := range Table {
		if row.Default != "" {
			if err := row.set(&s, row.Default); err != nil {
				panic(row.Name + ": " + err.Error()) // the table's own mistake
			}
		}
	}
	return s
}

// Values returns what each variable says in an environment that [Load] accepts, the defaults included; "" where what is
// in force follows from something else.
func Values(environ []string) map[string]string {
	values := map[string]string{}
	for _, row := range Table {
		values[row.Name] = row.Default
	}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); value != "" && strings.HasPrefix(name, prefix) {
			values[name] = value
		}
	}
	values[ProfilesName] = compact(values[ProfilesName])
	return values
}

// printable is a name as it is or, where that would garble the log, escaped.
func printable(name string) string {
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}

func names() []string {
	var out []string
	for _, row := range Table {
		out = append(out, row.Name)
	}
	return out
}

// Spec is what [resize.Source.Render] needs.
func (s Settings) Spec() resize.Spec {
	return resize.Spec{Sizes: s.Sizes, Formats: s.Formats, Quality: s.Quality, Effort: s.Effort, Background: s.Background, AcceptTruncated: s.AcceptTruncated,
		NoPlanes: !s.Planar, Credit: s.Copy.Copyright}
}
