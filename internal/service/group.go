package service

import (
	"context"
	"errors"
	"fmt"
)

// Named is a Runner with the name that errors call it by.
type Named struct {
	Name string
	Runner
}

// Group runs runners side by side until ctx ends or one of them returns; then
// it ends the others and waits for them. It returns the errors of all.
func Group(ctx context.Context, runners ...Named) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, len(runners))
	for _, r := range runners {
		go func() {
			err := r.Run(ctx)
			if err != nil {
				err = fmt.Errorf("service: run %s: %w", r.Name, err)
			} else if ctx.Err() == nil {
				err = fmt.Errorf("service: run %s: %w", r.Name, errStopped)
			}
			done <- err
		}()
	}
	var errs []error
	for range runners {
		errs = append(errs, <-done)
		cancel()
	}
	return errors.Join(errs...)
}

var errStopped = errors.New("stopped without being asked to")
