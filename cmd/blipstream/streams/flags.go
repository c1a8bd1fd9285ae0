package streams

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

// Flags are the flags that change the streams. What is not given stays as
// bus.DefaultLayout has it.
type Flags struct {
	Raw      LimitFlags     `embed:"" prefix:"raw-"`
	Events   LimitFlags     `embed:"" prefix:"events-"`
	Replay   LimitFlags     `embed:"" prefix:"replay-"`
	Dead     LimitFlags     `embed:"" prefix:"dead-"`
	Dedupe   *time.Duration `name:"dedupe-window" help:"How long a stream remembers message ids (10m); each costs the server about 215 bytes of memory."`
	Replicas *int           `name:"replicas" help:"Copies of each stream in a cluster (1)."`
}

// LimitFlags are the limits of one stream.
type LimitFlags struct {
	MaxAge   *time.Duration `name:"max-age" help:"How long this stream keeps a message."`
	MaxBytes *Size          `name:"max-bytes" help:"How much this stream keeps, such as 512MiB or 4GiB; then the oldest goes."`
}

// Layout is the streams the flags ask for.
func (f Flags) Layout() bus.Layout {
	l := bus.DefaultLayout()
	for _, x := range []struct {
		to   *bus.Limits
		from LimitFlags
	}{{&l.Raw, f.Raw}, {&l.Events, f.Events}, {&l.Replay, f.Replay}, {&l.Dead, f.Dead}} {
		set(&x.to.MaxAge, x.from.MaxAge)
		set(&x.to.MaxBytes, (*int64)(x.from.MaxBytes))
	}
	set(&l.DedupeWindow, f.Dedupe)
	set(&l.Replicas, f.Replicas)
	return l
}

// set replaces what was given. Also a zero, which the layout's check refuses.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

// Size is a number of bytes that can be written with a unit.
type Size int64

// units by their letters; k means 1000 only in kB, as SI has it.
var units = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// UnmarshalText reads a size such as 512MiB, 1.5GB or 1000000.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(string(text), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n > 0) || n*u.bytes >= math.MaxInt64 {
			break
		}
		*s = Size(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size such as 512MiB or 4GiB", text)
}
