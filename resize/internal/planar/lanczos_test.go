package planar

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// lanczos is the kernel with three lobes.
func lanczos(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= 3 {
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}

// between is what stands at a place of a row, in samples from its left edge, if each of the new samples covers so many of the
// old ones. Outside of the row stands what would be in a mirror at its edge.
func between(row func(int) float64, length int, place, covers float64) float64 {
	wide := max(1, covers)
	sum, weights := 0.0, 0.0
	for i := int(place - 3*wide - 1); float64(i) < place+3*wide; i++ {
		mirrored := i
		if i < 0 {
			mirrored = -i - 1
		} else if i >= length {
			mirrored = 2*length - 1 - i
		}
		weight := lanczos((float64(i) + 0.5 - place) / wide)
		sum, weights = sum+weight*row(min(max(mirrored, 0), length-1)), weights+weight
	}
	return sum / weights
}

// What zimg computes in whole numbers is what the formula says, of noise, of each plane, and at any scale.
func TestResamplingIsLanczos(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	noise := func(_, _, _ int, _, _ float64) float64 { return 64 + 128*random.Float64() }
	for name, s := range map[string]sampling{"4:4:4": full, "4:2:0": half, "4:2:2": samplings["4:2:2"], "grey": grey} {
		for _, shrink := range []int{1, 2, 4} {
			for _, size := range [][2]int{{61, 47}, {100, 33}, {7, 5}, {203, 155}} {
				t.Run(fmt.Sprintf("%s at 1/%d to %d × %d", name, shrink, size[0], size[1]), func(t *testing.T) {
					large := decoded(t, baseline(203, 155, s, 0, noise), shrink)
					small := resizedTo(t, large, size[0], size[1], 1, Halved)
					from, to := samplesOf(large), samplesOf(small)
					for i := range to {
						every := min(1+i, 2)
						x := newStretch(large.c[i].width, large.c[i].across, size[0], 0, size[0], every, false)
						y := newStretch(large.c[i].height, large.c[i].down, size[1], 0, size[1], every, false)
						compare(t, i, from[i], to[i], x, y)
					}
				})
			}
		}
	}
}

func compare(t *testing.T, plane int, from, to [][]byte, x, y stretch) {
	t.Helper()
	acrossEach, downEach := x.length/float64(x.to), y.length/float64(y.to)
	for row := range to {
		for column := range to[row] {
			want := between(func(y int) float64 {
				return between(func(x int) float64 { return float64(from[y][x]) }, len(from[y]), x.start+(float64(column)+0.5)*acrossEach, acrossEach)
			}, len(from), y.start+(float64(row)+0.5)*downEach, downEach)
			if got := float64(to[row][column]); math.Abs(got-min(max(want, 0), 255)) > 1 {
				t.Fatalf("plane %d, (%d, %d): %v, want %.2f", plane, column, row, got, want)
			}
		}
	}
}
