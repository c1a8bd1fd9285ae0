package repository_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's top folder, from this package's.
const root = "../.."

// files lists the files of the repository with one of the endings, without
// dependencies, caches and generated code.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "bin", "dist", "gen", "testdata":
				return fs.SkipDir
			}
			return nil
		}
		for _, e := range endings {
			if strings.HasSuffix(path, e) {
				found = append(found, path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// modules maps each module's folder to its go.mod, those below tools excepted:
// they are no part of the workspace, and each follows what it builds.
func modules(t *testing.T) map[string]string {
	t.Helper()
	mods := map[string]string{}
	for _, f := range files(t, "go.mod") {
		if dir := filepath.Dir(f); !strings.HasPrefix(dir+"/", filepath.Join(root, "tools")+"/") {
			mods[dir] = read(t, f)
		}
	}
	if len(mods) < 2 {
		t.Fatalf("found %d modules; is the root right?", len(mods))
	}
	return mods
}

func TestModulesAgree(t *testing.T) {
	goLine := regexp.MustCompile(`(?m)^go (\S+)$`)
	required := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) (v\S+)`)
	work := read(t, filepath.Join(root, "go.work"))
	want := goLine.FindStringSubmatch(work)[1]
	versions := map[string]map[string]string{}
	for dir, mod := range modules(t) {
		if got := goLine.FindStringSubmatch(mod)[1]; got != want {
			t.Errorf("%s/go.mod says go %s, go.work %s", dir, got, want)
		}
		if rel, err := filepath.Rel(root, dir); err != nil || !strings.Contains(work, "./"+filepath.ToSlash(rel)+"\n") {
			t.Errorf("%s is not in go.work", dir)
		}
		for _, m := range required.FindAllStringSubmatch(mod, -1) {
			if versions[m[1]] == nil {
				versions[m[1]] = map[string]string{}
			}
			versions[m[1]][m[2]] = dir
		}
	}
	for path, at := range versions {
		if len(at) > 1 {
			t.Errorf("%s is required at several versions: %v", path, at)
		}
	}
}

// TestPackagesSayWhatTheyAre wants one package comment per package.
func TestPackagesSayWhatTheyAre(t *testing.T) {
	comments := map[string]int{}
	for _, f := range files(t, ".go") {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(f)
		if parsed.Doc != nil {
			comments[dir]++
		} else {
			comments[dir] += 0
		}
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments, want one", dir, n)
		}
	}
}

// TestFilesAreShort keeps to the style budget of 600 lines a file.
func TestFilesAreShort(t *testing.T) {
	const budget = 600
	for _, f := range files(t, ".go", ".ts", ".tsx") {
		if n := strings.Count(read(t, f), "\n"); n > budget {
			t.Errorf("%s has %d lines, the budget is %d", f, n, budget)
		}
	}
}

// TestDocumentsNameWhatExists follows the links of the documents, and finds
// each test that invariants.md names as a proof.
func TestDocumentsNameWhatExists(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, f := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(read(t, f), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", f, m[1])
			}
		}
	}
	var tests strings.Builder
	for _, f := range files(t, "_test.go", ".test.ts", ".test.mjs", ".e2e.ts", ".e2e.mjs", "test.go") {
		tests.WriteString(read(t, f))
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9_]+|Fuzz[A-Za-z0-9_]+)`").
		FindAllStringSubmatch(read(t, filepath.Join(root, "docs/invariants.md")), -1)
	if len(named) == 0 {
		t.Error("docs/invariants.md names no test")
	}
	for _, m := range named {
		if !strings.Contains(tests.String(), "func "+m[1]+"(") {
			t.Errorf("docs/invariants.md names %s, which is not there", m[1])
		}
	}
}
