package resize

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"s3resizer/resize/resizetest"
)

// codings are JPEGs of the same picture in every coding that is examined, by name.
func codings(t testing.TB) map[string][]byte {
	t.Helper()
	all, err := resizetest.Codings("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAWholeJPEGIsNotSuspected(t *testing.T) {
	for name, data := range codings(t) {
		if _, _, suspect, err := renderFile(data, limits, Spec{Sizes: standard, Formats: []Format{PNG}}, func(Rendition) {}); suspect || err != nil {
			t.Errorf("%s: suspected: %v, %v", name, suspect, err)
		}
	}
}

// mutations change a few bytes of a file from at on. Their names say how.
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

// If the decoder is not sure of a picture, but the examination lets it pass, it shows what the undamaged picture shows. The
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
	spec := Spec{Sizes: []Size{{Name: "all", Width: 203}}, Formats: []Format{PNG}}
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
				_, summary, suspect, err := renderFile(damaged, limits, spec, func(r Rendition) { got = r.Data })
				same := bytes.Equal(got, whole)
				switch {
				case errors.As(err, new(*Rejection)):
					rejected++
				case err != nil:
					t.Errorf("%s, %s at %d: %v", name, kind, at, err)
				case suspect && !same && at > headerLength(data) && at < len(data)-200: // damage near the end may look like harmless junk
					t.Errorf("%s, %s at %d of %d: it passed, and shows something else", name, kind, at, len(data))
				case suspect:
					passed++
				case same:
					unsuspected++
				default:
					unseen++
				}
				if summary.Truncated {
					t.Errorf("%s, %s at %d: truncated", name, kind, at)
				}
			}
		}
		t.Logf("%-12s %4d rejected, %4d examined and passed, %4d unharmed, %4d decoded to something else", kind, rejected, passed, unsuspected, unseen)
	}
}
