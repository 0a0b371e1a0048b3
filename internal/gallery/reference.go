package gallery

import (
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

// The reference handler fetches the whole object and then, for one size after the other, decodes, resizes, encodes and
// uploads. How long that would take for a picture is not measured here but modelled, from this picture's own times, so
// that the machine and what else it does are the same for both:
//
//   - The network: the uploads as they were, and of the download the part before our decoder began. That is less than the
//     reference would wait, for it decodes nothing before the last byte; ours reads no faster than it decodes, so that
//     its own download would be too much.
//   - The computing, from the beginning of the decoder to the end of the last encoder, longer by the ratio that
//     `make compare` measured: the reference's wall time to ours, computing alone, means over the pictures of a class
//     (bench/results/compare.json; a test holds the ratios against it).
//   - That, in the sizes' shares (referenceShares).
//
// Progressive JPEGs count as baseline ones, which flatters the reference: a report does not tell which is which.
var referenceRatio = map[resize.Format]float64{
	resize.JPEG: 2.9,
	resize.PNG:  2.2,
}

// referenceShares are the sizes of the reference, in its order, and the share of each in the CPU time that sharp takes
// for the three in turn: bench/reference/renditions.mjs over the demo's 12-megapixel baseline JPEG, medians of 20 (40, 51
// and 96 ms). The smaller the size, the more the decoder can leave out; it is the same bytes that it has to read.
var referenceShares = []struct {
	size  string
	width int
	share float64
}{
	{"small", 368, 0.21}, {"medium", 720, 0.27}, {"large", 1440, 0.52},
}

// reference lays out the reference handler's work on a picture. It is nil where that is no fair comparison: for what the
// reference does not take (it looks at .jpg and .png alone), under other sizes or formats than its own, and for pictures
// that are narrower than the widest of them, of which none was measured.
func reference(r report.Result, steps []step) []step {
	ratio, known := referenceRatio[r.Source.Format]
	if !known || r.Status != report.Resized || len(r.Renditions) != len(referenceShares) {
		return nil
	}
	for i, own := range referenceShares {
		if made := r.Renditions[i]; made.Size != own.size || made.Width != own.width || made.Format != r.Source.Format {
			return nil
		}
	}
	var began, ended float64
	upload := map[string]float64{}
	for _, s := range steps {
		switch s.Stage {
		case handler.Decode:
			began = s.Start
		case handler.Encode:
			ended = max(ended, s.End)
		case handler.Upload:
			upload[s.Size] = s.End - s.Start
		}
	}
	at := began
	out := []step{{Stage: handler.Download, End: at}}
	for _, own := range referenceShares {
		computed := at + (ended-began)*ratio*own.share
		out = append(out, step{Stage: handler.Encode, Size: own.size, Start: at, End: computed})
		at = computed + upload[own.size]
		out = append(out, step{Stage: handler.Upload, Size: own.size, Start: computed, End: at})
	}
	return out
}
