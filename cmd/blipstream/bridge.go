package main

import (
	"os"
	"time"

	"github.com/blipstream/blipstream/services/bridge"
)

// bridgeFlags are the bridge's settings that `up` offers; the program bridge
// has all of them. In `up` the source is ours, so both channels go out unless
// the flags say otherwise.
type bridgeFlags struct {
	Redis      string           `name:"redis" help:"URL of a Redis server whose old channels are copied, too. Default: none."`
	TwitterRaw bridge.Direction `name:"twitter-raw" default:"out" enum:"in,out,off" help:"With --redis: which way the raw channel is copied (${enum})."`
	Events     bridge.Direction `name:"events" default:"out" enum:"in,out,off" help:"With --redis: which way the events channel is copied (${enum})."`
	MaxAge     time.Duration    `name:"redis-max-age" default:"5m" help:"With --redis: age beyond which messages that waited for Redis are not sent any more; 0 sends all."`
}

// config is nil without --redis.
func (f bridgeFlags) config() *bridge.Config {
	if f.Redis == "" {
		return nil
	}
	cfg := bridge.DefaultConfig()
	cfg.Redis, cfg.TwitterRaw, cfg.Events, cfg.MaxAge = f.Redis, f.TwitterRaw, f.Events, f.MaxAge
	cfg = cfg.WithSecrets(os.Getenv)
	return &cfg
}
