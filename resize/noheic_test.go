//go:build !heic

package resize

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestHEICIsRejectedByWhatWouldDo(t *testing.T) {
	_, err := Open(t.Context(), bytes.NewReader([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")), limits)
	if rejection := (*Rejection)(nil); !errors.As(err, &rejection) || rejection.Class != ClassUnsupported || !strings.Contains(rejection.Reason, "HEIC") || rejection.Remedy != RemedyDecodeHEIC {
		t.Errorf("%v", err)
	}
}
