// Command cost writes the tables of docs/scale.md: what pictures cost at AWS, and how many a second there can be, from the
// times that make compare has measured and the prices in prices.json. `make cost` runs it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Where things are, from the repository's root.
const (
	results = "bench/results/compare.json"
	prices  = "bench/cost/prices.json"
	page    = "docs/scale.md"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	tables, err := fromFiles(results, prices)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated, err := replace(string(text), tables)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	fmt.Print(tables)
	return os.WriteFile(page, []byte(updated), 0o644)
}

func fromFiles(results, prices string) (string, error) {
	var measured Run
	var asked Prices
	if err := errors.Join(load(results, &measured, false), load(prices, &asked, true)); err != nil {
		return "", err
	}
	return render(measured, asked)
}

// What is between these lines of the page is written here.
const (
	beginning = "<!-- make cost writes from here -->\n"
	ending    = "<!-- to here -->\n"
)

func replace(page, tables string) (string, error) {
	before, rest, began := strings.Cut(page, beginning)
	_, after, ended := strings.Cut(rest, ending)
	if !began || !ended {
		return "", fmt.Errorf("there is no place for the tables: want the lines %q and %q", beginning, ending)
	}
	return before + beginning + "\n" + tables + "\n" + ending + after, nil
}
