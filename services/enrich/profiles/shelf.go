package profiles

import (
	"context"
	"fmt"

	"github.com/blipstream/blipstream/internal/bus"
)

// Bus is where buckets are; *bus.Conn is one.
type Bus interface {
	GetValue(ctx context.Context, bucket, key string) (bus.Value, error)
	PutValue(ctx context.Context, bucket, key string, v bus.Value) (uint64, error)
}

// Bucket is the Shelf in the KV bucket that bus.Ensure makes for it.
type Bucket struct{ Bus Bus }

// Load implements Shelf.
func (s Bucket) Load(ctx context.Context, key string) ([]byte, error) {
	v, err := s.Bus.GetValue(ctx, bus.BucketProfiles, key)
	if err != nil {
		return nil, fmt.Errorf("profiles: load: %w", err)
	}
	return v.Data, nil
}

// Store implements Shelf. Of two replicas that store at the same time one may
// fail: they know the same.
func (s Bucket) Store(ctx context.Context, key string, value []byte) error {
	had, err := s.Bus.GetValue(ctx, bus.BucketProfiles, key)
	if err == nil {
		_, err = s.Bus.PutValue(ctx, bus.BucketProfiles, key, bus.Value{Data: value, Revision: had.Revision})
	}
	if err != nil {
		return fmt.Errorf("profiles: store: %w", err)
	}
	return nil
}
