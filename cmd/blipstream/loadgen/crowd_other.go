//go:build !linux

package loadgen

import (
	"context"
	"errors"
	"fmt"
)

// Crowd is many clients of one server; here there can be none, as there is no
// epoll.
type Crowd struct{}

// Join fails.
func Join(context.Context, Options) (*Crowd, error) {
	return nil, fmt.Errorf("loadgen: make epoll: %w", errors.ErrUnsupported)
}

// Reset does nothing.
func (*Crowd) Reset() {}

// Totals is empty.
func (*Crowd) Totals() Totals { return Totals{} }

// Close does nothing.
func (*Crowd) Close() {}
