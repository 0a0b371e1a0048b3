package ready_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced one of a page, and the line with text before it.
var block = regexp.MustCompile("(?m)^(.+)\n\n```([a-z]+)\n((?s:.*?))\n```$")

// What stands in the page is what is tested: each block is a part of the file that the line before it links to, but for
// its indentation.
func TestThePageShowsWhatIsTested(t *testing.T) {
	page, err := os.ReadFile("../ready.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\]\((ready/[^)]+)\)`)
	checked := map[string]int{}
	for _, found := range block.FindAllStringSubmatch(string(page), -1) {
		before, language, text := found[1], found[2], found[3]
		if language == "sh" || language == "sql" {
			continue
		}
		linked := links.FindAllStringSubmatch(before, -1)
		if len(linked) == 0 {
			t.Errorf("the block behind %q is of no file", before)
			continue
		}
		path := linked[len(linked)-1][1]
		file, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Error(err)
			continue
		}
		checked[language]++
		if !strings.Contains("\n"+unindented(string(file))+"\n", "\n"+unindented(text)+"\n") {
			t.Errorf("%s has no such part:\n%s", path, text)
		}
	}
	if checked["go"] != 1 || checked["java"] != 3 || checked["js"] != 2 || checked["json"] < 9 {
		t.Errorf("checked %v", checked)
	}
	if blocks := strings.Count(string(page), "\n```\n"); blocks != len(block.FindAllString(string(page), -1)) {
		t.Errorf("of %d blocks, %d were seen", blocks, len(block.FindAllString(string(page), -1)))
	}
}

func unindented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

func TestThePagesLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../*.md")
	if err != nil || len(pages) < 1 {
		t.Fatalf("%v, %v", pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
