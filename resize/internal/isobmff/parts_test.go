package isobmff

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"s3resizer/resize/internal/rejection"
	"s3resizer/resize/resizetest"
)

// In the first such file, one tile of a grid was the grid itself. libheif 1.15 started threads until the system gave it no more,
// which ended the process. As bad are a ring, an alpha whose alpha is itself, twenty grids of which each consists of the next
// one twice, and a chain of thousands.
func TestAPictureIsNotMadeOfItself(t *testing.T) {
	var doubling [][]uint32
	for id := uint32(1); id < 21; id++ {
		doubling = append(doubling, []uint32{id, id + 1, id + 1})
	}
	var chain [][]uint32
	for id := uint32(1); id < 5000; id++ {
		chain = append(chain, []uint32{id, id + 1})
	}
	wide := [][]uint32{{1}, {2}}
	for range 600 {
		wide[0], wide[1] = append(wide[0], 2), append(wide[1], 3)
	}
	for name, c := range map[string]struct {
		kind   string
		lists  [][]uint32 // from, to…
		passes bool
	}{
		"a grid":                 {"dimg", [][]uint32{{1, 2, 3, 4}}, true},
		"a grid in two others":   {"dimg", [][]uint32{{1, 2, 3}, {4, 1}, {5, 1}}, true},
		"alpha":                  {"auxl", [][]uint32{{2, 1}, {3, 1}}, true},
		"a thumbnail of its own": {"thmb", [][]uint32{{1, 1}}, true},
		"itself":                 {"dimg", [][]uint32{{1, 4, 2, 3, 1}}, false},
		"a ring":                 {"dimg", [][]uint32{{7, 8}, {1, 2}, {2, 3}, {3, 1}}, false},
		"its own alpha":          {"auxl", [][]uint32{{1, 1}}, false},
		"too many":               {"dimg", doubling, false},
		"a long chain":           {"dimg", chain, false},
		"600 times 600":          {"dimg", wide, false},
	} {
		for version := range byte(2) {
			file := heifWith(version, c.kind, c.lists)
			err := Check(file, "heic")
			if (err == nil) != c.passes {
				t.Errorf("%s, version %d: %v", name, version, err)
			}
			if refused := (*rejection.Rejection)(nil); err != nil && (!errors.As(err, &refused) || refused.Class != rejection.Corrupt || !strings.Contains(refused.Reason, "made of itself")) {
				t.Errorf("%s: %v", name, err)
			}
			for n := range min(len(file), 500) { // whatever is damaged, nothing panics
				_ = Check(file[:n], "heic")
				broken := append([]byte{}, file...)
				broken[n] ^= 0xff
				_ = Check(broken, "heic")
			}
		}
	}
	for _, p := range resizetest.Pictures() {
		if p.Shows != nil && p.Shows.Format == "avif" {
			if err := Check(p.Data, "avif"); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
			all := uint64(0)
			for e := range extents(box(p.Data, "meta", 4)) {
				all += e.length
			}
			if all == 0 || all > uint64(len(p.Data)) { // a quarter of the limit
				t.Errorf("%s: items of %d bytes, of %d in the file", p.Name, all, len(p.Data))
			}
		}
	}
}

// heifWith returns as much of a file with such references as Check looks at, after a box whose length has 64 bits.
func heifWith(version byte, kind string, lists [][]uint32) []byte {
	id := func(to []byte, id uint32) []byte {
		if version > 0 {
			return binary.BigEndian.AppendUint32(to, id)
		}
		return binary.BigEndian.AppendUint16(to, uint16(id))
	}
	references := []byte{version, 0, 0, 0}
	for _, list := range lists {
		content := binary.BigEndian.AppendUint16(id(nil, list[0]), uint16(len(list)-1))
		for _, to := range list[1:] {
			content = id(content, to)
		}
		references = append(references, boxed(kind, content)...)
	}
	file := append(binary.BigEndian.AppendUint32(nil, 1), "mdat\x00\x00\x00\x00\x00\x00\x00\x12ab"...)
	return append(file, boxed("meta", append([]byte{0, 0, 0, 0}, boxed("iref", references)...))...)
}

func boxed(name string, content []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(content))), name...), content...)
}

// Four items of all of a file pass, though nobody writes them. A hundred that have the same megabyte thirty times take gigabytes.
func TestItemsAreNotMadeOfTheSameBytes(t *testing.T) {
	const size = 1 << 16
	for extents, passes := range map[int]bool{1: true, 4: true, 5: false, 3000: false} {
		items := binary.BigEndian.AppendUint16([]byte("\x00\x00\x00\x00\x44\x00"), uint16(extents))
		for item := range extents {
			items = binary.BigEndian.AppendUint16(items, uint16(item))
			items = binary.BigEndian.AppendUint32(append(items, 0, 0, 0, 1), 0)
			items = binary.BigEndian.AppendUint32(items, size)
		}
		file := append(boxed("meta", append([]byte{0, 0, 0, 0}, boxed("iloc", items)...)), make([]byte, size)...)
		refused := (*rejection.Rejection)(nil)
		if err := Check(file, "avif"); errors.As(err, &refused) == passes {
			t.Errorf("%d items: %v", extents, err)
		}
	}
}

// A hundred thousand items of 65,535 extents each, which take no bytes, would be counted for ten seconds and more.
func TestExtentsOfNoBytesAreNotCounted(t *testing.T) {
	const all = 100_000
	items := append([]byte("\x02\x00\x00\x00\x00\x40"), binary.BigEndian.AppendUint32(nil, all)...)
	for range all {
		items = append(items, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff) // number, method, this file, base, extents
	}
	seen := 0
	for range extents(boxed("iloc", items)) {
		seen++
	}
	if seen != all {
		t.Errorf("%d extents of %d items", seen, all)
	}
}
