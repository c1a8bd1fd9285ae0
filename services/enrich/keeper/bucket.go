package keeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// The keys of a bucket of rules.
const (
	// KeyCurrent is what operators write.
	KeyCurrent = "current"
	// keyGood is the newest text that a replica has found good.
	keyGood = "good"
)

// againEvery is how often a bucket that cannot be read is tried.
const againEvery = time.Second

// loadBucket reads what is in force, until it can be read.
func (k *Keeper) loadBucket(ctx context.Context) error {
	told := false
	for {
		err := k.readBucket(ctx)
		if err == nil {
			return nil
		}
		if !told && ctx.Err() == nil {
			k.o.Log.Warn("rules cannot be read yet: no item is taken until they are",
				slog.String("place", k.o.Place), slog.String("error", err.Error()))
			told = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("keeper: read rules from %s: %w (last: %w)", k.o.Place, context.Cause(ctx), err)
		case <-time.After(againEvery):
		}
	}
}

// readBucket reads the bucket once.
func (k *Keeper) readBucket(ctx context.Context) error {
	current, err := k.o.Bus.GetValue(ctx, k.bucket, KeyCurrent)
	if err != nil {
		return err
	}
	if k.take(ctx, current) || current.Revision == 0 {
		return nil
	}
	good, err := k.o.Bus.GetValue(ctx, k.bucket, keyGood)
	if err != nil || good.Data == nil {
		return err
	}
	set, err := k.compile(good.Data)
	if err != nil {
		k.o.Log.Error("not even the last good rules can be used: there are none", slog.String("error", err.Error()))
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	refused, refusal := k.state.Refused, k.state.Refusal
	k.enforce(set, good.Mark)
	k.state.Refused, k.state.Refusal = refused, refusal
	return nil
}

// take considers a value of KeyCurrent. It reports whether that is in force now.
func (k *Keeper) take(ctx context.Context, v bus.Value) bool {
	if v.Data == nil {
		k.clear(v.Revision)
		return true
	}
	if !k.consider(string(v.Data), v.Revision) {
		return false
	}
	k.keepGood(ctx, v)
	return true
}

// clear takes all rules out of force, because an operator has deleted them.
func (k *Keeper) clear(revision uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text, k.seen = "", revision
	if revision > 0 {
		k.enforce(&rules.Set{}, revision)
	}
}

// keepGood writes a text that has passed, unless a newer one is there.
func (k *Keeper) keepGood(ctx context.Context, v bus.Value) {
	have, err := k.o.Bus.GetValue(ctx, k.bucket, keyGood)
	if err == nil && have.Mark < v.Revision {
		_, err = k.o.Bus.PutValue(ctx, k.bucket, keyGood, bus.Value{Data: v.Data, Revision: have.Revision, Mark: v.Revision})
	}
	// Another replica may have written it: then it is there.
	if err != nil && !errors.Is(err, bus.ErrChanged) && ctx.Err() == nil {
		k.o.Log.Warn("the good rules could not be put aside", slog.String("error", err.Error()))
	}
}

// watchBucket takes what is written until ctx ends.
func (k *Keeper) watchBucket(ctx context.Context) error {
	return k.o.Bus.WatchValue(ctx, k.bucket, KeyCurrent, func(v bus.Value) error {
		k.mu.Lock()
		known := v.Revision == k.seen && string(v.Data) == k.text
		k.mu.Unlock()
		if !known {
			k.take(ctx, v)
		}
		return nil
	})
}
