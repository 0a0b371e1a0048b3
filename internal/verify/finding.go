package verify

// Kind says what is wrong.
type Kind string

// The kinds of a [Finding]. Down to Unlabelled they are mended by making the set anew.
const (
	MissingRecord    Kind = "missing-record"    // the original has no commit record
	WrongRecord      Kind = "wrong-record"      // what is in the place of its record is none of it
	MissingRendition Kind = "missing-rendition" // the record tells of it, or the settings ask for it
	OlderUpload      Kind = "older-upload"      // made of an upload that is not the original any more
	OlderSettings    Kind = "older-settings"    // made under settings with another fingerprint
	WrongSize        Kind = "wrong-size"        // of other dimensions than the original, the record or its own label say
	WrongType        Kind = "wrong-type"        // its Content-Type, or what it is by its bytes, is not that of its format
	WrongBytes       Kind = "wrong-bytes"       // of another length than the record says
	Unreadable       Kind = "unreadable"        // it has no picture's header
	Unlabelled       Kind = "unlabelled"        // by its bytes ours, but its metadata are gone
	Foreign          Kind = "foreign"           // in a rendition's place is an object that is not ours, or another original's
	Lost             Kind = "lost"              // something is wrong with a rendition whose original was deleted by RESIZE_ORIGINAL
	Leftover         Kind = "leftover"          // ours, and not of its original's set any more
	Orphan           Kind = "orphan"            // ours, and its original is gone
	Failed           Kind = "failed"            // it could not be looked at
)

// Kinds are all of them, in that order.
func Kinds() []Kind {
	return []Kind{MissingRecord, WrongRecord, MissingRendition, OlderUpload, OlderSettings, WrongSize, WrongType, WrongBytes, Unreadable, Unlabelled, Foreign, Lost, Leftover, Orphan, Failed}
}

// Redone tells whether it is mended by making the set anew.
func (k Kind) Redone() bool {
	switch k {
	case Foreign, Lost, Leftover, Orphan, Failed:
		return false
	default:
		return true
	}
}

// Finding is something that is not as it should be.
type Finding struct {
	Kind     Kind   `json:"kind"`
	Key      string `json:"key"`      // in the destination, of what is wrong or missing; of what failed it may be ""
	Original string `json:"original"` // key of the source
	Reason   string `json:"reason"`   // for people
	ETag     string `json:"etag"`     // of an orphan, as it was found
	Bytes    int64  `json:"bytes"`    // of an orphan or a leftover
}
