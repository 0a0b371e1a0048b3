package resize

import (
	"bytes"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// libvips itself refuses what is not resized, such as SVG or its own format, whoever hands it on.
func TestOtherLoadersAreSwitchedOff(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil || p.Rejected.Class != string(ClassUnsupported) || strings.HasSuffix(p.Name, ".tif") {
			continue
		}
		img, err := vips.LoadImageFromReader(bytes.NewReader(p.Data), nil)
		if err == nil {
			t.Errorf("libvips reads %s", p.Name)
			img.Close()
		}
	}
}
