package main

import (
	"fmt"
	"math"
	"strings"

	"s3resizer/bench/corpus"
)

// markdown is the report for people.
func (r *Results) markdown() string {
	var b strings.Builder
	a := r.About
	fmt.Fprintf(&b, "# s3resizer against the handler that it replaces\n\n`%s`, %s, took %s, commit %s.\n%s. %s.\nMedians of %d (process starts: %d), all sides by turns in one run. Ratios are ours / the reference's; means are geometric.\n",
		a.Command, a.Date, a.Took, a.Commit, a.Machine, strings.Join(a.Versions, ", "), a.N, starts*a.N)
	r.writeTargets(&b)
	r.section(&b, "CPU per picture, compute only, from memory", "ms", cost(compute, cpu))
	r.section(&b, "Wall time, compute only, from memory", "ms", cost(compute, wall))
	r.section(&b, "Peak RSS, compute only, the file in memory", "MB", cost(compute, peak))
	r.writeLanes(&b)
	r.writeFloor(&b)
	r.section(&b, "Pictures a second, two at a time in one process", "", pairs)
	r.section(&b, "CPU per picture, whole handler, S3 on loopback", "ms", cost(loopback, cpu))
	r.section(&b, "Wall time to the last rendition, whole handler, S3 on loopback", "ms", cost(loopback, wall))
	r.section(&b, "Peak RSS, whole handler", "MB", cost(loopback, peak))
	r.section(&b, "Wall time to the last rendition, modelled S3, two cores", "ms", cost(twoCore, wall))
	r.section(&b, "Wall time to the last rendition, modelled S3, one core", "ms", cost(single, wall))
	r.writeRecord(&b)
	r.writeStarts(&b)
	r.writeBackfills(&b)
	r.section(&b, "Bytes out, the three renditions", "", bytesOut)
	r.writeQuality(&b)
	return b.String()
}

func (r *Results) writeTargets(b *strings.Builder) {
	b.WriteString("\n## Targets\n\n| | target | measured | | |\n|---|---|---|---|---|\n")
	for _, t := range r.targets() {
		verdict := "**not met**"
		switch {
		case t.unknown:
			verdict = "not measured"
		case t.met:
			verdict = "met"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", t.what, t.bound, t.value, verdict, t.note)
	}
}

// section has a line per picture and one for the mean of each class of several; it is left out when nothing was measured.
func (r *Results) section(b *strings.Builder, title, unit string, v value) {
	var lines strings.Builder
	for _, class := range r.classes() {
		rows := r.of(class)
		measured := 0
		for _, row := range rows {
			if math.IsNaN(v(row, oursName)) {
				continue
			}
			measured++
			line(&lines, row.Picture, v(row, oursName), v(row, inTurnName), v(row, atOnceName), "")
		}
		if measured > 1 {
			mean := func(side string) float64 {
				var values []float64
				for _, row := range rows {
					if x := v(row, side); !math.IsNaN(x) {
						values = append(values, x)
					}
				}
				return geometricMean(values)
			}
			line(&lines, fmt.Sprintf("%s, mean of %d", class, measured), mean(oursName), mean(inTurnName), mean(atOnceName), "**")
		}
	}
	if lines.Len() == 0 {
		return
	}
	if unit != "" {
		title += ", " + unit
	}
	fmt.Fprintf(b, "\n## %s\n\n| picture | ours | reference | ratio | Promise.all | ratio |\n|---|--:|--:|--:|--:|--:|\n%s", title, lines.String())
	if all := r.ratio(v, inTurnName, photos...); !math.IsNaN(all) {
		fmt.Fprintf(b, "| **all photos, mean** | | | **%.2f** | | %s |\n", all, number(r.ratio(v, atOnceName, photos...), 2, "**"))
	}
}

func line(b *strings.Builder, name string, ours, reference, atOnce float64, mark string) {
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", mark+name+mark, digits(ours), digits(reference), number(ours/reference, 2, mark), digits(atOnce), number(ours/atOnce, 2, mark))
}

// digits shows three figures or so.
func digits(v float64) string {
	if v < 20 {
		return number(v, 1, "")
	}
	return number(v, 0, "")
}

func number(v float64, decimals int, mark string) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%s%.*f%s", mark, decimals, v, mark)
}

func (r *Results) writeFloor(b *strings.Builder) {
	var lines strings.Builder
	for _, row := range r.Rows {
		if row.Floor > 0 {
			ours := row.Compute[oursName].CPU
			fmt.Fprintf(&lines, "| %s | %.0f | %.0f | %.2f |", row.Picture, ours, row.Floor, ours/row.Floor)
			if t := row.Vipsthumbnail; t != nil {
				fmt.Fprintf(&lines, " %.0f | %.2f |", t.CPU, ours/t.CPU)
			} else {
				lines.WriteString(" | |")
			}
			lines.WriteString("\n")
		}
	}
	if lines.Len() > 0 {
		fmt.Fprintf(b, "\n## CPU against the floor, ms\n\nThe floor: `djpeg -scale 1/2` to /dev/null and a plain `cjpeg -quality 80` of each of the three renditions' pixels, nothing resampled.\nvipsthumbnail (where it is installed): three times, once for each size.\n\n| picture | ours | floor | ratio | vipsthumbnail | ratio |\n|---|--:|--:|--:|--:|--:|\n%s", lines.String())
		if mean := r.againstFloor(); !math.IsNaN(mean) {
			fmt.Fprintf(b, "| **%s, mean** | | | **%.2f** | | |\n", corpus.Baseline, mean)
		}
	}
}

