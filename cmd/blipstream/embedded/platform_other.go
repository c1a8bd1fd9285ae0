//go:build !(linux || darwin || freebsd)

package embedded

import (
	"errors"
	"os"
)

// errPlatform says that a data directory cannot be kept to one process here.
var errPlatform = errors.New("not known how to on this system: run a nats-server and give its --nats URL")

func lockFile(*os.File) error { return errPlatform }

func diskSpace(string) (free, total int64, err error) { return 0, 0, errPlatform }
