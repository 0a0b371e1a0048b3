package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Four bytes at a time or one: the bits are the same, up to the same end.
func TestBitsAreTheDataWithoutItsStuffing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		data := make([]byte, random.IntN(40))
		for i := range data {
			data[i] = []byte{0, 0xff, 0xff, byte(random.Uint32()), byte(random.Uint32())}[random.IntN(5)]
		}
		var want []byte // the bits, a byte each
		for rest := data; len(rest) > 0; {
			value, after := rest[0], rest[1:]
			if value == 0xff {
				for bytes.HasPrefix(after, []byte{0xff}) {
					after = after[1:]
				}
				if len(after) == 0 || after[0] != 0 {
					break
				}
				after = after[1:]
			}
			for bit := 7; bit >= 0; bit-- {
				want = append(want, value>>bit&1)
			}
			rest = after
		}
		reader := bitReader{data: data}
		var got []byte
		for {
			count := min(1+random.IntN(16), max(1, len(want)-len(got)))
			bits, ok := reader.take(count)
			if !ok {
				break
			}
			for bit := count - 1; bit >= 0; bit-- {
				got = append(got, byte(bits>>bit&1))
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("% x: %d, want %d", data, got, want)
		}
	}
}
