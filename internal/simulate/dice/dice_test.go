package dice_test

import (
	"math"
	"testing"

	"github.com/blipstream/blipstream/internal/simulate/dice"
)

func TestSameSeedSameThrows(t *testing.T) {
	a, b := dice.Of(1, 2, 3), dice.Of(1, 2, 3)
	for i := range 1000 {
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("throw %d: %d and %d", i, x, y)
		}
	}
}

// TestFirstThrows pins the numbers: whatever the simulator made once, it makes
// again after an upgrade.
func TestFirstThrows(t *testing.T) {
	d := dice.Of(1, 2, 3)
	got := [3]uint64{d.Uint64(), d.Uint64(), d.Uint64()}
	want := [3]uint64{0xa8c75dc7088bb72c, 0x1297c785d5f4b976, 0x83a2196c602539a7}
	if got != want {
		t.Errorf("first throws of (1,2,3) = %#v, want %#v", got, want)
	}
}

func TestNeighboursDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for a := range uint64(10) {
		for b := range uint64(100) {
			for c := range uint64(10) {
				d := dice.Of(a, b, c)
				seen[d.Uint64()] = true
			}
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("%d different first throws of 10000", len(seen))
	}
}

func TestRangesAndMeans(t *testing.T) {
	d := dice.Of(7, 0, 0)
	const throws = 200_000
	var n, f, normal, square, few, many float64
	for range throws {
		k := d.N(10)
		if k < 0 || k > 9 {
			t.Fatalf("N(10) = %d", k)
		}
		n += float64(k)
		f += d.Float()
		x := d.Normal()
		normal += x
		square += x * x
		few += float64(d.Poisson(2.5))
		many += float64(d.Poisson(100))
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"N(10)", n, 4.5},
		{"Float", f, 0.5},
		{"Normal", normal, 0},
		{"Normal squared", square, 1},
		{"Poisson(2.5)", few, 2.5},
		{"Poisson(100)", many, 100},
	} {
		if got := c.got / throws; math.Abs(got-c.want) > 0.02*max(1, c.want) {
			t.Errorf("mean of %s = %.3f, want %.3f", c.name, got, c.want)
		}
	}
	if d.Poisson(0) != 0 || d.Poisson(-1) != 0 {
		t.Error("Poisson of nothing is not 0")
	}
}
