package bus

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// identity are the options by which the server and this user know each other.
// A file that is missing or holds something else is told at once: later it
// would look like a server that refuses for ever.
func (o Options) identity() ([]nats.Option, error) {
	var opts []nats.Option
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA)) // it is read by Connect
	}
	if o.NKey != "" {
		key, err := nats.NkeyOptionFromSeed(o.NKey)
		if err != nil {
			return nil, fmt.Errorf("read the nkey's seed of %s: %w", o.NKey, err)
		}
		opts = append(opts, key)
	}
	return opts, nil
}
