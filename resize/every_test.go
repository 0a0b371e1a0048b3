package resize

import (
	"bytes"
	"strings"
	"testing"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// What is not resized is not for libvips to look at either, whoever hands it on: SVG, say, or libvips's own format.
func TestOtherLoadersAreSwitchedOff(t *testing.T) {
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil || strings.HasSuffix(p.Name, ".tif") {
			continue
		}
		img, err := vips.LoadImageFromReader(bytes.NewReader(p.Data), nil)
		if err == nil {
			t.Errorf("libvips reads %s", p.Name)
			img.Close()
		}
	}
}
