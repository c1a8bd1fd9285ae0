// Command bridge copies between NATS and the Redis channels of the old line.
// Run two for a standby: one works at a time.
package main

import (
	"os"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/bridge"
)

func main() {
	program := service.Program[bridge.Config]{
		Name:        "bridge",
		Description: "Copies between a NATS server and the Redis channels twitter_raw and events, for programs that still use them.",
		New: func(cfg bridge.Config, conn *bus.Conn, env service.Env) (service.Runner, error) {
			return bridge.New(cfg.WithSecrets(os.Getenv), conn, env)
		},
	}
	os.Exit(program.Main(os.Args[1:], os.Stderr))
}
