// Command ingest reads upstream sources into the stream RAW of a NATS server.
// Start it twice to have a standby: each source is read by one process only.
package main

import (
	"os"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest"
)

func main() {
	program := service.Program[ingest.Config]{
		Name:        "ingest",
		Description: "Reads sources into a NATS server. A second process stands by until the first one stops.",
		New: func(cfg ingest.Config, conn *bus.Conn, env service.Env) (service.Runner, error) {
			return ingest.New(cfg, conn, env)
		},
	}
	os.Exit(program.Main(os.Args[1:], os.Stderr))
}
