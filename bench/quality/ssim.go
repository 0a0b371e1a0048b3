package quality

import "math"

// The window and the constants of Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility
// to Structural Similarity" (2004), for samples of 0 to 255.
const (
	radius = 5
	sigma  = 1.5
	c1     = (0.01 * 255) * (0.01 * 255)
	c2     = (0.03 * 255) * (0.03 * 255)
)

// ssim is the mean structural similarity of two pictures of one channel.
func ssim(a, b []float64, width, height int) float64 {
	product := func(x, y []float64) []float64 {
		out := make([]float64, len(x))
		for i := range x {
			out[i] = x[i] * y[i]
		}
		return blur(out, width, height)
	}
	meanA, meanB := blur(a, width, height), blur(b, width, height)
	aa, bb, ab := product(a, a), product(b, b), product(a, b)
	sum := 0.0
	for i := range aa {
		mm := meanA[i] * meanB[i]
		squares := meanA[i]*meanA[i] + meanB[i]*meanB[i]
		sum += (2*mm + c1) * (2*(ab[i]-mm) + c2) / ((squares + c1) * (aa[i] + bb[i] - squares + c2))
	}
	return sum / float64(len(aa))
}

// window is a normal distribution's share of each neighbor.
var window = func() (w [2*radius + 1]float64) {
	sum := 0.0
	for i := range w {
		w[i] = math.Exp(-float64((i-radius)*(i-radius)) / (2 * sigma * sigma))
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}()

// blur weighs every sample's neighborhood; edge samples are repeated beyond the edges.
func blur(in []float64, width, height int) []float64 {
	across, out := make([]float64, len(in)), make([]float64, len(in))
	for y := range height {
		for x := range width {
			for k, weight := range window {
				across[y*width+x] += weight * in[y*width+min(max(x+k-radius, 0), width-1)]
			}
		}
	}
	for y := range height {
		for k, weight := range window {
			row := across[min(max(y+k-radius, 0), height-1)*width:]
			for x := range width {
				out[y*width+x] += weight * row[x]
			}
		}
	}
	return out
}
