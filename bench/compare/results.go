package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"s3resizer/bench/corpus"
	"s3resizer/resize"
)

// Results are what a run has measured.
type Results struct {
	About     About
	Rows      []*Row
	Starts    []Start    `json:",omitempty"`
	Backfills []Backfill `json:",omitempty"`
}

// Row is what was measured with one picture. Maps are by side; what was not measured is left out.
type Row struct {
	Picture       string
	Class         corpus.Class
	Format        resize.Format
	Width, Height int
	Bytes         int

	Compute       map[string]Cost              `json:",omitempty"` // from memory to memory
	Loopback      map[string]Cost              `json:",omitempty"` // whole handler, S3 on this machine
	TwoCores      map[string]Cost              `json:",omitempty"` // whole handler, modelled S3
	OneCore       map[string]Cost              `json:",omitempty"` // the same, pinned
	Pairs         map[string]float64           `json:",omitempty"` // pictures a second, two at a time
	Output        map[string]map[string]Output `json:",omitempty"` // by side and size
	Floor         float64                      `json:",omitempty"` // CPU ms
	Vipsthumbnail *Cost                        `json:",omitempty"`
}

// Output is one rendition.
type Output struct {
	Bytes int
	PSNR  float64 // dB, against the full decode and one Lanczos step; equal for equal pictures
	SSIM  float64
}

// equal is a PSNR that JSON can hold, unlike infinity.
const equal = 99

func newRow(ctx context.Context, p corpus.Picture) (*Row, error) {
	file, err := os.ReadFile(p.Path)
	if err != nil {
		return nil, err
	}
	source, err := resize.Open(ctx, bytes.NewReader(file), resize.Limits{MaxPixels: math.MaxInt32, MaxFrames: math.MaxInt32, MaxMemory: math.MaxInt64})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return &Row{Picture: p.Name, Class: p.Class, Format: source.Format, Width: source.Width, Height: source.Height, Bytes: len(file)}, nil
}

// save writes the results into a folder, for people, programs and the README.
func (r *Results) save(folder string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"compare.json": append(data, '\n'), "compare.md": []byte(r.markdown()), "compare.svg": r.chart()}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(folder, name), files[name], 0o644); err != nil {
			return fmt.Errorf("save the results: %w", err)
		}
	}
	return nil
}

// value picks one number of a side from a row, NaN where it was not measured.
type value func(row *Row, side string) float64

func cost(part func(*Row) map[string]Cost, of func(Cost) float64) value {
	return func(row *Row, side string) float64 {
		if c, ok := part(row)[side]; ok {
			return of(c)
		}
		return math.NaN()
	}
}

func compute(r *Row) map[string]Cost  { return r.Compute }
func loopback(r *Row) map[string]Cost { return r.Loopback }
func twoCore(r *Row) map[string]Cost  { return r.TwoCores }
func single(r *Row) map[string]Cost   { return r.OneCore }

func cpu(c Cost) float64    { return c.CPU }
func wall(c Cost) float64   { return c.Wall }
func record(c Cost) float64 { return c.Record }
func peak(c Cost) float64   { return c.Peak }

func pairs(r *Row, side string) float64 {
	if rate, ok := r.Pairs[side]; ok {
		return rate
	}
	return math.NaN()
}

func bytesOut(r *Row, side string) float64 {
	made, ok := r.Output[side]
	if !ok {
		return math.NaN()
	}
	total := 0
	for _, output := range made {
		total += output.Bytes
	}
	return float64(total)
}

// photos are the classes that a mean over the photos is taken of.
var photos = []corpus.Class{corpus.Baseline, corpus.Progressive, corpus.LowDetail, corpus.PNGPhoto}

// ratio is the geometric mean of ours to another side over the rows of some classes where both were measured, NaN where
// none was.
func (r *Results) ratio(v value, other string, classes ...corpus.Class) float64 {
	var ratios []float64
	for _, row := range r.Rows {
		if x := v(row, oursName) / v(row, other); slices.Contains(classes, row.Class) && !math.IsNaN(x) {
			ratios = append(ratios, x)
		}
	}
	return geometricMean(ratios)
}

// start is the measured start of a side.
func (r *Results) start(side string) (Start, bool) {
	i := slices.IndexFunc(r.Starts, func(s Start) bool { return s.Side == side })
	if i < 0 {
		return Start{FirstPoll: math.NaN(), FirstPicture: math.NaN()}, false
	}
	return r.Starts[i], true
}
