// Package rejection has the error that says why a picture is refused, for all packages that read its bytes. Package resize
// exports it under the same name.
package rejection

import "fmt"

// Class says what is wrong with a picture, in a word that stays the same.
type Class string

// The classes of a [Rejection].
const (
	Unsupported Class = "unsupported" // not an image, or of a format that is not resized
	TooLarge    Class = "too-large"   // beyond the limits
	Corrupt     Class = "corrupt"     // the header or the pixels are damaged or cut short
)

// Remedy is what would make a refused picture pass. The layer that knows the settings puts it into their words.
type Remedy string

// The remedies of a [Rejection]; most have none.
const (
	DecodeHEIC      Remedy = "decode-heic"      // a build that decodes HEIC
	AcceptTruncated Remedy = "accept-truncated" // the option to render as much of a picture as is there
)

// Rejection is the error for a picture that can't or won't be resized because of its own bytes. Trying again is of no use.
type Rejection struct {
	Class  Class
	Reason string // for people: what is wrong, and what would be right
	Remedy Remedy // "" if there is none
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Class, r.Reason) }

// Unsupportedf returns a [Rejection] of class [Unsupported], with a reason that is formatted as by [fmt.Sprintf].
func Unsupportedf(format string, args ...any) *Rejection {
	return &Rejection{Class: Unsupported, Reason: fmt.Sprintf(format, args...)}
}

// TooLargef returns a [Rejection] of class [TooLarge], with a reason that is formatted as by [fmt.Sprintf].
func TooLargef(format string, args ...any) *Rejection {
	return &Rejection{Class: TooLarge, Reason: fmt.Sprintf(format, args...)}
}

// Corruptf returns a [Rejection] of class [Corrupt], with a reason that is formatted as by [fmt.Sprintf].
func Corruptf(format string, args ...any) *Rejection {
	return &Rejection{Class: Corrupt, Reason: fmt.Sprintf(format, args...)}
}
