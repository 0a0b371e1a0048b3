package handler

import (
	"time"

	"s3resizer/resize"
)

// Outputs returns the keys of all that would be made of a source with that key: its renditions and, if records are kept, its
// record.
func (h *Handler) Outputs(bucket, key string, source *resize.Source) []string {
	r := newRun(h, object{bucket: bucket, key: key}, time.Time{})
	r.source = source
	return r.outputs()
}
