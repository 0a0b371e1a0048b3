package main

import "testing"

func TestProcessorsFollowTheMemory(t *testing.T) {
	for _, c := range []struct {
		memory      string
		there, want int
	}{
		{"", 2, 2}, {"", 8, 8}, {"nonsense", 4, 4},
		{"128", 2, 1}, {"1024", 2, 1}, {"1769", 2, 1}, {"2048", 2, 1}, {"3008", 2, 2}, {"3538", 2, 2}, {"10240", 6, 6}, {"5308", 6, 3}, {"3538", 1, 1},
	} {
		if got := processors(c.memory, c.there); got != c.want {
			t.Errorf("%s MB with %d there: %d, want %d", c.memory, c.there, got, c.want)
		}
	}
}
