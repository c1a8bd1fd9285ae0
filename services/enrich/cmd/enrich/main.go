// Command enrich turns raw items into events. Run as many as the backlog needs:
// they share one durable consumer.
package main

import (
	"os"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/enrich"
)

func main() {
	program := service.Program[enrich.Config]{
		Name:        "enrich",
		Description: "Turns the raw items of a NATS server into events. Replicas share the work.",
		New: func(cfg enrich.Config, conn *bus.Conn, env service.Env) (service.Runner, error) {
			return enrich.New(cfg, conn, env)
		},
	}
	os.Exit(program.Main(os.Args[1:], os.Stderr))
}
