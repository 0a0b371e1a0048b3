// Package report is what other people's programs read: the report that the function returns, the commit record that stands
// beside the renditions, the label in the metadata of each object that we wrote, and the classes of what can go wrong.
//
// Its one idea: what is written is read for years. So each has its writer and its reader here, side by side, and a schema,
// docs/report.v1.schema.json. Who makes a report is package handler; who reads one needs this alone.
package report

import "s3resizer/resize"

// Version is that of the results. Within it, fields may be added and none changes; docs/report.v1.schema.json says what
// there is. Records that were written before there were versions have none.
const Version = 1

// Report is what the function returns: one result per object, in the event's order.
type Report struct {
	Results []Result `json:"results"`
}

// Status says what came of an object.
type Status string

// The statuses of a [Result]. What is neither of these is an error.
const (
	Resized    Status = "resized"    // every rendition is in place
	Skipped    Status = "skipped"    // nothing to do: our own output, a folder marker, a test event
	Superseded Status = "superseded" // the event tells of an older upload; every rendition is of the current one already
	Rejected   Status = "rejected"   // the bytes can't or won't be resized: see Class and Reason
	Gone       Status = "gone"       // the source is no longer there, and nothing was removed
	Deleted    Status = "deleted"    // nor is what was made of it, from now on: see Removed
)

// Result tells what was made of one object, or why nothing was.
type Result struct {
	Version int `json:"version"`
	// TraceID is shared by the event that the result answers (for an upload, the request id of its PUT), this result and
	// every line of the log about it.
	TraceID    string      `json:"traceId"`
	Status     Status      `json:"status"`
	Class      Class       `json:"class,omitempty"`  // of a rejection
	Reason     string      `json:"reason,omitempty"` // for people
	Source     Source      `json:"source"`
	Renditions []Rendition `json:"renditions,omitempty"` // in the order of the settings
	Previous   *Set        `json:"previous,omitempty"`   // of a rejected upload
	Removed    []Removed   `json:"removed,omitempty"`    // of a deleted source
	Timings    *Timings    `json:"timings,omitempty"`
}

// Set is a complete set of renditions, and the upload that they are of.
//
// As the Previous of a rejected upload it is the last older set that had a record, and that was seen in place, whole,
// after the rejection's own record was written. There is none where no older upload was resized, where a newer set was
// begun and never finished (what is there then is of several uploads: each rendition's metadata has the ETag of its
// own), or where no records are kept.
type Set struct {
	Source     Source      `json:"source"`
	Renditions []Rendition `json:"renditions"`
}

// Removed names an object that was removed.
type Removed struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Final reports whether the result is the outcome of an upload, which its record keeps.
func (r Result) Final() bool { return r.Status == Resized || r.Status == Rejected }

// Set returns the complete set that an upload's result names: its own or, of one that was rejected, the older one; nil if there is
// none.
func (r Result) Set() *Set {
	if r.Status == Resized {
		return &Set{Source: r.Source, Renditions: r.Renditions}
	}
	return r.Previous
}

// Kept returns that set if we have deleted what it was made of. It can't be made anew.
func (r Result) Kept() *Set {
	if set := r.Set(); set != nil && set.Source.Deleted {
		return set
	}
	return nil
}

// Source describes the object that was read; what was not learned is left out.
type Source struct {
	Bucket    string        `json:"bucket,omitempty"`
	Key       string        `json:"key"`
	VersionID string        `json:"versionId,omitempty"`
	ETag      string        `json:"etag,omitempty"`
	Bytes     int64         `json:"bytes,omitempty"`
	Format    resize.Format `json:"format,omitempty"`
	Width     int           `json:"width,omitempty"` // pixels, upright
	Height    int           `json:"height,omitempty"`
	Frames    int           `json:"frames,omitempty"`    // of an animation; of an APNG or a sequence of AVIF, of which the still picture is resized, too
	Alpha     *bool         `json:"alpha,omitempty"`     // it has an alpha channel; nil in records that say nothing of it
	Truncated bool          `json:"truncated,omitempty"` // cut short, and rendered all the same
	Deleted   bool          `json:"deleted,omitempty"`   // by us, as soon as the record of its set is in place, if it is still this upload
	ThumbHash []byte        `json:"thumbHash,omitempty"` // of a resized picture: https://evanw.github.io/thumbhash/
	Color     string        `json:"color,omitempty"`     // of a resized picture: its dominant color, "#rrggbb"
}

// Rendition describes an object that was written.
type Rendition struct {
	Size        string        `json:"size"`
	Bucket      string        `json:"bucket,omitempty"`
	Key         string        `json:"key"`
	Format      resize.Format `json:"format"`
	ContentType string        `json:"contentType"`
	Width       int           `json:"width"` // pixels
	Height      int           `json:"height"`
	Bytes       int           `json:"bytes"`
	ETag        string        `json:"etag,omitempty"` // none in records of before version 1
}

// Timings are in milliseconds of wall-clock time. All but Total are spans that overlap, because the work does.
type Timings struct {
	Download float64 `json:"download"` // from the request to the last byte read
	Decode   float64 `json:"decode"`   // until the widest picture is in memory; includes waiting for bytes
	Encode   float64 `json:"encode"`   // from then to the last rendition encoded
	Upload   float64 `json:"upload"`   // from the first upload's start to the last one's end
	Total    float64 `json:"total"`    // from the start to the last rendition in place
}
