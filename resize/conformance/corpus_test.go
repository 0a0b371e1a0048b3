package conformance

import (
	"s3resizer/resize"
	"s3resizer/resize/resizetest"
)

// Less than a third of most pictures' width, and more: the decoders shrink as they load, or don't.
var corpusWidths = []int{30, 90}

// corpusRows are the pictures of package resizetest, whose own table says what they show: drawn there, by the standards'
// formulas, and checked by Go's decoders.
func corpusRows() []row {
	var all []row
	for _, p := range resizetest.Pictures() {
		r := row{
			is: p.Name, file: func() ([]byte, error) { return p.Data, nil }, widths: corpusWidths, formats: []resize.Format{resize.AsSource, resize.PNG},
			truth: "package resizetest",
		}
		if p.Rejected != nil {
			r.right = []expectation{rejected{resize.Class(p.Rejected.Class), p.Rejected.Says}}
		} else {
			r.right = []expectation{shows{p}}
		}
		all = append(all, r)
	}
	return all
}
