package resizetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// Outcome says what is to become of a file.
type Outcome string

// The outcomes of a [Spoiled].
const (
	Whole   Outcome = "whole"   // rendered, as if nothing were
	Cut     Outcome = "cut"     // rendered where that is wanted, else rejected as cut short
	Useless Outcome = "useless" // cut short before its half: rejected
	Damaged Outcome = "damaged" // rejected
)

// Spoiled is a JPEG that is not as ITU-T T.81 wants it.
type Spoiled struct {
	Name     string
	Data     []byte
	Original []byte // what it was made of
	Outcome  Outcome
}

// Spoil makes of the JPEGs in a folder, resize/testdata/jpeg, what phones, broken uploads and broken discs make
// of them. The same files give the same.
func Spoil(folder string) ([]Spoiled, error) {
	files := map[string][]byte{}
	for _, name := range []string{"baseline", "progressive", "restart-3", "restart-rows", "arithmetic"} {
		data, err := os.ReadFile(filepath.Join(folder, name+".jpg"))
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	var all []Spoiled
	add := func(outcome Outcome, file, name string, spoil func(jpeg []byte) []byte) {
		original := files[file]
		all = append(all, Spoiled{fmt.Sprintf("%s, %s", file, name), spoil(bytes.Clone(original)), original, outcome})
	}
	for _, file := range []string{"baseline", "progressive", "restart-3"} {
		add(Whole, file, "a video behind it", func(j []byte) []byte { return append(j, junk(200_000)...) })
		add(Whole, file, "another picture behind it", func(j []byte) []byte { return append(j, files["baseline"]...) })
		add(Whole, file, "no end marker", func(j []byte) []byte { return j[:len(j)-2] })
		add(Whole, file, "zeros before the end marker", func(j []byte) []byte { return insert(j, len(j)-2, make([]byte, 12)) })
		add(Whole, file, "fill bytes before the end marker", func(j []byte) []byte { return insert(j, len(j)-2, bytes.Repeat([]byte{0xff}, 9)) })
		add(Whole, file, "an unknown Adobe transform", func(j []byte) []byte {
			return insert(j, 2, []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x05"))
		})
		add(Whole, file, "bytes between two segments", func(j []byte) []byte { return insert(j, bytes.Index(j, []byte{0xff, 0xdb}), make([]byte, 7)) })
		add(Damaged, file, "noise in the middle", func(j []byte) []byte { copy(j[len(j)/2:], junk(700)); return j })
		add(Damaged, file, "zeros in the middle", func(j []byte) []byte { clear(j[len(j)/2 : len(j)/2+700]); return j })
		add(Damaged, file, "a part missing", func(j []byte) []byte { return slices.Delete(j, len(j)/2, len(j)/2+700) })
		add(Damaged, file, "a part twice", func(j []byte) []byte { return insert(j, len(j)/2, bytes.Clone(j[len(j)/2-900:len(j)/2])) })
		add(Damaged, file, "the end marker in the middle", func(j []byte) []byte { return append(j[:len(j)/2], 0xff, 0xd9) })
	}
	for _, file := range []string{"baseline", "restart-3", "restart-rows"} {
		add(Useless, file, "30 % of it", func(j []byte) []byte { return j[:len(j)*3/10] })
		add(Cut, file, "70 % of it", func(j []byte) []byte { return j[:len(j)*7/10] })
		add(Cut, file, "70 % of it, and zeros", func(j []byte) []byte { clear(j[len(j)*7/10:]); return j })
		add(Whole, file, "bytes before the end marker", func(j []byte) []byte { return insert(j, len(j)-2, junk(30)) })
		add(Whole, file, "scan parameters of a camera", func(j []byte) []byte {
			scan := bytes.Index(j, []byte{0xff, 0xda})
			j[scan+2+int(j[scan+3])-2] = 0 // the last coefficient of the band; a sequential scan has 63
			return j
		})
	}
	// Half of a progressive file has all of the picture, if not to the last bit.
	add(Cut, "progressive", "half of it", func(j []byte) []byte { return j[:len(j)/2] })
	add(Useless, "progressive", "20 % of it", func(j []byte) []byte { return j[:len(j)/5] })
	add(Whole, "restart-rows", "zeros before a restart marker", func(j []byte) []byte {
		return insert(j, bytes.Index(j, []byte{0xff, 0xd3}), make([]byte, 5))
	})
	add(Damaged, "restart-rows", "restart markers that count wrongly", func(j []byte) []byte {
		j[bytes.Index(j, []byte{0xff, 0xd3})+1] = 0xd5
		return j
	})
	add(Damaged, "restart-rows", "an interval missing", func(j []byte) []byte {
		return slices.Delete(j, bytes.Index(j, []byte{0xff, 0xd3}), bytes.Index(j, []byte{0xff, 0xd4}))
	})
	add(Whole, "baseline", "a frame of Motion JPEG, padded", func(j []byte) []byte { return insert(withoutTables(j), len(withoutTables(j))-2, make([]byte, 16)) })
	add(Damaged, "arithmetic", "70 % of it", func(j []byte) []byte { return j[:len(j)*7/10] })
	return all, nil
}

// junk is bytes that no marker is in.
func junk(length int) []byte {
	random := rand.New(rand.NewPCG(7, 7))
	out := make([]byte, length)
	for i := range out {
		out[i] = byte(1 + random.IntN(254))
	}
	return out
}

func insert(data []byte, at int, what []byte) []byte { return slices.Insert(data, at, what...) }

// withoutTables leaves the Huffman tables out, which are the standard's.
func withoutTables(jpeg []byte) []byte {
	var out []byte
	for {
		at := bytes.Index(jpeg, []byte{0xff, 0xc4})
		if at < 0 {
			return append(out, jpeg...)
		}
		out = append(out, jpeg[:at]...)
		jpeg = jpeg[at+2+int(jpeg[at+2])<<8+int(jpeg[at+3]):]
	}
}
