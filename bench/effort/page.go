package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"text/template"
)

const begin, end = "<!-- measured -->\n", "<!-- /measured -->\n"

// fill puts the table between the page's marks.
func fill(page string, table []byte) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	head, rest, found := bytes.Cut(old, []byte(begin))
	_, tail, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		return fmt.Errorf("%s: no %q and %q to write between", page, begin, end)
	}
	return os.WriteFile(page, bytes.Join([][]byte{head, []byte(begin), table, []byte(end), tail}, nil), 0o644)
}

func table(rows []row) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, "| | effort | CPU, s | bytes, kB | PSNR, dB | SSIM |\n|---|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		mark := ""
		if r.chosen {
			mark = "**"
		}
		fmt.Fprintf(&b, "| %s%s, %s%s | %s%d%s | %.2f | %.0f | %s | %.4f |\n", mark, r.format, r.what, mark, mark, r.effort, mark, r.cpu.Seconds(), r.bytes/1000, decibels(r.psnr), r.ssim)
	}
	return b.Bytes()
}

func decibels(psnr float64) string {
	if math.IsInf(psnr, 1) {
		return "equal"
	}
	return fmt.Sprintf("%.2f", psnr)
}

// panel is one part of the chart: bytes over CPU time, both relative to the default effort, time in powers of two.
type panel struct {
	Left   int
	Title  string
	Points []point
}

type point struct {
	X, Y   float64
	Effort int
	Chosen bool
}

const (
	side = 190 // pixels of a panel
	gap  = 30
)

func chart(rows []row) []byte {
	var panels []panel
	var chosen row
	for _, r := range rows {
		title := fmt.Sprintf("%s, %s", r.format, r.what)
		if len(panels) == 0 || panels[len(panels)-1].Title != title {
			panels = append(panels, panel{Left: gap + len(panels)*(side+gap), Title: title})
			for _, other := range rows {
				if other.chosen && other.format == r.format && other.what == r.what {
					chosen = other
				}
			}
		}
		p := &panels[len(panels)-1]
		octaves := math.Log2(r.cpu.Seconds() / chosen.cpu.Seconds())
		p.Points = append(p.Points, point{
			X: side/2 + octaves*side/10, Y: side/2 - 20 - (r.bytes/chosen.bytes-1)*side, Effort: r.effort, Chosen: r.chosen,
		})
	}
	var out bytes.Buffer
	if err := svg.Execute(&out, map[string]any{"Panels": panels, "Width": gap + len(panels)*(side+gap), "Side": side}); err != nil {
		panic(fmt.Errorf("the chart's template does not fit its data: %w", err))
	}
	return out.Bytes()
}

var svg = template.Must(template.New("chart").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} 260" width="{{.Width}}" height="260" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Bytes over CPU time for each encoder's efforts">
<style>
text { fill: #3d444d } .axis { stroke: #8c959f } .dot { fill: #8c959f } .chosen { fill: #1f6feb }
@media (prefers-color-scheme: dark) { text { fill: #d1d7e0 } .axis { stroke: #6e7681 } .dot { fill: #6e7681 } .chosen { fill: #4493f8 } }
</style>
{{range .Panels}}<g transform="translate({{.Left}},30)"><text x="0" y="-10">{{.Title}}</text>
<line class="axis" x1="0" y1="{{$.Side}}" x2="{{$.Side}}" y2="{{$.Side}}"/><line class="axis" x1="0" y1="0" x2="0" y2="{{$.Side}}"/>
{{range .Points}}<circle class="{{if .Chosen}}chosen{{else}}dot{{end}}" cx="{{printf "%.1f" .X}}" cy="{{printf "%.1f" .Y}}" r="4"/><text x="{{printf "%.1f" .X}}" y="{{printf "%.1f" .Y}}" dx="6" dy="-5">{{.Effort}}</text>
{{end}}</g>
{{end}}<text x="{{.Width}}" y="252" text-anchor="end" dx="-10">right: more CPU time, 19 pixels a doubling · up: more bytes, 19 pixels for 10 % · blue: the default</text>
</svg>
`))
