package main

import (
	"fmt"

	"github.com/blipstream/blipstream/services/ingest/bench"
)

type benchIngestCmd struct {
	NATS   string `name:"nats" help:"URL of a NATS server that nobody else uses; without it one is started in another process, with a directory that is removed again."`
	Items  int    `name:"items" default:"60000" help:"How many items each half stores."`
	Bytes  int    `name:"bytes" default:"2500" help:"How long an item is."`
	Rounds int    `name:"rounds" default:"3" help:"How often both halves are measured; the best of each counts."`
}

// Run measures and prints the table.
func (c *benchIngestCmd) Run(p *proc) error {
	url := c.NATS
	if url == "" {
		server, err := startChild(p)
		if err != nil {
			return err
		}
		defer server.stop()
		url = server.url
	}
	report, err := bench.Run(p.ctx, url, bench.Options{Items: c.Items, Bytes: c.Bytes, Rounds: c.Rounds, Log: p.log})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, report)
	return err
}
