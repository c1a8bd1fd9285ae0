// Command gateway serves the events of a NATS server to browsers and programs,
// and the page that shows them.
package main

import (
	"os"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/gateway"
)

func main() {
	program := service.Program[gateway.Config]{
		Name:        "gateway",
		Description: "Serves events to browsers over Server-Sent Events, and the page that shows them.",
		New: func(cfg gateway.Config, conn *bus.Conn, env service.Env) (service.Runner, error) {
			return gateway.New(cfg.WithSecrets(os.Getenv), conn, env)
		},
	}
	os.Exit(program.Main(os.Args[1:], os.Stderr))
}
