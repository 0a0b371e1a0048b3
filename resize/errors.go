package resize

import "fmt"

// Class says what is wrong with a picture, in a word that stays the same.
type Class string

// The classes of a [Rejection].
const (
	ClassUnsupported Class = "unsupported" // not an image, or of a format that is not resized
	ClassTooLarge    Class = "too-large"   // beyond the limits, or a rendition beyond its format's
	ClassCorrupt     Class = "corrupt"     // the header or the pixels are damaged or cut short
)

// Rejection says that the picture can't or won't be resized, because of its own bytes: trying again is of no use.
type Rejection struct {
	Class  Class
	Reason string // for people: what is wrong, and what would be right
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Class, r.Reason) }
