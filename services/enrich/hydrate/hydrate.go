package hydrate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Hydrator adds facts to a record.
type Hydrator interface {
	// Name is the word by which it is configured and counted.
	Name() string
	// Hydrate sets Author, Body, Position or Country of rec, as far as rec's
	// Upstream tells them. It keeps nothing of rec.
	Hydrate(rec *feed.Record)
}

// Options are the settings of the hydrators.
type Options struct {
	// MaxRadiusKm is the largest radius of a place that becomes a position, in
	// kilometres; 0 stands for no bound. See Position.
	MaxRadiusKm float64
}

// catalogue lists every hydrator, in the order in which they run by default.
func catalogue(o Options) []Hydrator {
	return []Hydrator{
		Author{},
		NewBody(),
		Position(o),
		Country{},
	}
}

// Names lists every hydrator there is, in the order in which they run by default.
func Names() []string {
	all := catalogue(Options{})
	names := make([]string, len(all))
	for i, h := range all {
		names[i] = h.Name()
	}
	return names
}

// Observer is told how each call of a hydrator went.
type Observer interface {
	// Hydrated is called after the hydrator name ran for took. failure is what
	// it panicked with, nil if it did not.
	Hydrated(name string, took time.Duration, failure any)
}

// Chain is hydrators in the order in which they run.
type Chain struct {
	hydrators []Hydrator
	observer  Observer
}

// New makes the chain of the named hydrators. It refuses a name that nobody
// has, and a name that is given twice.
func New(names []string, o Options, obs Observer) (*Chain, error) {
	all := catalogue(o)
	chain := &Chain{observer: obs}
	for i, name := range names {
		at := slices.IndexFunc(all, func(h Hydrator) bool { return h.Name() == name })
		if at < 0 {
			return nil, fmt.Errorf("hydrate: find hydrator %q: there are %s", name, strings.Join(Names(), ", "))
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("hydrate: list hydrators: %q is there twice", name)
		}
		chain.hydrators = append(chain.hydrators, all[at])
	}
	return chain, nil
}

// NewChain makes a chain of any hydrators.
func NewChain(obs Observer, hydrators ...Hydrator) *Chain {
	return &Chain{hydrators: hydrators, observer: obs}
}

// Hydrate runs the chain over rec.
func (c *Chain) Hydrate(rec *feed.Record) {
	start := time.Now()
	for _, h := range c.hydrators {
		failure := guard(h, rec)
		end := time.Now()
		c.observer.Hydrated(h.Name(), end.Sub(start), failure)
		start = end
	}
}

// guard runs h. If h panics it takes back what h has set and returns what h
// panicked with.
func guard(h Hydrator, rec *feed.Record) (failure any) {
	author, body, position, country := rec.Author, rec.Body, rec.Position, rec.Country
	defer func() {
		if failure = recover(); failure != nil {
			rec.Author, rec.Body, rec.Position, rec.Country = author, body, position, country
		}
	}()
	h.Hydrate(rec)
	return nil
}
