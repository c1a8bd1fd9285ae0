package simulate

import (
	"fmt"
	"time"

	"github.com/blipstream/blipstream/internal/simulate/atlas"
	"github.com/blipstream/blipstream/internal/simulate/dice"
	"github.com/blipstream/blipstream/internal/simulate/phrase"
)

// WorldOptions say what a world is like. Shares are of 1.
type WorldOptions struct {
	// Seed tells worlds apart.
	Seed uint64
	// Epoch is when item 0 was posted; ids count from it, so worlds with
	// different epochs never share an id. Zero: the start of 2026.
	Epoch time.Time
	// Gap is the mean time between two items where Time decides; zero: 50 ms.
	Gap time.Duration
	// Geo is the share of original posts that tell a position.
	Geo float64
	// Limits puts limit notices among the items, as an upstream sends them
	// that holds posts back.
	Limits bool
	// Malformed is the share of items that are not what the API promises, of
	// all sorts but Huge.
	Malformed float64
	// Duplicates is the share of items that come a second time instead of a
	// new one.
	Duplicates float64
	// Disorder is the share of items that change places with a neighbour.
	Disorder float64
}

// DefaultGeo is the share of posts with a position in a lively world; in the
// real one it was about a hundredth.
const DefaultGeo = 0.75

// DefaultWorld is a world as the API promises it, with many positions.
func DefaultWorld(seed uint64) WorldOptions { return WorldOptions{Seed: seed, Geo: DefaultGeo} }

// World makes items. It never changes and may be shared by goroutines.
type World struct {
	o     WorldOptions
	base  uint64 // id of item 0
	atlas *atlas.Atlas
	book  *phrase.Book
}

// Salts tell apart what dice are thrown for.
const (
	saltKind = iota
	saltPost
	saltPast
	saltAuthor
	saltOrder
	saltControl
	saltPlace
	saltTime
	saltMalformed
)

// maxBad leaves enough posts for deletes and duplicates to refer to.
const maxBad = 0.9

// Ids are made as Twitter's snowflakes are: milliseconds since a moment, in
// steps of 2^22. Ours is the end of 1999, so that every clock that was ever set
// gives an id, and ids fit 63 bits until 2069.
const (
	snowflakeEpoch = 946_598_400_000 // 1999-12-31 00:00 UTC in Unix milliseconds
	snowflakeShift = 22
)

// NewWorld makes a world. Its error is an option that cannot be meant.
func NewWorld(o WorldOptions) (*World, error) {
	for name, share := range map[string]float64{
		"geo": o.Geo, "malformed": o.Malformed, "duplicates": o.Duplicates, "disorder": o.Disorder,
	} {
		if !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("simulate: check options: %s is %v, not a share from 0 to 1", name, share)
		}
	}
	if o.Malformed+o.Duplicates > maxBad {
		return nil, fmt.Errorf("simulate: check options: malformed and duplicates are %v together, more than %v", o.Malformed+o.Duplicates, maxBad)
	}
	if o.Gap < 0 {
		return nil, fmt.Errorf("simulate: check options: gap is %v, less than nothing", o.Gap)
	}
	a, err := atlas.Load()
	if err != nil {
		return nil, fmt.Errorf("simulate: load atlas: %w", err)
	}
	b, err := phrase.Load()
	if err != nil {
		return nil, fmt.Errorf("simulate: load texts: %w", err)
	}
	w := &World{o: o.withDefaults(), atlas: a, book: b}
	return w, w.start()
}

func (o WorldOptions) withDefaults() WorldOptions {
	if o.Epoch.IsZero() {
		o.Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.Gap == 0 {
		o.Gap = 50 * time.Millisecond
	}
	return o
}

// start sets the first id, and refuses epochs that ids cannot express.
func (w *World) start() error {
	ms := w.o.Epoch.UnixMilli() - snowflakeEpoch
	if ms <= 0 || ms >= 1<<(63-snowflakeShift) {
		return fmt.Errorf("simulate: check options: epoch %v is not between 2000 and 2069", w.o.Epoch)
	}
	w.base = uint64(ms) << snowflakeShift
	return nil
}

// From returns the same world with another epoch.
func (w *World) From(epoch time.Time) (*World, error) {
	o := w.o
	o.Epoch = epoch
	next := &World{o: o.withDefaults(), atlas: w.atlas, book: w.book}
	return next, next.start()
}

// Atlas is where the world's people live.
func (w *World) Atlas() *atlas.Atlas { return w.atlas }

// ID is the id of item n, unique within all worlds whose epochs differ. For a
// post it is its id_str; the copy of a duplicate has the id of the first.
func (w *World) ID(n uint64) uint64 { return w.base + w.original(w.item(n)) }

// Time is when item n is posted if nobody else decides: Gap after the one
// before on average, and never before it.
func (w *World) Time(n uint64) time.Time {
	d := w.dice(n, saltTime)
	jitter := time.Duration(d.Float() * float64(w.o.Gap))
	return w.o.Epoch.Add(time.Duration(n)*w.o.Gap + jitter)
}

func (w *World) dice(n, salt uint64) dice.Dice { return dice.Of(w.o.Seed, n, salt) }
