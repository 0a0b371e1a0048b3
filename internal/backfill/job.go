package backfill

import (
	"fmt"
	"time"
)

// OtherJobError says that the state is of another job.
type OtherJobError struct {
	Path, Difference string
}

func (e *OtherJobError) Error() string {
	return fmt.Sprintf("the state %s is of another job: %s; finish that one as it was begun, or name another file with --state", e.Path, e.Difference)
}

// Job is what a state is the state of.
type Job struct {
	Bucket      string    `json:"bucket"`
	Prefix      string    `json:"prefix"`
	Destination string    `json:"destination"` // bucket
	Fingerprint string    `json:"settings"`    // of all the settings that apply
	Only        Only      `json:"only"`
	Since       time.Time `json:"since,omitzero"` // objects that were last modified before are left out
}

// Only says which objects a job is about.
type Only string

// What a job is about: [Missing] or [Stale] alone, both, or everything.
const (
	MissingAndStale Only = "missing and stale"
	Missing         Only = "missing" // those that have no commit record
	Stale           Only = "stale"   // those whose record is of an older upload, or of other settings
	All             Only = "all"     // done again whatever is there
)

// differs says in what, or is "".
func (j Job) differs(other Job) string {
	where := func(j Job) string { return "s3://" + j.Bucket + "/" + j.Prefix + " to s3://" + j.Destination }
	switch {
	case where(j) != where(other):
		return fmt.Sprintf("from %s, this one is from %s", where(j), where(other))
	case j.Fingerprint != other.Fingerprint:
		return fmt.Sprintf("its RESIZE_ settings have the fingerprint %s, this one's have %s", j.Fingerprint, other.Fingerprint)
	case j.Only != other.Only:
		return fmt.Sprintf("it is for %s, this one for %s", j.Only, other.Only)
	case !j.Since.Equal(other.Since):
		return fmt.Sprintf("it is for what was modified since %v, this one since %v", j.Since, other.Since)
	default:
		return ""
	}
}
