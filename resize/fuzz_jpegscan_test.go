package resize

import (
	"testing"
	"time"
)

// FuzzJPEGScan looks for files that make the examination crash, hang, or say what can't be. Its seeds are whole and spoiled
// JPEGs of every coding.
func FuzzJPEGScan(f *testing.F) {
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
		found := examineJPEG(t.Context(), data, somePixels)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%v for %d bytes", took, len(data))
		}
		if found.rows < 0 || found.rows > found.height || len(found.file) > len(data) || found.cut && found.damage != nil {
			t.Errorf("%+v", found)
		}
		if found.damage == nil && !found.cut && found.rows != found.height {
			t.Errorf("whole, and %d of %d rows", found.rows, found.height)
		}
		if found.judge(Spec{}) == nil && (found.cut || found.damage != nil) {
			t.Errorf("it passes: %+v", found)
		}
	})
}
