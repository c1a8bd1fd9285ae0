package gazetteer

import (
	"fmt"
	"iter"
	"strings"
)

// rows yields the cells of each line of a tab-separated table; lines that
// start with # are comments. It ends with an error at a line that has not n
// cells.
func rows(table string, n int) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for line := range strings.Lines(table) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			cells := strings.Split(line, "\t")
			if len(cells) != n {
				yield(nil, fmt.Errorf("line %q has %d cells, not %d", line, len(cells), n))
				return
			}
			if !yield(cells, nil) {
				return
			}
		}
	}
}
