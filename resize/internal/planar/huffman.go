package planar

import (
	"cmp"
	"slices"
)

// codes are Huffman codes as a JPEG defines them (T.81, C.2): how many there are of each length, from 1 bit on, and their symbols
// in turn.
type codes struct {
	lengths [longest]byte
	symbols []byte
}

// with returns codes for all of the symbols, though there was none of them in what c was made of. These get the longest
// codes, and the others hardly longer ones than they had.
func (c codes) with(symbols []byte) codes {
	var often [256]int
	for _, symbol := range symbols {
		often[symbol] = 1
	}
	next := 0
	for i, n := range c.lengths {
		for range n {
			often[c.symbols[next]] = 1 << (longest - 1 - i) // that is what the length says of it
			next++
		}
	}
	return bestCodes(&often)
}

// longest is the longest code that there may be, in bits.
const longest = 16

// dcSymbols are the sizes that a difference of DC coefficients of 8-bit samples can have, in bits (T.81, F.1.2.1, table F.1).
func dcSymbols() (all []byte) {
	for size := range 12 {
		all = append(all, byte(size))
	}
	return all
}

// acSymbols are the runs of zeros with the size of the AC coefficient behind them, the end of a block, and 16 zeros (T.81,
// F.1.2.2, table F.2).
func acSymbols() (all []byte) {
	for run := range 16 {
		for size := 1; size <= 10; size++ {
			all = append(all, byte(run<<4|size))
		}
	}
	return append(all, 0x00, 0xf0)
}

// bestCodes returns the best codes for symbols that occur as often as count says: Huffman's, but none longer than 16 bits and
// none of ones alone (T.81, K.2).
func bestCodes(count *[256]int) (best codes) {
	const none = -1
	type tree struct{ count, first, last int } // its symbols are a chain, from first to last
	var trees []tree
	for symbol, n := range count {
		if n > 0 {
			trees = append(trees, tree{n, symbol, symbol})
		}
	}
	trees = append(trees, tree{1, 256, 256}) // takes the code of ones, one of the longest, so that no symbol gets it
	rarestLast := func(a, b tree) int { return cmp.Or(b.count-a.count, a.first-b.first) }
	slices.SortFunc(trees, rarestLast)
	var size, next [257]int
	for i := range next {
		next[i] = none
	}
	for len(trees) > 1 {
		a, b := trees[len(trees)-1], trees[len(trees)-2]
		next[a.last] = b.first
		for symbol := a.first; symbol != none; symbol = next[symbol] {
			size[symbol]++
		}
		both := tree{a.count + b.count, a.first, b.last}
		at, _ := slices.BinarySearchFunc(trees[:len(trees)-2], both, rarestLast)
		trees = slices.Insert(trees[:len(trees)-2], at, both)
	}
	var of [258]int // how many codes there are of each length
	for _, n := range size {
		of[n]++
	}
	deepest := slices.Max(size[:])
	for n := deepest; n > longest; n-- {
		for of[n] > 0 { // two of this length: one moves up, the other makes a pair with a shorter one
			shorter := n - 2
			for of[shorter] == 0 {
				shorter--
			}
			of[n] -= 2
			of[n-1]++
			of[shorter+1] += 2
			of[shorter]--
		}
	}
	last := longest
	for of[last] == 0 {
		last--
	}
	of[last]-- // the code of ones
	for n := range best.lengths {
		best.lengths[n] = byte(of[n+1])
	}
	for n := 1; n <= deepest; n++ {
		for symbol, length := range size[:256] {
			if length == n {
				best.symbols = append(best.symbols, byte(symbol))
			}
		}
	}
	return best
}
