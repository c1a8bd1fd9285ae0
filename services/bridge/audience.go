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
}

// heard tells how many subscribers heard a message that Redis says went to n,
// and how many fewer these are than heard the one before.
func (a *audience) heard(ctx context.Context, n int64) (now int64, gone uint64) {
	if cluster, ok := a.redis.(*redis.ClusterClient); ok {
		if time.Since(a.counted) > countEvery {
			a.everywhere, a.counted = a.nodes(ctx, cluster), time.Now()
		}
		n = max(n, a.everywhere)
	}
	gone = uint64(max(a.last-n, 0))
	a.last = n
	return n, gone
}

// count asks how many subscribers there are.
func (a *audience) count(ctx context.Context) (int64, error) {
	if cluster, ok := a.redis.(*redis.ClusterClient); ok {
		return a.nodes(ctx, cluster), ctx.Err()
	}
	n, err := a.redis.PubSubNumSub(ctx, a.channel).Result()
	return n[a.channel], err
}

// nodes counts the subscribers of all nodes that answer, replicas too.
func (a *audience) nodes(ctx context.Context, cluster *redis.ClusterClient) int64 {
	var sum atomic.Int64
	// A node that does not answer has no subscriber that hears anything.
	_ = cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		n, err := node.PubSubNumSub(ctx, a.channel).Result()
		sum.Add(n[a.channel])
		return err
	})
	return sum.Load()
}
