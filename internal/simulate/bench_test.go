package simulate_test

import (
	"testing"

	"github.com/blipstream/blipstream/internal/simulate"
)

// BenchmarkAppend is how fast one core makes items.
func BenchmarkAppend(b *testing.B) {
	w, err := simulate.NewWorld(simulate.DefaultWorld(1))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 16<<10)
	bytes, n := 0, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		buf = w.Append(buf[:0], n)
		bytes += len(buf)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
	b.ReportMetric(float64(bytes)/float64(n), "B/item")
}

// BenchmarkWant is how fast the oracle answers.
func BenchmarkWant(b *testing.B) {
	w, err := simulate.NewWorld(simulate.DefaultWorld(1))
	if err != nil {
		b.Fatal(err)
	}
	n := uint64(0)
	for b.Loop() {
		w.Want(n)
		n++
	}
}
