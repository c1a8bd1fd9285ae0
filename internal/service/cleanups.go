package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Cleanups is a stack of named teardown steps. They run last in, first out, as
// defer would, but with one deadline, with names in the errors, and once.
type Cleanups struct {
	mu    sync.Mutex
	steps []cleanup
}

type cleanup struct {
	name string
	stop func(context.Context) error
}

// Add registers a step to run before all those registered so far.
func (c *Cleanups) Add(name string, stop func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, cleanup{name, stop})
}

// Run runs every step, also after one has failed, and joins their errors. ctx
// bounds all of them together. Steps run once, however often Run is called.
func (c *Cleanups) Run(ctx context.Context) error {
	c.mu.Lock()
	steps := c.steps
	c.steps = nil
	c.mu.Unlock()
	var errs []error
	for _, s := range slices.Backward(steps) {
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("service: stop %s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}
