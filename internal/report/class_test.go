package report

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Whoever is called at night looks a class up: the page has each of them, with what to do, as the code has it.
func TestThePageSaysWhatToDoAboutEveryClass(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| class | says | what to do |\n|---|---|---|\n")
	matter := Matter("")
	for _, m := range Classes {
		if m.Matter != matter {
			matter = m.Matter
			fmt.Fprintf(&table, "| | **%s** | |\n", matter)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", m.Class, m.Says, m.Do)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/operating.md does not have this table:\n%s", &table)
	}
}

// A class that is declared anywhere is in the table, once.
func TestTheTableHasEveryClass(t *testing.T) {
	left := map[Class]bool{}
	for _, m := range Classes {
		if left[m.Class] {
			t.Errorf("%q is there twice", m.Class)
		}
		left[m.Class] = true
	}
	for _, dir := range []string{".", "../../resize/internal/rejection", "../../s3io"} {
		for class, name := range classes(t, dir) {
			if m := Class(class).Meaning(); m.Says == "" || m.Do == "" || m.Matter == "" {
				t.Errorf("nobody says what %s, %q, is and what to do about it", name, class)
			}
			delete(left, Class(class))
		}
	}
	for class := range left {
		t.Errorf("nothing declares %q", class)
	}
}

// classes returns the values of a package's class constants, with their names: those of its type Class, and those whose
// name begins with Class.
func classes(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				constant := spec.(*ast.ValueSpec)
				typed, _ := constant.Type.(*ast.Ident)
				for i, name := range constant.Names {
					if !name.IsExported() || (typed == nil || typed.Name != "Class") && !strings.HasPrefix(name.Name, "Class") {
						continue
					}
					literal := &ast.BasicLit{}
					if i < len(constant.Values) {
						literal, _ = constant.Values[i].(*ast.BasicLit)
					}
					if literal == nil || literal.Kind != token.STRING {
						t.Errorf("%s: %s is no string literal, so that nobody finds it by looking for its value", path, name)
						continue
					}
					class, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					out[class] = file.Name.Name + "." + name.Name
				}
			}
		}
	}
	if len(out) == 0 {
		t.Errorf("no classes in %s: this test shows nothing", dir)
	}
	return out
}
