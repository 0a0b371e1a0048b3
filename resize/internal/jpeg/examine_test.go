package jpeg

import (
	"os"
	"path/filepath"
	"testing"
)

// codings are JPEGs of the same picture in every coding that is examined, by name.
func codings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../testdata/jpeg/*.jpg")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	out := map[string][]byte{}
	for _, file := range append(files, "../../testdata/colour/cmyk.jpg") {
		if out[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	delete(out, "arithmetic.jpg")
	return out
}

const somePixels = 1 << 20

func TestAWholeJPEGIsFoundWhole(t *testing.T) {
	for name, data := range codings(t) {
		found := Examine(t.Context(), data, somePixels)
		if found.Damage != nil || found.Cut || found.Rows != found.Height || found.Height < 100 {
			t.Errorf("%s: %+v", name, found.Damage)
		}
	}
}

func TestWhereAJPEGIsCutShort(t *testing.T) {
	for name, data := range codings(t) {
		rows := 0
		for length := 2; length < len(data)-2; length += 1 + length%29 {
			found := Examine(t.Context(), data[:length], somePixels)
			if found.Damage != nil || !found.Cut || found.Rows < rows {
				t.Fatalf("%s, %d of %d bytes: cut short %v at %d after %d, damage: %v", name, length, len(data), found.Cut, found.Rows, rows, found.Damage)
			}
			rows = found.Rows
		}
		if rows < 100 {
			t.Errorf("%s: without its last bytes it has %d rows", name, rows)
		}
		if found := Examine(t.Context(), data[:len(data)-2], somePixels); found.Cut || found.Damage != nil {
			t.Errorf("%s: without an end marker it is not whole: %+v", name, found.Damage)
		}
	}
}
