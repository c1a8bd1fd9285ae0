package enrich

import (
	"errors"
	"fmt"
	"time"

	"github.com/blipstream/blipstream/services/enrich/hydrate"
	"github.com/blipstream/blipstream/services/enrich/profiles"
)

// Config is what can be set. Its tags are the flags of the program; where it is
// made by hand, start from DefaultConfig.
type Config struct {
	Hydrators      []string      `name:"hydrators" default:"author,body,time,type,language,entities,media,position,country,spread" help:"Steps that read an item's candidates, in order; a later one may overwrite. Known: these and sentiment (of English texts)."`
	Positions      []string      `name:"positions" default:"point,place,profile,mention" help:"How a position may be known, in the order in which it is tried: an exact point, the centre of a place, the city where the author says to live, a city that the text names."`
	MaxPlaceRadius float64       `name:"max-place-radius" default:"500" help:"Largest radius in km of a place whose centre is put on the map; 0 for any."`
	MaxDeliveries  uint64        `name:"max-deliveries" default:"20" help:"Deliveries after which an item is watched, and put aside as dead if it ends the process three more times, or if a service still does not answer what a rule asks of it; 0 for never."`
	Rules          string        `name:"rules" placeholder:"FILE|kv:BUCKET" help:"Where the rules are that make events of your own: a YAML file, or a NATS key-value bucket (kv:rules)."`
	Profiles       string        `name:"bluesky-profiles" default:"https://public.api.bsky.app" placeholder:"URL|off" help:"Who is asked what the authors of Bluesky are called; off for nobody. Not asked for simulated posts unless it is another than the default."`
	ProfilesWait   time.Duration `name:"bluesky-profiles-wait" default:"500ms" help:"How long a post of Bluesky waits for its author's name at most, 0s to 10s. Other posts do not wait for it."`
	Prefetch       int           `name:"prefetch" default:"500" help:"Most raw items asked for at once."`
}

// The defaults. 500 km leaves out the large countries and keeps the small ones
// and nearly all regions (the largest place in a sample of 143 real ones: 376).
// 20 deliveries take at least 90 minutes by the consumer's back-off, so that in
// shorter outages of EVENTS no item needs the writes of a trial. A pull window
// of 500 is where more brings nothing.
const (
	defaultMaxPlaceRadius = 500
	defaultMaxDeliveries  = 20
	defaultPrefetch       = 500
)

// DefaultConfig is the Config of a program without flags.
func DefaultConfig() Config {
	return Config{
		Hydrators:      hydrate.Defaults(),
		Positions:      hydrate.AllPositions(),
		MaxPlaceRadius: defaultMaxPlaceRadius,
		MaxDeliveries:  defaultMaxDeliveries,
		Profiles:       profiles.Public,
		ProfilesWait:   profiles.Wait,
		Prefetch:       defaultPrefetch,
	}
}

// check finds settings that cannot work.
func (c Config) check() error {
	if !(c.MaxPlaceRadius >= 0) { // also NaN
		return errors.New("enrich: read settings: max-place-radius must be 0 or more")
	}
	if c.ProfilesWait < 0 || c.ProfilesWait > profiles.MaxWait {
		return fmt.Errorf("enrich: read settings: bluesky-profiles-wait must be 0s to %s", profiles.MaxWait)
	}
	if c.Prefetch < 1 {
		return errors.New("enrich: read settings: prefetch must be 1 or more")
	}
	return nil
}
