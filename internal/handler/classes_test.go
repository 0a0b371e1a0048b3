package handler_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Whoever is called at night looks a class up: the README has each of them, with what to do, and no others.
func TestTheReadmeSaysWhatToDoAboutEveryClass(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## What operators see\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, table, found := strings.Cut(section, "| class | says | what to do |\n")
	if !found {
		t.Fatal("the README has no table of classes under What operators see")
	}
	rows := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		if rows[row[1]] != nil {
			t.Errorf("the class %q is in the README twice", row[1])
		}
		rows[row[1]] = row[2:]
	}

	declared := map[string]string{}
	for _, dir := range []string{".", "../../resize/internal/rejection", "../../s3io"} {
		for class, name := range classes(t, dir) {
			if other, taken := declared[class]; taken {
				t.Errorf("%s and %s are both %q", name, other, class)
			}
			declared[class] = name
			if row := rows[class]; row == nil || strings.TrimSpace(row[0]) == "" || strings.TrimSpace(row[1]) == "" {
				t.Errorf("the README does not say what %s, %q, is and what to do about it: %q", name, class, row)
			}
			delete(rows, class)
		}
	}
	for class := range rows {
		t.Errorf("the README has a class %q, which nothing declares", class)
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
