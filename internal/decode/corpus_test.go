package decode_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
)

// corpus reads the lines of a file of real payloads, which are not part of the
// project; it skips the test where they are not there.
func corpus(tb testing.TB, name string) [][]byte {
	tb.Helper()
	dir := os.Getenv("BLIPSTREAM_CORPUS")
	if dir == "" {
		tb.Skip("BLIPSTREAM_CORPUS is not set")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var lines [][]byte
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, append([]byte(nil), s.Bytes()...))
	}
	return lines
}
