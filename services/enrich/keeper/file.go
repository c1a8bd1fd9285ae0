package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/blipstream/blipstream/services/enrich/rules"
)

// lookEvery is how often a file is read: a change is in force within that and
// the time it takes to compile.
const lookEvery = 2 * time.Second

// readFile reads a text, no more of it than a text may have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, rules.MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return text, nil
}

// watchFile looks at the file until ctx ends.
func (k *Keeper) watchFile(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.lookAtFile()
		}
	}
}

// lookAtFile considers the file if its text has changed. A file that cannot be
// read counts as a text that is refused.
func (k *Keeper) lookAtFile() {
	text, err := readFile(k.o.Place)
	k.mu.Lock()
	same, next := string(text) == k.text, k.seen+1
	if err != nil {
		if k.state.Refusal != errNoFile.Error() { // told once
			k.refuse(next, errNoFile)
			k.o.Log.Warn("file of rules cannot be read", slog.String("error", err.Error()))
		}
		k.text = ""
	}
	k.mu.Unlock()
	if err == nil && !same {
		k.consider(string(text), next)
	}
}

// errNoFile says so without the path, which is not for everybody's eyes.
var errNoFile = errors.New("rules: the file cannot be read")