// writeLanes sets the two ways that a JPEG can go beside each other.
func (r *Results) writeLanes(b *strings.Builder) {
	var lines strings.Builder
	for _, row := range r.Rows {
		general, measured := row.Compute[generalName]
		if !measured || row.Format != "jpeg" {
			continue
		}
		ours := row.Compute[oursName]
		fmt.Fprintf(&lines, "| %s | %.0f | %.0f | %.2f | %.0f | %.0f |", row.Picture, ours.CPU, general.CPU, ours.CPU/general.CPU, ours.Peak, general.Peak)
		for _, size := range []string{"small", "medium", "large"} {
			fmt.Fprintf(&lines, " %+.2f |", row.Output[oursName][size].PSNR-row.Output[generalName][size].PSNR)
		}
		fmt.Fprintf(&lines, " %.3f |\n", bytesOut(row, oursName)/bytesOut(row, generalName))
	}
	if lines.Len() > 0 {
		fmt.Fprintf(b, "\n## JPEG on its planes, and through libvips (`RESIZE_PLANAR=off`)\n\nCPU in ms, peak RSS in MB, PSNR in dB more than libvips's.\n\n| picture | planes, CPU | libvips, CPU | ratio | planes, RSS | libvips, RSS | small | medium | large | bytes |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n%s", lines.String())
	}
}

func (r *Results) writeRecord(b *strings.Builder) {
	var lines strings.Builder
	for _, row := range r.Rows {
		if two, ok := row.TwoCores[oursName]; ok {
			one := row.OneCore[oursName]
			fmt.Fprintf(&lines, "| %s | %.0f | %.0f | %.0f | %.0f |\n", row.Picture, two.Wall, two.Record, one.Wall, one.Record)
		}
	}
	if lines.Len() > 0 {
		fmt.Fprintf(b, "\n## Our commit record, modelled S3, ms\n\n| picture | renditions, two cores | record | renditions, one core | record |\n|---|--:|--:|--:|--:|\n%s", lines.String())
	}
}

func (r *Results) writeStarts(b *strings.Builder) {
	if len(r.Starts) == 0 {
		return
	}
	b.WriteString("\n## Cold start, ms\n\nFrom the start of the process, its files in the page cache, to its first poll of the Runtime API, and to the last rendition of a picture that waited for it.\n\n| | first `/next` | ratio | first picture | ratio |\n|---|--:|--:|--:|--:|\n")
	ours, _ := r.start(oursName)
	for _, s := range r.Starts {
		fmt.Fprintf(b, "| %s | %.1f | %.3f | %.0f | %.2f |\n", s.Side, s.FirstPoll, ours.FirstPoll/s.FirstPoll, s.FirstPicture, ours.FirstPicture/s.FirstPicture)
	}
}

func (r *Results) writeBackfills(b *strings.Builder) {
	if len(r.Backfills) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Backfill, pictures a second\n\nA bucket with %d photos, JPEGs of 6 to 24 megapixels, two at a time, S3 on loopback: `s3resizer backfill --jobs 2` against the reference's handler in a loop with two workers, from the start of the command to its end.\n\n| | pictures a second | ratio |\n|---|--:|--:|\n", r.Backfills[0].Pictures)
	ours := r.backfill(oursName)
	for _, s := range r.Backfills {
		fmt.Fprintf(b, "| %s | %.1f | %.2f |\n", s.Side, s.PerSecond, ours/s.PerSecond)
	}
}

// backfill is a side's pictures a second, NaN where that was not measured.
func (r *Results) backfill(side string) float64 {
	for _, b := range r.Backfills {
		if b.Side == side {
			return b.PerSecond
		}
	}
	return math.NaN()
}

func (r *Results) writeQuality(b *strings.Builder) {
	var lines strings.Builder
	for _, row := range r.Rows {
		for _, size := range []string{"small", "medium", "large"} {
			ours, measured := row.Output[oursName][size]
			if !measured {
				continue
			}
			reference := row.Output[inTurnName][size]
			fmt.Fprintf(&lines, "| %s | %s | %.2f | %.2f | %+.2f | %.4f | %.4f | %d | %d | %.3f |\n", row.Picture, size,
				ours.PSNR, reference.PSNR, ours.PSNR-reference.PSNR, ours.SSIM, reference.SSIM, ours.Bytes, reference.Bytes, float64(ours.Bytes)/float64(reference.Bytes))
		}
	}
	if lines.Len() > 0 {
		fmt.Fprintf(b, "\n## Quality against a full decode and one Lanczos step\n\n| picture | size | PSNR ours, dB | reference | | SSIM ours | reference | bytes ours | reference | ratio |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n%s", lines.String())
	}
}

// classes are those of the pictures, in the order of the pictures.
func (r *Results) classes() []corpus.Class {
	var out []corpus.Class
	seen := map[corpus.Class]bool{}
	for _, row := range r.Rows {
		if !seen[row.Class] {
			seen[row.Class] = true
			out = append(out, row.Class)
		}
	}
	return out
}

func (r *Results) of(class corpus.Class) []*Row {
	var out []*Row
	for _, row := range r.Rows {
		if row.Class == class {
			out = append(out, row)
		}
	}
	return out
}
