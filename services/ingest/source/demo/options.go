package demo

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

const (
	defaultRate  = 20
	maxRate      = 50_000
	defaultBurst = 3
	maxBurst     = 100
	// minRate is one item in a quarter of an hour.
	minRate = 0.001
	// maxMalformed leaves posts between the broken items.
	maxMalformed = 0.9
)

// options is what the URL says.
type options struct {
	rate, burst float64
	seed        uint64
	geo         float64
	malformed   float64
	n           uint64    // 0: without end
	start       time.Time // zero: by the clock
}

// names are the parameters.
const names = "rate seed geo burst malformed n start"

// parse reads a demo URL. Its error is one line about the first parameter that
// cannot be meant.
func parse(u *url.URL) (options, error) {
	o := options{rate: defaultRate, burst: defaultBurst, seed: 1, geo: simulate.DefaultGeo}
	if u.Host != "" || u.Path != "" || strings.Trim(u.Opaque, "/") != "" {
		return o, errors.New("demo: read url: it takes parameters alone, as in demo:?rate=50")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, fmt.Errorf("demo: read parameters: %w", err)
	}
	for _, name := range slices.Sorted(keys(query)) {
		if len(query[name]) != 1 {
			return o, fmt.Errorf("demo: read parameter %s: it is given twice", name)
		}
		if err := o.set(name, query[name][0]); err != nil {
			return o, err
		}
	}
	return o, nil
}

func keys(q url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range q {
			if !yield(k) {
				return
			}
		}
	}
}

func (o *options) set(name, value string) (err error) {
	switch name {
	case "rate":
		o.rate, err = number(name, value, minRate, maxRate)
	case "geo":
		o.geo, err = number(name, value, 0, 1)
	case "burst":
		o.burst, err = number(name, value, 1, maxBurst)
	case "malformed":
		o.malformed, err = number(name, value, 0, maxMalformed)
	case "seed":
		o.seed, err = count(name, value)
	case "n":
		o.n, err = count(name, value)
	case "start":
		o.start, err = time.Parse(time.RFC3339, value)
		if err != nil {
			return fmt.Errorf("demo: read parameter start: %q is not a time like 2026-01-31T12:00:00Z", value)
		}
	default:
		return fmt.Errorf("demo: read parameters: %q is none of %s", name, names)
	}
	return err
}

func number(name, value string, from, to float64) (float64, error) {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || !(v >= from && v <= to) {
		return 0, fmt.Errorf("demo: read parameter %s: %q is not a number from %v to %v", name, value, from, to)
	}
	return v, nil
}

func count(name, value string) (uint64, error) {
	// 63 bits: more items than anyone can count, and no overflow in sums.
	v, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("demo: read parameter %s: %q is not a whole number", name, value)
	}
	return v, nil
}
