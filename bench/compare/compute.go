package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/bench/quality"
)

// worker is a side's part that computes, as a process.
type worker struct {
	*process
	requests io.WriteCloser
	answers  *json.Decoder
}

type request struct {
	Path     string `json:"path"`
	Mode     string `json:"mode"`
	Pictures int    `json:"pictures"`
	InFlight int    `json:"inFlight"`
	Animated bool   `json:"animated"` // the reference must be told
	Keep     bool   `json:"keep"`
}

type reply struct {
	WallMs     []float64
	Renditions map[string][]byte
}

func startWorker(c command) (*worker, error) {
	requestsOut, requestsIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer requestsOut.Close()
	answersOut, answersIn, err := os.Pipe()
	if err != nil {
		_ = requestsIn.Close()
		return nil, err
	}
	defer answersIn.Close()
	p, err := start(c, requestsOut, answersIn)
	if err != nil {
		return nil, errors.Join(err, requestsIn.Close(), answersOut.Close())
	}
	return &worker{p, requestsIn, json.NewDecoder(answersOut)}, nil
}

func (w *worker) close() {
	_ = w.requests.Close()
	w.stop()
}

func (w *worker) ask(r request) (reply, error) {
	if err := json.NewEncoder(w.requests).Encode(r); err != nil {
		return reply{}, fmt.Errorf("%s: %w; it printed:\n%s", w.cmd.Path, err, w.output)
	}
	var answer reply
	if err := w.answers.Decode(&answer); err != nil {
		return reply{}, fmt.Errorf("%s: %w; it printed:\n%s", w.cmd.Path, err, w.output)
	}
	return answer, nil
}

// compute measures a picture in memory, without S3 and Lambda: every side in a process of its own, and between them the
// command-line tools, by turns.
func (c *comparison) compute(ctx context.Context, row *Row, p corpus.Picture) error {
	file, err := os.ReadFile(p.Path)
	if err != nil {
		return err
	}
	renditions, err := c.judge(row, p, file)
	if err != nil {
		return err
	}
	var tools tools
	if c.options.wants(partFloor) {
		if tools, err = c.tools(p, renditions); err != nil {
			return err
		}
	}
	sides := c.sides[:1]
	if c.options.wants(partCompute) {
		sides = append(slices.Clip(c.sides), general(c.sides[0]))
	}
	runners := make([]runner, len(sides))
	for i, s := range sides {
		w, err := startWorker(s.compute)
		if err != nil {
			return err
		}
		defer w.close()
		r := request{Path: p.Path, Mode: s.mode, Pictures: 1, InFlight: 1, Animated: p.Class.Animated()}
		runners[i] = runner{w.process, func() (moments, error) {
			answer, err := w.ask(r)
			if err != nil {
				return moments{}, err
			}
			return moments{wall: answer.WallMs[0]}, nil
		}}
	}
	costs, err := byTurns(runners, c.options.n, func() error { return tools.run(ctx) })
	if err != nil {
		return err
	}
	row.Compute, row.Floor, row.Vipsthumbnail = named(sides, costs), tools.floor(), tools.thumbnail()
	return nil
}

// judge has every side make its renditions once, in processes that are not measured, and compares them with what they
// ought to be. It returns ours.
func (c *comparison) judge(row *Row, p corpus.Picture, file []byte) (map[string][]byte, error) {
	original, err := quality.Decode(file)
	if err != nil {
		return nil, err
	}
	defer original.Close()
	row.Output = map[string]map[string]Output{}
	var ours map[string][]byte
	for _, s := range []side{c.sides[0], c.sides[1], general(c.sides[0])} { // Promise.all changes no byte
		made, err := renditions(s, p)
		if err != nil {
			return nil, err
		}
		if s.name == oursName {
			ours = made
		}
		row.Output[s.name] = map[string]Output{}
		for size, data := range made {
			distance, err := original.Compare(data)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", s.name, size, err)
			}
			row.Output[s.name][size] = Output{len(data), min(distance.PSNR, equal), distance.SSIM}
		}
	}
	return ours, nil
}

func renditions(s side, p corpus.Picture) (map[string][]byte, error) {
	w, err := startWorker(s.compute)
	if err != nil {
		return nil, err
	}
	defer w.close()
	answer, err := w.ask(request{Path: p.Path, Mode: s.mode, Pictures: 1, InFlight: 1, Animated: p.Class.Animated(), Keep: true})
	if err == nil && len(answer.Renditions) != 3 {
		err = fmt.Errorf("%s made %d renditions", s.name, len(answer.Renditions))
	}
	return answer.Renditions, err
}

// pairs measures how many pictures a second one process of each side makes, two at a time.
func (c *comparison) pairs(p corpus.Picture) (map[string]float64, error) {
	const batch = 4
	workers, rates := make([]*worker, len(c.sides)), make([][]float64, len(c.sides))
	for i, s := range c.sides {
		var err error
		if workers[i], err = startWorker(s.compute); err != nil {
			return nil, err
		}
		defer workers[i].close()
	}
	for round := range c.options.n + 1 {
		for _, i := range turn(len(c.sides), round) {
			began := time.Now()
			if _, err := workers[i].ask(request{Path: p.Path, Mode: c.sides[i].mode, Pictures: batch, InFlight: 2}); err != nil {
				return nil, err
			}
			if round > 0 { // the first one warms up
				rates[i] = append(rates[i], batch/time.Since(began).Seconds())
			}
		}
	}
	out := map[string]float64{}
	for i, s := range c.sides {
		out[s.name] = median(rates[i])
	}
	return out, nil
}

// writePPM writes the pixels of a rendition as the plainest of files.
func writePPM(path string, rendition []byte) error {
	width, height, rgb, err := quality.Pixels(rendition)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "P6\n%d %d\n255\n", width, height)
	out.Write(rgb)
	return os.WriteFile(filepath.Clean(path), out.Bytes(), 0o644)
}
