// Package dice is a source of repeatable chance: the same numbers thrown in
// give the same throws out, on every machine and in every release.
package dice

import "math"

// Dice is a SplitMix64 generator (Steele, Lea, Flood: "Fast splittable
// pseudorandom number generators", 2014). It is a small value; copying it
// copies its future throws.
type Dice struct{ state uint64 }

// golden is 2^64 divided by the golden ratio, SplitMix64's step.
const golden = 0x9e3779b97f4a7c15

// Of returns dice that depend on nothing but a, b and c, usually a seed, an
// index, and a number that tells apart what is thrown for.
func Of(a, b, c uint64) Dice {
	return Dice{mix(mix(mix(a+golden)^b)+golden^c) + golden}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 throws any 64-bit number.
func (d *Dice) Uint64() uint64 {
	d.state += golden
	return mix(d.state)
}

// N throws a number in [0,n); n must be positive and below 2^32.
func (d *Dice) N(n int) int {
	return int((d.Uint64() >> 32) * uint64(n) >> 32)
}

// Float throws a number in [0,1).
func (d *Dice) Float() float64 {
	return float64(d.Uint64()>>11) / (1 << 53)
}

// Chance is true with probability p.
func (d *Dice) Chance(p float64) bool { return d.Float() < p }

// Normal throws from the normal distribution with mean 0 and deviation 1.
func (d *Dice) Normal() float64 {
	return math.Sqrt(-2*math.Log(1-d.Float())) * math.Cos(2*math.Pi*d.Float())
}

// Poisson throws how many things happen where mean happen on average. From 64
// on it uses the normal approximation, whose error no page can show.
func (d *Dice) Poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean >= 64 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*d.Normal())))
	}
	n, p, limit := 0, d.Float(), math.Exp(-mean)
	for p > limit {
		p *= d.Float()
		n++
	}
	return n
}

// Pick returns one of the elements of from, which must not be empty.
func Pick[T any](d *Dice, from []T) T { return from[d.N(len(from))] }
