package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"s3resizer/bench/compare/s3model"
)

// Run is what make compare has measured, as far as it says what a picture costs.
type Run struct {
	About struct{ Date, Commit, Machine string }
	Rows  []Row
}

// Row is one picture; the maps are by side. Whoever adds to bench/compare's Row adds nothing here.
type Row struct {
	Picture, Class    string
	Bytes             int64
	OneCore, TwoCores map[string]Took                             // the whole handler, before a modelled S3
	Output            map[string]map[string]struct{ Bytes int64 } // by size
}

// Took is a handler's time, in milliseconds.
type Took struct {
	CPU    float64 // of all threads
	Wall   float64 // to the last rendition in place
	Record float64 // to the record in place; 0 where none is written
}

// The sides of the comparison, as it names them.
const (
	ours      = "ours"
	reference = "reference"
)

// mixed are the pictures that "a picture" stands for here, as many of each: a phone's and a camera's.
const mixed = "baseline JPEG"

// mix returns them.
func (r *Run) mix() ([]Row, error) {
	rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return row.Class != mixed })
	if len(rows) == 0 {
		return nil, fmt.Errorf("no %s was measured: run make compare", mixed)
	}
	for _, row := range rows {
		if err := row.whole(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (row Row) whole() error {
	for _, side := range []string{ours, reference} {
		if row.OneCore[side].Wall == 0 || row.TwoCores[side].Wall == 0 || len(row.Output[side]) == 0 {
			return fmt.Errorf("%s of %s was not measured on one core and on two, with its bytes: run make compare without -only", row.Picture, side)
		}
	}
	if row.OneCore[ours].Record == 0 {
		return errors.New("the time to the record was not measured: run make compare")
	}
	return nil
}

// oneCore is the memory, in MB, with which a function has one vCPU; its share of processor time is in proportion.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const oneCore = 1769

// billed is how long an invocation takes for this picture with so much memory, in milliseconds, warm.
//
// Measured are one core and two, which are two hyperthreads; between them lies the line. Below one, what the processor
// does takes longer in proportion, and what waits for S3 does not. After its record the function looks at its source
// once more, which was not measured: that is the model's latency.
func (row Row) billed(side string, memory int) float64 {
	one, two := end(row.OneCore[side]), end(row.TwoCores[side])
	share := float64(memory) / oneCore
	switch {
	case share < 1:
		processor := min(row.OneCore[side].CPU, one)
		return one - processor + processor/share
	case share <= 2:
		return one + (two-one)*(share-1)
	default:
		return two
	}
}

func end(t Took) float64 {
	if t.Record == 0 {
		return t.Wall
	}
	return t.Record + float64(s3model.InRegion.FirstByte.Milliseconds())
}

// mean is over the pictures: what a million costs is the sum, so it is the arithmetic one.
func mean(rows []Row, of func(Row) float64) float64 {
	sum := 0.0
	for _, row := range rows {
		sum += of(row)
	}
	return sum / float64(len(rows))
}

// computing is what a million invocations cost, in dollars. Lambda takes milliseconds whole.
func (p Prices) computing(row Row, side string, memory int, architecture string) float64 {
	seconds := math.Ceil(row.billed(side, memory)) / 1000
	return 1e6*seconds*float64(memory)/1024*p.Lambda.GigabyteSecond[architecture] + p.Lambda.MillionRequests
}

// part is the length of a range, in bytes: a larger source is read by several requests. s3io's partSize.
const part = 8 << 20

// asked are the requests that a picture takes of S3.
type asked struct{ writes, reads float64 }

// requests are those of a picture that is resized in three sizes: a test counts ours. The reference reads once and writes
// three renditions.
func requests(side string, row Row) asked {
	if side == reference {
		return asked{3, 1}
	}
	return asked{4, math.Ceil(float64(row.Bytes)/part) + 2} // the record; the looks at the record before, and at the source behind it
}

// logged is what a picture leaves in the log, in bytes: at the level info, a line of the result and one of metrics (a test
// weighs them), and Lambda's own three lines, some 900 bytes, which are all that the reference has.
var logged = map[string]float64{ours: 3000, reference: platformLog}

const platformLog = 900

// logging is what a million pictures cost, in dollars.
func (p Prices) logging(side string) float64 {
	return 1e6 * logged[side] / 1e9 * p.CloudWatch.GigabyteLogged
}

func (p Prices) storing(a asked) float64 {
	return 1000 * (a.writes*p.S3.ThousandWrites + a.reads*p.S3.ThousandReads)
}

func (row Row) bytesOut(side string) float64 {
	total := int64(0)
	for _, output := range row.Output[side] {
		total += output.Bytes
	}
	return float64(total)
}
