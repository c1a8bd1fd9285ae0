package wikimedia

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/param"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/sse"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	server        = "https://stream.wikimedia.org/v2/stream/"
	defaultStream = "recentchange"
	// project is where whoever runs the upstream finds out what reads it.
	project = "https://github.com/blipstream/blipstream"
)

var _ source.Opener = Open

// wiki is one source.
type wiki struct {
	name     string
	endpoint string
	agent    string
	wikis    []string
	observer source.Observer
	// from is when the event was that the present connection goes on behind;
	// zero if there is none, or once its first event has come.
	from time.Time
}

// Open makes the source that cfg describes; see the package's comment.
func Open(cfg source.Config) (source.Source, error) {
	q := param.Of("wikimedia", cfg.URL)
	w := &wiki{name: cfg.Name, agent: agent(q.Text("contact", "")), observer: cfg.Observe()}
	if wikis := q.Text("wiki", ""); wikis != "" {
		w.wikis = strings.Split(wikis, ",")
	}
	p := &sse.Profile{
		Who: "wikimedia: read " + cfg.Name, Request: w.request, Take: w.item,
		Client: upstream.Client(nil), Observer: cfg.Observe(), Log: cfg.Log,
	}
	p.Stall, p.MaxEvent = sse.Limits(q)
	params := url.Values{}
	if since := q.Text("since", ""); since != "" {
		params.Set("since", since)
	}
	q.NoMore()
	if err := q.Err(); err != nil {
		return nil, err
	}
	if cfg.Secret != "" {
		return nil, errors.New("wikimedia: read secret: the upstream takes none; unset it")
	}
	var err error
	w.endpoint, err = endpoint(cfg.URL, params)
	return p, err
}

// endpoint is what is connected to.
func endpoint(u *url.URL, params url.Values) (string, error) {
	if u.Scheme != "wikimedia" {
		if u.Host == "" {
			return "", errors.New("wikimedia: read url: it needs a host, as in wikimedia+https://stream.wikimedia.org/v2/stream/recentchange")
		}
		return sse.Endpoint(u, "wikimedia+", params).String(), nil
	}
	streams := u.Opaque
	if streams == "" {
		streams = defaultStream
	}
	if u.Host != "" || strings.Trim(streams, "abcdefghijklmnopqrstuvwxyz0123456789.,_-") != "" {
		return "", errors.New("wikimedia: read url: it is written wikimedia: or wikimedia:<stream>,<stream>")
	}
	to := server + streams
	if len(params) > 0 {
		to += "?" + params.Encode()
	}
	return to, nil
}

// agent is the User-Agent: what this is, and whom to write to.
func agent(contact string) string {
	contact = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '(' || r == ')' {
			return -1
		}
		return r
	}, contact)
	if contact != "" {
		contact += "; "
	}
	return upstream.Agent + " (" + contact + project + ")"
}

// keeps is how long the upstream is taken to keep events at least, and quiet is
// longer than its streams are silent: canaries come about every hour, to all of them.
const (
	keeps = 7 * 24 * time.Hour
	quiet = 2 * time.Hour
)

// placeOf is when the latest event was that an event id tells of; zero if none is.
func placeOf(id string) time.Time {
	var topics []struct {
		Timestamp int64 `json:"timestamp"`
	}
	if json.Unmarshal([]byte(id), &topics) != nil {
		return time.Time{}
	}
	latest := int64(0)
	for _, t := range topics {
		latest = max(latest, t.Timestamp)
	}
	if latest == 0 {
		return time.Time{}
	}
	return time.UnixMilli(latest).UTC()
}

// watch tells of a gap if a connection begins later than it was asked to, which
// the upstream does without a word where it no longer has what came before.
func (w *wiki) watch(id string) {
	from, at := w.from, placeOf(id)
	if from.IsZero() || !at.After(from) {
		return
	}
	w.from = time.Time{}
	if time.Since(from) > keeps && at.Sub(from) > quiet {
		source.TellGap(w.observer, source.Gap{Why: "the upstream does not keep events as long as the source was away", From: from, To: at})
	}
}

// request implements sse.Profile.Request.
func (w *wiki) request(ctx context.Context, from feed.Cursor) (*http.Request, error) {
	w.from = placeOf(string(from))
	req, err := sse.Get(ctx, w.endpoint, "", from)
	if err == nil {
		req.Header.Set("User-Agent", w.agent)
	}
	return req, err
}

// item implements sse.Profile.Take.
func (w *wiki) item(ev sse.Event) (feed.Item, bool) {
	w.watch(ev.ID)
	var meta, of []byte
	peek.Object(ev.Data, func(key, value []byte) bool {
		switch string(key) {
		case "meta":
			meta = value
		case "wiki":
			of = peek.Text(value)
		}
		return true
	})
	if string(peek.Text(peek.Field(meta, "domain"))) == "canary" {
		return feed.Item{}, false
	}
	if w.wikis != nil && !slices.Contains(w.wikis, string(of)) {
		return feed.Item{}, false
	}
	id := peek.ID(peek.Field(meta, "id"))
	if id == "" {
		id = peek.Hashed(ev.Data)
	}
	return feed.Item{ID: id, Source: w.name, Format: feed.FormatWikimedia, Cursor: feed.Cursor(ev.ID), Data: ev.Data}, true
}
