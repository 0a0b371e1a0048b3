package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Failure says that something other than the picture's bytes was in the way. The platform tries again and, when that
// is of no use, hands the event to the dead-letter destination.
type Failure struct {
	Class       Class
	TraceID     string   // as in a [Result]
	Bucket, Key string   // of the source; empty if no event could be read
	Written     []string // the keys of the renditions that are in place already
	Missing     []string // the keys of the set, record included, that may not be; sizes, if no key was known yet; none of a set that is to go
	Err         error

	others []error
}

func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", f.Class)
	if f.Bucket != "" {
		fmt.Fprintf(&b, "resize s3://%s/%s: ", f.Bucket, f.Key)
	}
	fmt.Fprint(&b, f.Err)
	if len(f.Written)+len(f.Missing) > 0 {
		fmt.Fprintf(&b, " (written: %s; missing: %s)", list(f.Written), list(f.Missing))
	}
	fmt.Fprintf(&b, " (trace %s)", f.TraceID)
	for _, other := range f.others {
		fmt.Fprintf(&b, "\n%v", other)
	}
	return b.String()
}

func list(keys []string) string { return cmp.Or(strings.Join(keys, ", "), "nothing") }

func (f *Failure) Unwrap() []error { return append([]error{f.Err}, f.others...) }

// Temporary reports whether the same event may fare better without anybody mending anything.
func (f *Failure) Temporary() bool { return f.Class.Meaning().Matter == Passing }

// Join makes one error of several objects' failures, or nil if there are none.
func Join(failures []*Failure) error {
	if len(failures) == 0 {
		return nil
	}
	first := failures[0]
	for _, other := range failures[1:] {
		first.others = append(first.others, other)
	}
	return first
}
