package main

import (
	"bytes"
	"fmt"
	"math"
	"text/template"

	"s3resizer/bench/corpus"
)

// bars are one group of the chart: the sides relative to the reference.
type bars struct {
	Label        string
	Top          int
	Ours, AtOnce float64 // 0 where it was not measured
}

const (
	groupHeight = 58
	chartTop    = 52
	barsLeft    = 330
	fullWidth   = 350 // of the reference's bars
)

// chart draws the headline numbers as SVG, readable on light and on dark ground.
func (r *Results) chart() []byte {
	var groups []bars
	add := func(label string, v value, classes ...corpus.Class) {
		ours := r.ratio(v, inTurnName, classes...)
		if math.IsNaN(ours) {
			return
		}
		g := bars{Label: label, Top: chartTop + groupHeight*len(groups), Ours: ours}
		if other := r.ratio(v, atOnceName, classes...); !math.IsNaN(other) {
			g.AtOnce = ours / other
		}
		groups = append(groups, g)
	}
	add("CPU, JPEG photo of 9–24 MP", cost(compute, cpu), corpus.Baseline)
	add("CPU, progressive JPEG", cost(compute, cpu), corpus.Progressive)
	add("CPU, PNG photo", cost(compute, cpu), corpus.PNGPhoto)
	add("time until the renditions are in S3, two cores", cost(twoCore, wall), photos...)
	add("the same, one core", cost(single, wall), photos...)
	add("peak memory, JPEG photo", cost(loopback, peak), corpus.Baseline)
	add("peak memory, progressive JPEG", cost(loopback, peak), corpus.Progressive)
	ours, _ := r.start(oursName)
	if reference, measured := r.start(inTurnName); measured {
		groups = append(groups, bars{Label: "process start to first poll", Top: chartTop + groupHeight*len(groups), Ours: ours.FirstPoll / reference.FirstPoll})
	}
	var out bytes.Buffer
	err := svg.Execute(&out, map[string]any{"Groups": groups, "Height": chartTop + groupHeight*len(groups) + 8, "Full": fullWidth, "Left": barsLeft})
	if err != nil {
		panic(fmt.Errorf("the chart's template does not fit its data: %w", err))
	}
	return out.Bytes()
}

var svg = template.Must(template.New("chart").Funcs(template.FuncMap{
	"width":   func(ratio float64) string { return fmt.Sprintf("%.1f", ratio*fullWidth) },
	"textAt":  func(ratio float64) string { return fmt.Sprintf("%.1f", barsLeft+ratio*fullWidth+6) },
	"percent": func(ratio float64) string { return fmt.Sprintf("%.0f %%", ratio*100) },
	"add":     func(a, b int) int { return a + b },
}).Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 812 {{.Height}}" width="812" height="{{.Height}}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="s3resizer relative to the Node.js handler that it replaces">
<style>
text { fill: #3d444d }
.ours { fill: #1f6feb } .once { fill: #a371b5 } .reference { fill: #8c959f }
.number { font-size: 11px }
@media (prefers-color-scheme: dark) { text { fill: #d1d7e0 } .ours { fill: #4493f8 } .once { fill: #b083c9 } .reference { fill: #6e7681 } }
</style>
<rect class="ours" x="{{.Left}}" y="14" width="12" height="12"/><text x="{{add .Left 17}}" y="24">s3resizer</text>
<rect class="once" x="{{add .Left 100}}" y="14" width="12" height="12"/><text x="{{add .Left 117}}" y="24">sharp, Promise.all</text>
<rect class="reference" x="{{add .Left 255}}" y="14" width="12" height="12"/><text x="{{add .Left 272}}" y="24">sharp, one size after the other</text>
{{range .Groups}}<text x="{{add $.Left -12}}" y="{{add .Top 24}}" text-anchor="end">{{.Label}}</text>
<rect class="ours" x="{{$.Left}}" y="{{.Top}}" width="{{width .Ours}}" height="15"/><text class="number" x="{{textAt .Ours}}" y="{{add .Top 12}}">{{percent .Ours}}</text>
{{if .AtOnce}}<rect class="once" x="{{$.Left}}" y="{{add .Top 17}}" width="{{width .AtOnce}}" height="11"/><text class="number" x="{{textAt .AtOnce}}" y="{{add .Top 27}}">{{percent .AtOnce}}</text>
{{end}}<rect class="reference" x="{{$.Left}}" y="{{add .Top 30}}" width="{{$.Full}}" height="11"/>
{{end}}</svg>
`))
