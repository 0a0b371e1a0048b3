package resize

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"s3resizer/resize/resizetest"
)

// rendered resizes a file, and returns in how long.
func rendered(file []byte) (time.Duration, error) {
	began := time.Now()
	_, err := tryRender(file, Spec{Sizes: []Size{{Name: "one", Width: 300}}, Formats: []Format{AsSource}, Quality: quality, Credit: true}, func(Rendition) {})
	return time.Since(began), err
}

// tooLarge reports whether the picture was refused as too large, for a reason with these words.
func tooLarge(err error, words string) bool {
	refusal := (*Rejection)(nil)
	return errors.As(err, &refusal) && refusal.Class == ClassTooLarge && strings.Contains(refusal.Reason, words)
}

func TestScansAreCounted(t *testing.T) {
	if _, err := rendered(resizetest.ManyScans(64, 64)); err != nil {
		t.Errorf("64 scans: %v", err)
	}
	if _, err := rendered(resizetest.ManyScans(64, 101)); !tooLarge(err, "more than 100 scans") {
		t.Errorf("101 scans: %v", err)
	}
}

// Where the header or the structure says that it is too much, nothing is decoded.
func TestHostileHeadersAreEnough(t *testing.T) {
	for _, kind := range resizetest.Hostiles() {
		if largest := kind.Sizes[len(kind.Sizes)-1]; kind.From > 0 {
			took, err := rendered(kind.File(largest))
			if refusal := (*Rejection)(nil); !errors.As(err, &refusal) || took > time.Second {
				t.Errorf("%s, %d: %v, %v", kind.Name, largest, took, err)
			}
		}
	}
}

func TestNoSideIsEndless(t *testing.T) {
	for _, side := range []int{mostSide, mostSide + 1} {
		for _, size := range []image.Rectangle{image.Rect(0, 0, side, 2), image.Rect(0, 0, 2, side)} {
			var file bytes.Buffer
			if err := png.Encode(&file, image.NewGray(size)); err != nil {
				t.Fatal(err)
			}
			if _, err := rendered(file.Bytes()); side > mostSide != tooLarge(err, "neither side may have more than 65535") {
				t.Errorf("%v: %v", size.Max, err)
			}
		}
	}
}

// Nobody else counts scans in arithmetic coding: 800 of nothing, in 10 kB, took minutes.
func TestArithmeticScansAreCounted(t *testing.T) {
	if took, err := rendered(resizetest.ManyArithmeticScans(4000, 800)); !tooLarge(err, "more than 100 scans") || took > 10*time.Second {
		t.Errorf("%v, %v", took, err)
	}
}
