package png

import (
	"bufio"
	"bytes"
	"testing"

	"s3resizer/resize/internal/header"
	"s3resizer/resize/resizetest"
)

// Whatever the bytes, no more is kept than there is, or than may be.
func FuzzCopyHeader(f *testing.F) {
	for _, data := range resizetest.Seeds("png") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var head bytes.Buffer
		_, _ = CopyHeader(bufio.NewReader(bytes.NewReader(data)), &head)
		if head.Len() > header.Max || head.Len() > len(data) {
			t.Errorf("%d bytes kept of %d", head.Len(), len(data))
		}
		if profile, _ := Profile(head.Bytes()); profile != nil && len(profile) < 128 {
			t.Errorf("a profile of %d bytes", len(profile))
		}
	})
}
