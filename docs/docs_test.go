// Package docs has the pages. Its test finds what they name and is not there.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"s3resizer/internal/config"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	assigned = regexp.MustCompile("`(RESIZE_[A-Z_]+)='?([^`' …]+)'?`")
	setting  = regexp.MustCompile(`RESIZE_[A-Z_]+[A-Z]`)
	notWords = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func pages(t *testing.T) map[string]string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.md", "../*.md", "../bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	texts := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Clean(path)] = string(data)
	}
	if len(texts) < 15 {
		t.Fatalf("only %d pages were found", len(texts))
	}
	return texts
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(notWords.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// Every link to a file of the repository leads to one, and every anchor to a heading.
func TestNoLinkIsDead(t *testing.T) {
	texts := pages(t)
	for page, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, fragment, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
				if inside, here := strings.CutPrefix(target, "../docs/"); here {
					target = inside
				}
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
				continue
			}
			known := false
			for _, h := range heading.FindAllStringSubmatch(texts[target], -1) {
				known = known || anchor(h[1]) == fragment
			}
			if fragment != "" && !known {
				t.Errorf("%s: %s has no such heading", page, m[1])
			}
		}
	}
}

// Every page is one that the README leads to, and no page names a setting that there is not.
func TestEveryPageIsReached(t *testing.T) {
	texts := pages(t)
	known := map[string]bool{}
	for _, row := range config.Table {
		known[row.Name] = true
	}
	for page, text := range texts {
		if !strings.Contains(page, "/") && !strings.Contains(texts["../README.md"], "(docs/"+page) {
			t.Errorf("the README does not lead to %s", page)
		}
		for _, name := range setting.FindAllString(text, -1) {
			if !known[name] && name != "RESIZE_MAX" {
				t.Errorf("%s: there is no setting %s", page, name)
			}
		}
	}
}

// Each setting with a value, as the pages have it, is one that the function takes.
func TestEverySettingIsTaken(t *testing.T) {
	values := 0
	for page, text := range pages(t) {
		for _, m := range assigned.FindAllStringSubmatch(text, -1) {
			environ := []string{m[0][1 : len(m[0])-1]}
			environ[0] = strings.ReplaceAll(environ[0], "'", "")
			if m[1] == "RESIZE_DEST_BUCKET" {
				environ = append(environ, "RESIZE_KEY_TEMPLATE=resized/{size}/{key}")
			}
			if _, err := config.Load(environ); err != nil {
				t.Errorf("%s: %s: %v", page, m[0], err)
			}
			values++
		}
	}
	if values < 20 {
		t.Errorf("only %d values were found", values)
	}
}
