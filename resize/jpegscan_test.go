package resize

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// codings are JPEGs of the same picture in every coding that is examined, by name.
func codings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/jpeg/*.jpg")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	out := map[string][]byte{}
	for _, file := range append(files, "testdata/colour/cmyk.jpg") {
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
		found := examineJPEG(t.Context(), data, somePixels)
		if found.damage != nil || found.cut || found.rows != found.height || found.height < 100 {
			t.Errorf("%s: %+v", name, found.damage)
		}
		if _, suspect, err := renderFile(data, limits, Spec{Sizes: standard, Formats: []Format{PNG}}, func(Rendition) {}); suspect || err != nil {
			t.Errorf("%s: suspected: %v, %v", name, suspect, err)
		}
	}
}

func TestWhereAJPEGIsCutShort(t *testing.T) {
	loopsOverPixels(t)
	for name, data := range codings(t) {
		rows := 0
		for length := 2; length < len(data)-2; length += 1 + length%29 {
			found := examineJPEG(t.Context(), data[:length], somePixels)
			if found.damage != nil || !found.cut || found.rows < rows {
				t.Fatalf("%s, %d of %d bytes: cut short %v at %d after %d, damage: %v", name, length, len(data), found.cut, found.rows, rows, found.damage)
			}
			rows = found.rows
		}
		if rows < 100 {
			t.Errorf("%s: without its last bytes it has %d rows", name, rows)
		}
		if found := examineJPEG(t.Context(), data[:len(data)-2], somePixels); found.cut || found.damage != nil {
			t.Errorf("%s: without an end marker it is not whole: %+v", name, found.damage)
		}
	}
}

// mutations of a file, by name: from at on, a few bytes that random chooses.
var mutations = map[string]func(random *rand.Rand, file []byte, at int) []byte{
	"a bit": func(random *rand.Rand, file []byte, at int) []byte { file[at] ^= 1 << random.IntN(8); return file },
	"noise": func(random *rand.Rand, file []byte, at int) []byte { return noise(random, file, at, 1+random.IntN(64)) },
	"zeros": func(random *rand.Rand, file []byte, at int) []byte {
		clear(file[at:min(len(file), at+1+random.IntN(300))])
		return file
	},
	"bytes lost": func(random *rand.Rand, file []byte, at int) []byte {
		return slices.Delete(file, at, min(len(file), at+1+random.IntN(99)))
	},
	"bytes gained": func(random *rand.Rand, file []byte, at int) []byte {
		return slices.Insert(file, at, noise(random, make([]byte, 20), 0, 20)...)
	},
	"bytes twice": func(random *rand.Rand, file []byte, at int) []byte {
		return slices.Insert(file, at, bytes.Clone(file[at:min(len(file), at+1+random.IntN(200))])...)
	},
}

func noise(random *rand.Rand, file []byte, at, length int) []byte {
	for i := at; i < min(len(file), at+length); i++ {
		file[i] = byte(random.IntN(256))
	}
	return file
}

// A picture that the decoder suspects, and that the examination lets pass, shows what the undamaged one shows. The
// number of mutations of each file and kind is in S3RESIZER_TEST_MUTATIONS.
func TestWhatPassesTheExaminationIsUndamaged(t *testing.T) {
	loopsOverPixels(t)
	rounds := 4
	if text := os.Getenv("S3RESIZER_TEST_MUTATIONS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	files := codings(t)
	spec := Spec{Sizes: []Size{{"all", 203}}, Formats: []Format{PNG}}
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range slices.Sorted(maps.Keys(mutations)) {
		rejected, passed, unsuspected, unseen := 0, 0, 0, 0
		for _, name := range slices.Sorted(maps.Keys(files)) {
			data := files[name]
			var whole, got []byte
			if _, err := tryRender(data, spec, func(r Rendition) { whole = r.Data }); err != nil {
				t.Fatal(err)
			}
			for range rounds {
				at := 2 + random.IntN(len(data)-4)
				damaged := mutations[kind](random, bytes.Clone(data), at)
				source, suspect, err := renderFile(damaged, limits, spec, func(r Rendition) { got = r.Data })
				same := bytes.Equal(got, whole)
				switch {
				case errors.As(err, new(*Rejection)):
					rejected++
				case err != nil:
					t.Errorf("%s, %s at %d: %v", name, kind, at, err)
				case suspect && !same && at > headerLength(data) && at < len(data)-200: // what is damaged in the end may look like junk
					t.Errorf("%s, %s at %d of %d: it passed, and shows something else", name, kind, at, len(data))
				case suspect:
					passed++
				case same:
					unsuspected++
				default:
					unseen++
				}
				if source != nil && source.Truncated {
					t.Errorf("%s, %s at %d: truncated", name, kind, at)
				}
			}
		}
		t.Logf("%-12s %4d rejected, %4d examined and passed, %4d unharmed, %4d decoded to something else", kind, rejected, passed, unsuspected, unseen)
	}
}

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
