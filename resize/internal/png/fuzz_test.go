package png

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"s3resizer/resize/internal/header"
	"s3resizer/resize/resizetest"
)

// FuzzCopyHeader takes any bytes, and learns nothing absurd from them.
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
		if profile := Profile(head.Bytes()); profile != nil && len(profile) < 128 {
			t.Errorf("a profile of %d bytes", len(profile))
		}
	})
}

// FuzzEnd reads any bytes in two ways, and finds the end in both or in neither.
func FuzzEnd(f *testing.F) {
	for _, data := range resizetest.Seeds("png") {
		f.Add(data, uint(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, length uint) {
		whole := NewEnd(bytes.NewReader(data))
		parts := NewEnd(bytes.NewReader(data))
		read, err := io.ReadAll(whole)
		if err != nil || !bytes.Equal(read, data) {
			t.Errorf("%d bytes read of %d, %v", len(read), len(data), err)
		}
		if _, err := parts.Read(make([]byte, min(length, 1<<16))); err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if parts.Reached() != whole.Reached() {
			t.Errorf("the end is reached: %v, and with a read of %d: %v", whole.Reached(), length, parts.Reached())
		}
	})
}
