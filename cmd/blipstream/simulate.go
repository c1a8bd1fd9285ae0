package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/simulate/feeds"
)

// byeTimeout bounds the farewell to those who read.
const byeTimeout = 2 * time.Second

type simulateCmd struct {
	Protocol string `arg:"" optional:"" enum:"twitter,bluesky,x,wikimedia,mastodon,usgs,emsc,sse" default:"twitter" help:"What is spoken: twitter (v1.1, the default), bluesky (Jetstream, and the names of its authors), x (API v2), wikimedia, mastodon, usgs, emsc or sse."`

	Addr   string  `name:"addr" default:"127.0.0.1:8090" help:"Address to serve on; port 0 takes a free one."`
	Items  uint64  `name:"items" help:"How many items there are; 0 for no end."`
	Rate   float64 `name:"rate" default:"20" help:"Items a second; 0 for as fast as they are read."`
	Resume bool    `name:"resume" help:"Go on for each credential where its last connection ended, instead of live."`
	Rewind uint64  `name:"rewind" help:"How many items a resumed connection repeats."`

	Secret    []string      `name:"secret" sep:"none" help:"Credential that is let in, bearer:TOKEN or basic:USER:PASSWORD; repeatable. Without any everybody is."`
	KeepAlive time.Duration `name:"keep-alive" default:"30s" help:"After how long a quiet connection gets an empty line."`
	Newlines  bool          `name:"newlines" help:"Put a bare line feed into every message."`
	Fault     []string      `name:"fault" sep:"none" placeholder:"QUERY" help:"What goes wrong on the first, second, ... connection: fault=KIND&after=ITEMS, with KIND one of status, silence, half-open, eof, cut, bytes, huge, keep-alives, malformed, disconnect, drift, clamp, bomb."`

	World worldFlags `embed:"" group:"World:"`
}

// worldFlags are the flags that make the world.
type worldFlags struct {
	Seed       uint64    `name:"seed" default:"1" help:"Which world."`
	Epoch      time.Time `name:"epoch" help:"When its first item was posted, as RFC 3339; the present if not given."`
	Geo        float64   `name:"geo" default:"0.75" help:"Share of posts that tell a position."`
	Malformed  float64   `name:"malformed" help:"Share of items that are broken."`
	Duplicates float64   `name:"duplicates" help:"Share of items that come twice."`
	Disorder   float64   `name:"disorder" help:"Share of items that change places with a neighbour."`
}

// options turns the flags into those of a server.
func (c *simulateCmd) options() (simulate.Options, error) {
	o := simulate.Options{
		Items: c.Items, Rate: c.Rate, Resume: c.Resume, Rewind: c.Rewind,
		Secrets: c.Secret, KeepAlive: c.KeepAlive, Newlines: c.Newlines,
	}
	for _, query := range c.Fault {
		f, err := simulate.ParseFault(query)
		if err != nil {
			return o, err
		}
		o.Script = append(o.Script, f)
	}
	world := simulate.WorldOptions{
		Seed: c.World.Seed, Epoch: c.World.Epoch, Geo: c.World.Geo, Malformed: c.World.Malformed,
		Duplicates: c.World.Duplicates, Disorder: c.World.Disorder,
	}
	if world.Epoch.IsZero() {
		world.Epoch = time.Now()
	}
	if c.Rate > 0 {
		world.Gap = time.Duration(float64(time.Second) / c.Rate)
	}
	var err error
	o.World, err = simulate.NewWorld(world)
	return o, err
}

// upstream is a server, and how a source of it is written, with %s for its address.
type upstream struct {
	source  string
	handler interface {
		http.Handler
		Close()
	}
}

// upstream makes the server of the protocol.
func (c *simulateCmd) upstream(o simulate.Options) (u upstream, err error) {
	switch c.Protocol {
	case "bluesky":
		u.source = "bluesky+ws://%[1]s/ --bluesky-profiles http://%[1]s"
		u.handler, err = simulate.NewBluesky(o)
	case "wikimedia", "mastodon", "usgs", "emsc", "sse":
		u.source = feedSources()[feeds.Protocol(c.Protocol)]
		u.handler, err = c.feeds(o.Script)
	case "x":
		u.source = "x+http://%s/?stream=sample"
		u.handler, err = simulate.NewX(o)
	default:
		u.source = "twitter+http://%s/1.1/statuses/sample.json"
		u.handler, err = simulate.NewServer(o)
	}
	return u, err
}

// feedSources are how sources of the protocols of package feeds are written.
func feedSources() map[feeds.Protocol]string {
	return map[feeds.Protocol]string{
		feeds.Wikimedia: "wikimedia+http://%s/v2/stream/recentchange",
		feeds.Mastodon:  "mastodon+http://%s",
		feeds.USGS:      "usgs+http://%s/earthquakes/feed/v1.0/summary/all_day.geojson?interval=5s",
		feeds.EMSC:      "emsc+ws://%s/standing_order/websocket",
		feeds.Events:    "sse+http://%s/events?id=/id",
	}
}

// feeds makes a server that speaks all protocols of package feeds at once.
func (c *simulateCmd) feeds(script []simulate.Fault) (*feeds.Server, error) {
	o := feeds.Options{
		Seed: c.World.Seed, Items: c.Items, Rate: c.Rate, Live: c.Resume, Rewind: c.Rewind,
		Removals: true, KeepAlive: c.KeepAlive, Script: script,
	}
	for _, secret := range c.Secret {
		token, ok := strings.CutPrefix(secret, "bearer:")
		if !ok {
			return nil, fmt.Errorf("simulate: read secret: %s lets in bearer:<token> alone", c.Protocol)
		}
		o.Tokens = append(o.Tokens, token)
	}
	return feeds.NewServer(o)
}

// Run serves until the process is asked to stop.
func (c *simulateCmd) Run(p *proc) error {
	o, err := c.options()
	if err != nil {
		return refused(err)
	}
	upstream, err := c.upstream(o)
	if err != nil {
		return refused(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(p.ctx, "tcp", c.Addr)
	if err != nil {
		return refused(fmt.Errorf("simulate: %w: give another --addr (127.0.0.1:0 takes a free port)", err))
	}
	fmt.Fprintf(p.stdout, "source  "+upstream.source+"\n", l.Addr())
	server := &http.Server{Handler: upstream.handler, ReadHeaderTimeout: byeTimeout}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("simulate: serve: %w", err)
	case <-p.ctx.Done():
	}
	upstream.handler.Close()
	return farewell(p.ctx, server)
}

// farewell lets connections end, and cuts those that do not.
func farewell(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("simulate: stop: %w", err)
	}
	return nil
}
