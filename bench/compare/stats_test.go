package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}, {[]float64{1, 1, 1, 100}, 1}} {
		before := slices.Clone(test.values)
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(before, test.values) {
			t.Errorf("%v became %v", before, test.values)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

func TestGeometricMean(t *testing.T) {
	if got := geometricMean([]float64{0.5, 2}); math.Abs(got-1) > 1e-12 {
		t.Errorf("that of 1/2 and 2 is %v", got)
	}
	if got := geometricMean([]float64{0.4, 0.1}); math.Abs(got-0.2) > 1e-12 {
		t.Errorf("that of 0.4 and 0.1 is %v", got)
	}
	if !math.IsNaN(geometricMean(nil)) {
		t.Error("that of nothing is a number")
	}
}

func TestEverySideIsFirstAsOften(t *testing.T) {
	first := map[int]int{}
	for round := range 9 {
		order := turn(3, round)
		first[order[0]]++
		if slices.Sort(order); !slices.Equal(order, []int{0, 1, 2}) {
			t.Errorf("round %d: %v", round, order)
		}
	}
	if first[0] != 3 || first[1] != 3 || first[2] != 3 {
		t.Errorf("%v", first)
	}
}
