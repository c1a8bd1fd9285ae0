package feeds

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

// Options say how a server behaves.
type Options struct {
	// World is who posts; nil: a world of its own. Servers may share one.
	World *simulate.World
	// Seed tells earthquakes and places apart, and worlds where World is nil.
	Seed uint64
	// Items is how many items each protocol has; 0: without end. After the last
	// a connection stays open and quiet.
	Items uint64
	// Rate is how many items a second there are; 0: all of Items from the start.
	Rate float64
	// Live lets a stream whose client does not say where to go on begin where any
	// connection before it ended, the first one at item 0: what was lost on the
	// way has to be asked for otherwise. Without it a connection begins with the
	// present, or, with no Rate, at item 0.
	Live bool
	// Rewind is how many items a resumed connection repeats.
	Rewind uint64
	// Removals puts deletions and corrections among Mastodon's posts and the
	// earthquakes.
	Removals bool
	// Tokens are the bearer tokens that the Mastodon server lets in; none:
	// everybody.
	Tokens []string
	// MaxOpen is how many connections a client may have to one stream; one more
	// is refused with 429. 0: any number.
	MaxOpen int
	// KeepAlive is after how long a quiet connection gets a sign of life; zero:
	// 15 s.
	KeepAlive time.Duration
	// Script is what goes wrong on the first, second, ... connection,
	// whosoever's it is. Later ones are fine.
	Script []simulate.Fault
}

const (
	defaultKeepAlive = 15 * time.Second
	// maxRate keeps times representable.
	maxRate = 10_000_000
)

// NewServer makes a server. Its error is an option that cannot be meant.
func NewServer(o Options) (*Server, error) {
	if !(o.Rate >= 0 && o.Rate <= maxRate) {
		return nil, fmt.Errorf("feeds: check options: rate is %v, not a number from 0 to %v", o.Rate, maxRate)
	}
	if o.Rate == 0 && o.Items == 0 {
		return nil, errors.New("feeds: check options: a world without end needs a rate")
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = defaultKeepAlive
	}
	began := time.Now().Truncate(time.Millisecond)
	if o.World == nil {
		var err error
		if o.World, err = simulate.NewWorld(simulate.DefaultWorld(o.Seed)); err != nil {
			return nil, err
		}
	}
	world, err := o.World.From(began.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	o.Script = slices.Clone(o.Script)
	return &Server{
		o: o, world: world, began: began, closed: make(chan struct{}),
		next: map[Protocol]uint64{}, open: map[Protocol]int{},
	}, nil
}

// due is how many items there are by now.
func (s *Server) due() uint64 {
	due := uint64(math.MaxUint64)
	if s.o.Rate > 0 {
		due = uint64(time.Since(s.began).Seconds() * s.o.Rate)
	}
	if s.o.Items > 0 {
		due = min(due, s.o.Items)
	}
	return due
}

// untilDue is how long until item n is there; very long if it never will be.
func (s *Server) untilDue(n uint64) time.Duration {
	if s.o.Items > 0 && n >= s.o.Items {
		return math.MaxInt64
	}
	if s.o.Rate == 0 {
		return 0
	}
	return time.Until(s.began.Add(time.Duration(float64(n+1) / s.o.Rate * float64(time.Second))))
}

// at is when item n happened.
func (s *Server) at(n uint64) time.Time {
	if s.o.Rate > 0 {
		return s.began.Add(time.Duration(float64(n) / s.o.Rate * float64(time.Second))).Truncate(time.Millisecond)
	}
	const apart = 10 * time.Millisecond
	return s.began.Add(-time.Hour).Add(time.Duration(n) * apart)
}
