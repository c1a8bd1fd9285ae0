package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/blipstream/blipstream/internal/conf"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/bluesky"
	"github.com/blipstream/blipstream/services/ingest/source/demo"
	"github.com/blipstream/blipstream/services/ingest/source/emsc"
	"github.com/blipstream/blipstream/services/ingest/source/file"
	"github.com/blipstream/blipstream/services/ingest/source/mastodon"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/source/twitter"
	"github.com/blipstream/blipstream/services/ingest/source/usgs"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
	"github.com/blipstream/blipstream/services/ingest/source/wikimedia"
	"github.com/blipstream/blipstream/services/ingest/source/xapi"
)

// schemes are the openers of the URL schemes, those of the configuration included.
func (c Config) schemes() map[string]source.Opener {
	known := map[string]source.Opener{
		"twitter+http":  twitter.Open,
		"twitter+https": twitter.Open,
		"file":          file.Open,
		"sse+http":      sse.Open,
		"sse+https":     sse.Open,

		"ws": websocket.Open, "wss": websocket.Open, "ws+http": websocket.Open, "ws+https": websocket.Open,

		"x": xapi.Open, "x+http": xapi.Open, "x+https": xapi.Open,

		"bluesky": bluesky.Open, "bluesky+ws": bluesky.Open, "bluesky+wss": bluesky.Open,

		"mastodon": mastodon.Open, "mastodon+http": mastodon.Open, "mastodon+https": mastodon.Open,

		"emsc": emsc.Open, "emsc+ws": emsc.Open, "emsc+wss": emsc.Open,

		"usgs": usgs.Open, "usgs+http": usgs.Open, "usgs+https": usgs.Open,

		"wikimedia": wikimedia.Open, "wikimedia+http": wikimedia.Open, "wikimedia+https": wikimedia.Open,
		"demo": demo.Open,

		webhookScheme: nil, // pushed to: see receiver
	}
	maps.Copy(known, c.Schemes)
	return known
}

// spec is a source as the configuration names it.
type spec struct {
	name   string
	url    *url.URL
	secret string
	open   source.Opener
}

// specs reads the sources' URLs.
func (c Config) specs() ([]spec, error) {
	known := c.schemes()
	var specs []spec
	for _, raw := range c.Sources {
		s, err := parseSource(raw, known)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(specs, func(o spec) bool { return o.name == s.name }) {
			return nil, fmt.Errorf("ingest: read sources: two are named %s; name one of them by a fragment, as in %s:…#other", s.name, s.url.Scheme)
		}
		s.secret = c.Secret(secretVariable(s.name))
		specs = append(specs, s)
	}
	return specs, nil
}

// parseSource reads one source's URL. Its errors never hold the URL, which may
// hold what should have been a secret.
func parseSource(raw string, known map[string]source.Opener) (spec, error) {
	u, err := url.Parse(raw)
	if err != nil {
		scheme, _, _ := strings.Cut(raw, ":") // the parser's error may hold more than may be shown
		return spec{}, fmt.Errorf("ingest: read sources: the url that begins with %q is not one: look for a wrong port or a %% that is not %%25", scheme)
	}
	open, ok := known[u.Scheme]
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		return spec{}, fmt.Errorf("ingest: read sources: scheme %q is not one of %s; a source is written <scheme>:…", u.Scheme, strings.Join(names, ", "))
	}
	if err := refuseSecrets(u); err != nil {
		return spec{}, err
	}
	name := u.Fragment
	if name == "" {
		name, _, _ = strings.Cut(u.Scheme, "+")
	}
	if !feed.ValidSource(name) {
		return spec{}, fmt.Errorf("ingest: read sources: name %q is not made of a-z, 0-9, _ and - (63 at most, first a letter or digit)", name)
	}
	return spec{name: name, url: u, open: open}, nil
}

// refuseSecrets refuses credentials in a URL: those are seen in process lists,
// logs and metrics.
func refuseSecrets(u *url.URL) error {
	const instead = "put it into " + conf.SecretPrefix + "<NAME> in the environment"
	if u.User != nil {
		return fmt.Errorf("ingest: read sources: the url of a %s source holds a user or password; %s", u.Scheme, instead)
	}
	for name := range u.Query() {
		low := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
		for _, word := range []string{"token", "secret", "password", "passwd", "apikey", "oauth", "bearer", "authorization", "credential"} {
			if strings.Contains(low, word) {
				return fmt.Errorf("ingest: read sources: parameter %s of a %s source looks like a secret; %s", name, u.Scheme, instead)
			}
		}
	}
	return nil
}

// secretVariable is the environment variable of a source's secret.
func secretVariable(name string) string {
	return conf.SecretPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// leaseKey is the lease of a source: one per name and credential. The
// credential is told apart by a short hash, which gives nothing of it away.
func (s spec) leaseKey() string {
	if s.secret == "" {
		return s.cursorKey()
	}
	const hashBytes = 4
	sum := sha256.Sum256([]byte(s.secret))
	return s.cursorKey() + "." + hex.EncodeToString(sum[:hashBytes])
}

// cursorKey is the cursor of a source, whatever the credential.
func (s spec) cursorKey() string { return "ingest." + s.name }
