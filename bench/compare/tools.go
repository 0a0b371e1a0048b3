package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"s3resizer/bench/corpus"
)

// tools are the command-line programs that a picture is measured against.
type tools struct {
	floorRuns, thumbnailRuns [][]string // commands
	floorCPU                 []float64  // ms
	thumbnailCPU             []float64
	thumbnailWall            []float64
}

// tools lists the commands for a picture, given its renditions.
//
// The floor is what libjpeg-turbo alone takes for the least that is to be done: decode once at half the size, encode
// three pictures that are pixels already, nothing resampled. vipsthumbnail is what a shell script would call, once for
// each size.
func (c *comparison) tools(p corpus.Picture, renditions map[string][]byte) (tools, error) {
	var t tools
	if p.Class == corpus.Baseline || p.Class == corpus.Progressive || p.Class == corpus.LowDetail || p.Class == corpus.Huge {
		t.floorRuns = append(t.floorRuns, []string{"djpeg", "-scale", "1/2", p.Path})
		for size, data := range renditions {
			ppm := filepath.Join(c.folder, size+".ppm")
			if err := writePPM(ppm, data); err != nil {
				return tools{}, err
			}
			t.floorRuns = append(t.floorRuns, []string{"cjpeg", "-quality", "80", ppm})
		}
	}
	if _, err := exec.LookPath("vipsthumbnail"); err == nil {
		for _, width := range []int{368, 720, 1440} {
			out := filepath.Join(c.folder, fmt.Sprintf("thumbnail-%d%s", width, filepath.Ext(p.Path)))
			t.thumbnailRuns = append(t.thumbnailRuns, []string{"vipsthumbnail", p.Path, "--size", strconv.Itoa(width) + "x>", "--output", out})
		}
	}
	return t, nil
}

// run runs all of them once.
func (t *tools) run(ctx context.Context) error {
	floor, _, err := inSequence(ctx, t.floorRuns)
	if err != nil {
		return err
	}
	thumbnail, wall, err := inSequence(ctx, t.thumbnailRuns)
	if err != nil {
		return err
	}
	t.floorCPU = append(t.floorCPU, milliseconds(floor))
	t.thumbnailCPU, t.thumbnailWall = append(t.thumbnailCPU, milliseconds(thumbnail)), append(t.thumbnailWall, milliseconds(wall))
	return nil
}

func inSequence(ctx context.Context, runs [][]string) (cpu, wall time.Duration, err error) {
	for _, run := range runs {
		c, w, err := once(ctx, run[0], run[1:]...)
		if err != nil {
			return 0, 0, err
		}
		cpu, wall = cpu+c, wall+w
	}
	return cpu, wall, nil
}

// floor is CPU milliseconds, 0 for a picture that has none.
func (t *tools) floor() float64 {
	if len(t.floorRuns) == 0 {
		return 0
	}
	return median(t.floorCPU[1:]) // the first one warms up
}

// thumbnail is nil where vipsthumbnail is not installed.
func (t *tools) thumbnail() *Cost {
	if len(t.thumbnailRuns) == 0 {
		return nil
	}
	return &Cost{CPU: median(t.thumbnailCPU[1:]), Wall: median(t.thumbnailWall[1:])}
}
