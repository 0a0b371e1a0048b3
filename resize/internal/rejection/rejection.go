// Package rejection has the one error by which a picture is refused because of its own bytes, whichever part of package
// resize finds out. Package resize exports it under its own name.
package rejection

import "fmt"

// Class says what is wrong with a picture, in a word that stays the same.
type Class string

// The classes of a [Rejection].
const (
	Unsupported Class = "unsupported" // not an image, or of a format that is not resized
	TooLarge    Class = "too-large"   // beyond the limits, or a rendition beyond its format's
	Corrupt     Class = "corrupt"     // the header or the pixels are damaged or cut short
)

// Remedy is what would make such a picture pass after all. The layer that knows the settings says it in their words.
type Remedy string

// The remedies of a [Rejection]; most have none.
const (
	DecodeHEIC      Remedy = "decode-heic"      // a build that decodes HEIC
	AcceptTruncated Remedy = "accept-truncated" // the option to render what is there of a picture
)

// Rejection says that a picture can't or won't be resized, because of its own bytes: trying again is of no use.
type Rejection struct {
	Class  Class
	Reason string // for people: what is wrong, and what would be right
	Remedy Remedy // "" if there is none
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Class, r.Reason) }

// Unsupportedf returns a rejection of that class, its reason as by [fmt.Sprintf].
func Unsupportedf(format string, args ...any) *Rejection {
	return &Rejection{Class: Unsupported, Reason: fmt.Sprintf(format, args...)}
}

// TooLargef returns a rejection of that class, its reason as by [fmt.Sprintf].
func TooLargef(format string, args ...any) *Rejection {
	return &Rejection{Class: TooLarge, Reason: fmt.Sprintf(format, args...)}
}

// Corruptf returns a rejection of that class, its reason as by [fmt.Sprintf].
func Corruptf(format string, args ...any) *Rejection {
	return &Rejection{Class: Corrupt, Reason: fmt.Sprintf(format, args...)}
}
