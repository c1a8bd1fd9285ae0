package main

import "github.com/blipstream/blipstream/cmd/blipstream/streams"

type ensureCmd struct {
	Ensure streams.Ensure `embed:""`
}

// Run makes what is missing. It is safe to run at any time, and again.
func (c *ensureCmd) Run(p *proc) error {
	conn, err := c.Ensure.Connect(p.log)
	if err != nil {
		return refused(err)
	}
	return c.Ensure.Make(p.ctx, conn, p.stdout)
}
