package line

import (
	"context"
	"errors"
	"fmt"

	"github.com/blipstream/blipstream/internal/service"
)

var errStopped = errors.New("stopped without being asked to")

// stage is a service that is stopped on its own, not together with the others.
type stage struct {
	name   string
	runner service.Runner
	cancel context.CancelFunc
	done   chan struct{}
}

func newStage(name string, runner service.Runner) *stage {
	return &stage{name: name, runner: runner, done: make(chan struct{})}
}

// start runs the service. ended hears of an end that was not asked for. The
// end of ctx does not stop the service: its turn comes.
func (s *stage) start(ctx context.Context, ended chan<- error) {
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.done)
		err := s.runner.Run(ctx)
		if err == nil && ctx.Err() == nil {
			err = errStopped
		}
		if err != nil {
			ended <- fmt.Errorf("line: run %s: %w", s.name, err)
		}
	}()
}

// stop asks the service to stop and waits until it has drained, or ctx ends.
// What went wrong is told to ended.
func (s *stage) stop(ctx context.Context) error {
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("line: drain %s: %w", s.name, ctx.Err())
	}
}
