package report_test

import (
	"testing"

	"s3resizer/internal/report"
)

// Whoever has seen a record has to see that it was written once more.
func TestNoTwoRecordsAreAlike(t *testing.T) {
	var data [2]string
	for i := range data {
		record, err := report.Result{Status: report.Resized, Source: report.Source{Key: "cat.jpg"}}.Record("photos-resized", report.Label{})
		if err != nil {
			t.Fatal(err)
		}
		data[i] = string(record.Data)
	}
	if data[0] == data[1] {
		t.Errorf("twice %s", data[0])
	}
}
