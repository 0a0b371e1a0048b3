package main

import "time"

// runner does one picture and says when its parts were there.
type runner struct {
	process *process
	picture func() (moments, error)
}

// moments of one picture, in milliseconds from its start.
type moments struct {
	wall   float64 // to the last rendition
	record float64 // to the commit record, which only ours has
}

// Cost of one picture; medians.
type Cost struct {
	CPU    float64 // ms, user and system, of the whole process
	Wall   float64 // ms to the last rendition
	Record float64 `json:",omitempty"` // ms to the commit record
	First  float64 // MB: the process's peak after the first picture
	Peak   float64 // MB: its peak after the last
}

// byTurns has every runner do a picture n times, one after the other in each round, and then others its turn. A first
// round is not counted.
//
// The CPU time of a picture is that from its start to the start of the next one, so that what a runtime puts off (a
// garbage collection, freed memory) counts too.
func byTurns(runners []runner, n int, others func() error) ([]Cost, error) {
	costs, cpu := make([]Cost, len(runners)), make([][]time.Duration, len(runners))
	wall, record := make([][]float64, len(runners)), make([][]float64, len(runners))
	for round := range n + 1 {
		for _, i := range turn(len(runners), round) {
			r := runners[i]
			before, err := r.process.cpu()
			if err != nil {
				return nil, err
			}
			took, err := r.picture()
			if err != nil {
				return nil, err
			}
			if round == 0 {
				if costs[i].First, err = r.process.peakMB(); err != nil {
					return nil, err
				}
				continue
			}
			cpu[i], wall[i], record[i] = append(cpu[i], before), append(wall[i], took.wall), append(record[i], took.record)
		}
		if others != nil {
			if err := others(); err != nil {
				return nil, err
			}
		}
	}
	for i, r := range runners {
		last, err := r.process.cpu()
		if err != nil {
			return nil, err
		}
		if costs[i].Peak, err = r.process.peakMB(); err != nil {
			return nil, err
		}
		costs[i].CPU = median(steps(append(cpu[i], last)))
		costs[i].Wall, costs[i].Record = median(wall[i]), median(record[i])
	}
	return costs, nil
}

// steps between instants, in milliseconds.
func steps(at []time.Duration) []float64 {
	var out []float64
	for i := range len(at) - 1 {
		out = append(out, milliseconds(at[i+1]-at[i]))
	}
	return out
}

func named[T any](sides []side, values []T) map[string]T {
	out := map[string]T{}
	for i, s := range sides {
		out[s.name] = values[i]
	}
	return out
}
