package ingest

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

// Config is what the service is made from. Zero fields but Sources have their
// defaults, as the flags do.
type Config struct {
	Sources   []string      `name:"source" default:"demo:" sep:" " placeholder:"URL" help:"Where items come from; repeatable, or several separated by spaces. bluesky:, wikimedia:, usgs:, emsc:, mastodon:host, twitter+https://host/path, sse+https://host/path, webhook:, file:path.ndjson, demo:; docs/sources.md tells more. A fragment names the source (file:x.ndjson#x); its secret is in BLIPSTREAM_SECRET_<NAME>."`
	LeaseTTL  time.Duration `name:"lease-ttl" default:"5s" help:"How long after its reader's death another process takes a source over."`
	SaveEvery time.Duration `name:"cursor-every" default:"250ms" help:"How often the position in a source is saved."`
	Window    int           `name:"ingest-window" default:"4096" help:"Most items of a source that are read and not stored yet."`
	// WebhookAddr is where items are pushed to, for sources of the scheme webhook.
	WebhookAddr string `name:"webhook-addr" default:"127.0.0.1:8089" help:"Address that webhook: sources listen on; port 0 takes a free one."`
	// Schemes adds openers to those of the URL schemes that are built in, or
	// replaces them.
	Schemes map[string]source.Opener `kong:"-"`
	// Secret finds the secret of a source by the name of its environment
	// variable; nil means in the environment.
	Secret func(variable string) string `kong:"-"`
}

const (
	// minLeaseTTL leaves a renewal, which happens every third of it, the time
	// of a request over a slow network.
	minLeaseTTL = 500 * time.Millisecond
	maxLeaseTTL = 10 * time.Minute
	// minSaveEvery keeps the saving of cursors from being the load it is to avoid.
	minSaveEvery = 10 * time.Millisecond
	maxWindow    = 1 << 20
)

// withDefaults fills what is zero with the defaults of the flags.
func (c Config) withDefaults() Config {
	if c.LeaseTTL == 0 {
		c.LeaseTTL = 5 * time.Second
	}
	if c.SaveEvery == 0 {
		c.SaveEvery = 250 * time.Millisecond
	}
	if c.Window == 0 {
		c.Window = 4096
	}
	if c.WebhookAddr == "" {
		c.WebhookAddr = "127.0.0.1:8089"
	}
	if c.Secret == nil {
		c.Secret = os.Getenv
	}
	return c
}

// check refuses what cannot work.
func (c Config) check() error {
	switch {
	case len(c.Sources) == 0:
		return errors.New("ingest: read settings: no source is named; give --source at least once")
	case c.LeaseTTL < minLeaseTTL || c.LeaseTTL > maxLeaseTTL:
		return fmt.Errorf("ingest: read settings: lease-ttl %v is not from %v to %v", c.LeaseTTL, minLeaseTTL, maxLeaseTTL)
	case c.SaveEvery < minSaveEvery:
		return fmt.Errorf("ingest: read settings: cursor-every %v is below %v", c.SaveEvery, minSaveEvery)
	case c.Window < 1 || c.Window > maxWindow:
		return fmt.Errorf("ingest: read settings: ingest-window %d is not from 1 to %d", c.Window, maxWindow)
	}
	return nil
}
