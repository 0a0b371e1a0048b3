//go:build !heic

package handler_test

import (
	"strings"
	"testing"

	"s3resizer/internal/report"
)

// A build without HEIC says which one has it.
func TestAHEICIsRejectedByWhatWouldDo(t *testing.T) {
	b := newBench(t)
	r := one(t, b.handler(t, b), b.upload(t, "a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")))
	if r.Status != report.Rejected || r.Class != "unsupported" || !strings.HasSuffix(r.Reason, "; the image's variant s3resizer:heic does it (make image HEIC=1)") {
		t.Errorf("%+v", r)
	}
}
