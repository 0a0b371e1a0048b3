package jpeg

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"s3resizer/resize/internal/header"
	"s3resizer/resize/resizetest"
)

func spoiled(t testing.TB) []resizetest.Spoiled {
	t.Helper()
	all, err := resizetest.Spoil("../../testdata/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// FuzzExamine looks for files that make the examination crash, hang, or find what can't be. Its seeds are whole and spoiled
// JPEGs of every coding.
func FuzzExamine(f *testing.F) {
	for _, data := range codings(f) {
		f.Add(data)
	}
	for _, s := range spoiled(f) {
		if len(s.Data) < 20_000 {
			f.Add(s.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > 1<<16 {
			return
		}
		start := time.Now()
		found := Examine(t.Context(), data, somePixels)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%v for %d bytes", took, len(data))
		}
		if found.Rows < 0 || found.Rows > found.Height || len(found.File) > len(data) || found.Cut && found.Damage != nil {
			t.Errorf("%+v", found)
		}
		if found.Damage == nil && !found.Cut && found.Rows != found.Height {
			t.Errorf("whole, and %d of %d rows", found.Rows, found.Height)
		}
	})
}

// Whatever the bytes, no more is kept than there is, or than may be.
func FuzzCopyHeader(f *testing.F) {
	for _, data := range codings(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var head bytes.Buffer
		found, _ := CopyHeader(bufio.NewReader(bytes.NewReader(data)), &head)
		if head.Len() > header.Max || head.Len() > len(data) || found.Coefficients < 0 {
			t.Errorf("%d bytes kept of %d, %+v", head.Len(), len(data), found)
		}
	})
}
