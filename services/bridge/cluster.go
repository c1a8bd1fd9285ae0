package bridge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// nodeWait bounds what one node of a cluster may take where the others do
	// as well without it.
	nodeWait = time.Second
	// insideEvery is how often the node in use is asked whether it is still in
	// its cluster.
	insideEvery = 3 * time.Second
)

var (
	errNoNode  = errors.New("no node of the redis cluster answers")
	errOutside = errors.New("the node is in no redis cluster any more")
)

// forEach calls f for all nodes of a cluster at once, replicas too, as they are
// known now. One that hangs is left behind, also when it is asked which nodes
// there are.
func forEach(ctx context.Context, cluster *redis.ClusterClient, f func(context.Context, *redis.Client) error) error {
	lookup, cancel := context.WithTimeout(ctx, nodeWait)
	defer cancel()
	return cluster.ForEachShard(lookup, func(_ context.Context, node *redis.Client) error {
		ctx, cancel := context.WithTimeout(ctx, nodeWait)
		defer cancel()
		return f(ctx, node)
	})
}

// refresh finds out which nodes there are.
func refresh(ctx context.Context, cluster *redis.ClusterClient) {
	_ = forEach(ctx, cluster, func(context.Context, *redis.Client) error { return nil })
}

// hearing is the server to subscribe to. A node of a cluster hears what is
// published on any other, so nobody waits until one that is gone has been
// replaced; as long as it answers, it is the master for the channel's slot.
func (s *Service) hearing(ctx context.Context, channel string) (redis.UniversalClient, error) {
	cluster, ok := s.redis.(*redis.ClusterClient)
	if !ok {
		return s.redis, nil
	}
	var mu sync.Mutex
	var alive []*redis.Client
	err := forEach(ctx, cluster, func(ctx context.Context, node *redis.Client) error {
		if err := inside(ctx, node); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		alive = append(alive, node)
		return nil
	})
	if len(alive) == 0 {
		return nil, errors.Join(errNoNode, err)
	}
	if own, err := cluster.MasterForKey(ctx, channel); err == nil && slices.Contains(alive, own) {
		return own, nil
	}
	return alive[0], nil
}

// inside is nil if a node answers and is in a cluster. One that was taken out
// of it answers as before, and hears and says nothing.
func inside(ctx context.Context, node redis.Cmdable) error {
	info, err := node.ClusterInfo(ctx).Result()
	if err == nil && strings.Contains(info, "cluster_slots_assigned:0\r") {
		return errOutside
	}
	return err
}

// watchInside ends what is done with a node that is taken out of its cluster.
// That it does not answer is found by those who use it.
func (s *Service) watchInside(ctx context.Context, node redis.Cmdable, end context.CancelCauseFunc) {
	if _, ok := s.redis.(*redis.ClusterClient); !ok {
		return
	}
	tick := time.NewTicker(insideEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		asking, cancel := context.WithTimeout(ctx, nodeWait)
		err := inside(asking, node)
		cancel()
		if errors.Is(err, errOutside) {
			end(err)
			return
		}
	}
}
