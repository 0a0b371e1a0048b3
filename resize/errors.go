package resize

import "s3resizer/resize/internal/rejection"

// Rejection is the error for a picture that can't or won't be resized because of its own bytes. Trying again is of no use.
type Rejection = rejection.Rejection

// Class says what is wrong with a picture, in a word that stays the same.
type Class = rejection.Class

// The classes of a [Rejection].
const (
	ClassUnsupported = rejection.Unsupported // not an image, or of a format that is not resized
	ClassTooLarge    = rejection.TooLarge    // beyond the limits
	ClassCorrupt     = rejection.Corrupt     // the header or the pixels are damaged or cut short
)

// Remedy is what would make a refused picture pass, or "" if nothing would.
type Remedy = rejection.Remedy

// The remedies of a [Rejection].
const (
	RemedyDecodeHEIC      = rejection.DecodeHEIC      // a build that decodes HEIC
	RemedyAcceptTruncated = rejection.AcceptTruncated // [Spec.AcceptTruncated]
)
