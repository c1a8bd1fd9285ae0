package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
	"github.com/blipstream/blipstream/internal/conf"
)

type tailCmd struct {
	URL   string   `name:"url" default:"http://127.0.0.1:8080" help:"URL of the gateway."`
	Kind  []string `name:"kind" default:"simple_tweet" help:"Kind of event to print; repeat it for several."`
	Since string   `name:"since" help:"Begin so far back: a duration (10m) or a time (RFC 3339)."`
	JSON  bool     `name:"json" help:"Print the payloads as they are, one JSON object a line."`
}

// Help says what no flag does.
func (tailCmd) Help() string {
	return "A gateway that asks for a sign-in is shown the token in " + conf.TokenVariable + "."
}

// Run prints events until the process is asked to stop.
func (c *tailCmd) Run(p *proc) error {
	printer := tail.Printer{Out: p.stdout, JSON: c.JSON}
	client := tail.Client{
		URL: c.URL, Kinds: c.Kind, Since: c.Since, Log: p.log,
		Token: strings.TrimSpace(os.Getenv(conf.TokenVariable)),
		Gap: func(g tail.Gap) {
			p.log.Warn("events are missing", slog.String("reason", g.Reason), slog.Uint64("count", g.Count),
				slog.String("sequences", fmt.Sprintf("%d-%d", g.From, g.To)))
		},
	}
	if err := client.Check(); err != nil {
		return refused(err)
	}
	if client.InTheClear() {
		p.log.Warn("the token travels unencrypted: use https", slog.String("url", c.URL))
	}
	return client.Run(p.ctx, printer.Print)
}
