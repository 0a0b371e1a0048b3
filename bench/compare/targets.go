package main

import (
	"fmt"
	"math"
	"slices"

	"s3resizer/bench/corpus"
)

// target is what was to be reached.
type target struct {
	what    string
	bound   string // as text
	value   string // as text, "–" where it was not measured
	met     bool
	unknown bool
	note    string
}

// atMost and atLeast judge the value as it was measured, not as it is printed.
func atMost(what string, value, bound float64, unit, note string) target {
	return judged(what, value, value <= bound, "≤ "+short(bound)+unit, unit, note)
}

func atLeast(what string, value, bound float64, unit, note string) target {
	return judged(what, value, value >= bound, "≥ "+short(bound)+unit, unit, note)
}

func judged(what string, value float64, met bool, bound, unit, note string) target {
	if math.IsNaN(value) {
		return target{what: what, bound: bound, value: "–", unknown: true}
	}
	return target{what: what, bound: bound, value: short(value) + unit, met: met, note: note}
}

func short(v float64) string {
	switch {
	case math.Abs(v) >= 20:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// targets are ratios to the reference, geometric means over the pictures, unless they say something else.
func (r *Results) targets() []target {
	toReference := func(v value, classes ...corpus.Class) float64 { return r.ratio(v, inTurnName, classes...) }
	computeCPU, computeWall := cost(compute, cpu), cost(compute, wall)
	baselineOnly := func(v value) string {
		return fmt.Sprintf("over all photos; baseline JPEG alone %s", short(toReference(v, corpus.Baseline)))
	}
	recordLater := func(part func(*Row) map[string]Cost) float64 {
		until := func(row *Row, side string) float64 {
			if side == oursName {
				return cost(part, record)(row, side)
			}
			return cost(part, wall)(row, side)
		}
		return toReference(until, photos...) - toReference(cost(part, wall), photos...)
	}
	ours, _ := r.start(oursName)
	reference, _ := r.start(inTurnName)
	return []target{
		atMost("CPU, baseline JPEG 9–24 MP", toReference(computeCPU, corpus.Baseline), 0.30, "", ""),
		atMost("wall, compute only, baseline JPEG", toReference(computeWall, corpus.Baseline), 0.28, "", ""),
		atMost("CPU, progressive JPEG", toReference(computeCPU, corpus.Progressive), 0.30, "", ""),
		atMost("wall, WebP", toReference(computeWall, corpus.WebP), 0.35, "", "WebP in and out"),
		atMost("wall, PNG photo", toReference(computeWall, corpus.PNGPhoto), 0.45, "", ""),
		atMost("wall, PNG artwork with alpha", toReference(computeWall, corpus.PNGArtwork), 0.50, "", ""),
		atMost("wall, whole handler, modelled S3, to the last rendition, two cores", toReference(cost(twoCore, wall), photos...), 0.30, "", baselineOnly(cost(twoCore, wall))),
		atMost("the same on one core", toReference(cost(single, wall), photos...), 0.32, "", baselineOnly(cost(single, wall))),
		atMost("the record after the last rendition, two cores", recordLater(twoCore), 0.05, "", ""),
		atMost("the record after the last rendition, one core", recordLater(single), 0.05, "", ""),
		atMost("CPU, 6 MP low-detail JPEG", toReference(computeCPU, corpus.LowDetail), 0.40, "", ""),
		r.memory("peak RSS, 9 MP baseline JPEG", "jpeg-9mp", 55),
		r.memory("peak RSS, 24 MP baseline JPEG", "jpeg-24mp", 70),
		r.memory("peak RSS, 100 MP baseline JPEG", "jpeg-100mp", 80),
		r.memory("peak RSS, 9 MP progressive JPEG", "progressive-9mp", 110),
		atMost("CPU against the floor, baseline JPEG", r.againstFloor(), 1.10, "", ""),
		atMost("process start to first /next", ours.FirstPoll/reference.FirstPoll, 0.07, "", fmt.Sprintf("%.1f ms against %.0f ms", ours.FirstPoll, reference.FirstPoll)),
		atLeast("pictures a second, two at a time, one process, baseline JPEG", toReference(pairs, corpus.Baseline), 3, " ×", ""),
		atLeast("backfill, pictures a second, two at a time, listing included", r.backfill(oursName)/r.backfill(inTurnName), 2.8, " ×", ""),
		r.worst(atMost, "bytes out, the worst set of JPEGs or PNGs", 1.02, "", func(row *Row) float64 {
			if row.Class == corpus.WebP || row.Class.Animated() {
				return math.NaN()
			}
			return bytesOut(row, oursName) / bytesOut(row, inTurnName)
		}),
		r.worst(atLeast, "PSNR over the reference's, small and medium, the worst JPEG", 0, " dB", func(row *Row) float64 { return psnrGain(row, "small", "medium") }),
		r.worst(atLeast, "PSNR over the reference's, large, the worst JPEG", -0.25, " dB", func(row *Row) float64 { return psnrGain(row, "large") }),
		r.worst(atLeast, "PSNR, no load shrink, nothing lost in encoding: the worst PNG", 39, " dB", func(row *Row) float64 {
			if row.Format != "png" || row.Class == corpus.FewColors || row.Output == nil { // few colors lose a little: 38 dB are left
				return math.NaN()
			}
			least := math.Inf(1)
			for _, output := range row.Output[oursName] {
				least = min(least, output.PSNR)
			}
			return least
		}),
	}
}

// memory is judged by the function itself, which streams its source; what computes from memory holds the file as well.
func (r *Results) memory(what, picture string, bound float64) target {
	handler, inMemory, first := math.NaN(), math.NaN(), math.NaN()
	for _, row := range r.Rows {
		if row.Picture == picture {
			handler, inMemory = cost(loopback, peak)(row, oursName), cost(compute, peak)(row, oursName)
			first = cost(loopback, func(c Cost) float64 { return c.First })(row, oursName)
		}
	}
	return atMost(what, handler, bound, " MB", fmt.Sprintf("the function; %.0f after its first picture; %.0f computing from a file in memory", first, inMemory))
}

func (r *Results) againstFloor() float64 {
	var ratios []float64
	for _, row := range r.Rows {
		if row.Class == corpus.Baseline && row.Floor > 0 {
			ratios = append(ratios, row.Compute[oursName].CPU/row.Floor)
		}
	}
	return geometricMean(ratios)
}

// psnrGain is the least that ours is above the reference, in dB, NaN for what is not a JPEG.
func psnrGain(row *Row, sizes ...string) float64 {
	if row.Format != "jpeg" || row.Output == nil {
		return math.NaN()
	}
	least := math.Inf(1)
	for _, size := range sizes {
		least = min(least, row.Output[oursName][size].PSNR-row.Output[inTurnName][size].PSNR)
	}
	return least
}

// worst judges the row that is farthest on the wrong side, and names it.
func (r *Results) worst(judge func(string, float64, float64, string, string) target, what string, bound float64, unit string, of func(*Row) float64) target {
	rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row *Row) bool { return math.IsNaN(of(row)) })
	if len(rows) == 0 {
		return judge(what, math.NaN(), bound, unit, "")
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return sign(of(a) - of(b)) })
	low, high := rows[0], rows[len(rows)-1]
	for _, row := range []*Row{low, high} {
		if t := judge(what, of(row), bound, unit, row.Picture); !t.met {
			return t
		}
	}
	if judge("", bound+1, bound, "", "").met { // more is better
		return judge(what, of(low), bound, unit, low.Picture)
	}
	return judge(what, of(high), bound, unit, high.Picture)
}

func sign(v float64) int {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	default:
		return 0
	}
}
