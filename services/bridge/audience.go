package bridge

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// countPoll is how often subscribers are counted while they are waited for.
	countPoll = 100 * time.Millisecond
	// countEvery is how often the nodes of a cluster are asked for theirs.
	countEvery = time.Second
	// countWait is how long their answer may hold up what is sent.
	countWait = 250 * time.Millisecond
)

// audience follows who hears a channel. Redis says with each message how many
// subscribers it went to, and nothing else: not who, and not that one was
// dropped because it read too slowly. A node of a cluster counts its own
// subscribers alone, so there all are asked now and then. One goroutine uses it.
type audience struct {
	redis   redis.UniversalClient
	channel string
	// last is how many heard the last message.
	last int64

	everywhere int64
	counted    time.Time
	// asked brings the sum that has been asked for, if any has.
	asked chan int64
}

// heard tells how many subscribers heard a message that Redis says went to n,
// and how many fewer these are than heard the one before.
func (a *audience) heard(ctx context.Context, n int64) (now int64, gone uint64) {
	if cluster, ok := a.redis.(*redis.ClusterClient); ok {
		if time.Since(a.counted) > countEvery {
			a.recount(ctx, cluster)
		}
		n = max(n, a.everywhere)
	}
	gone = uint64(max(a.last-n, 0))
	a.last = n
	return n, gone
}

// recount asks all nodes. Where one hangs, the sum of the others is known the
// next time.
func (a *audience) recount(ctx context.Context, cluster *redis.ClusterClient) {
	if a.asked == nil {
		a.asked = make(chan int64, 1)
		go func(asked chan<- int64, before int64) {
			n, ok := a.nodes(ctx, cluster)
			if !ok {
				n = before
			}
			asked <- n
		}(a.asked, a.everywhere)
	}
	patience := time.NewTimer(countWait)
	defer patience.Stop()
	select {
	case a.everywhere = <-a.asked:
		a.asked = nil
	case <-patience.C:
	}
	a.counted = time.Now()
}

// count asks how many subscribers there are.
func (a *audience) count(ctx context.Context) (int64, error) {
	if cluster, ok := a.redis.(*redis.ClusterClient); ok {
		n, _ := a.nodes(ctx, cluster)
		return n, ctx.Err()
	}
	n, err := a.redis.PubSubNumSub(ctx, a.channel).Result()
	return n[a.channel], err
}

// nodes counts the subscribers of all nodes that answer, replicas too; ok is
// whether any did.
func (a *audience) nodes(ctx context.Context, cluster *redis.ClusterClient) (n int64, ok bool) {
	var sum atomic.Int64
	var answered atomic.Bool
	// A node that does not answer has no subscriber that hears anything.
	_ = forEach(ctx, cluster, func(ctx context.Context, node *redis.Client) error {
		n, err := node.PubSubNumSub(ctx, a.channel).Result()
		if err == nil {
			answered.Store(true)
			sum.Add(n[a.channel])
		}
		return err
	})
	return sum.Load(), answered.Load()
}
