package bridge_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/bridge"
)

// slots are those of three masters. The first has the slot of twitter_raw,
// the second that of events.
var slots = [][2]int{{0, 5000}, {5001, 10000}, {10001, 16383}}

// cluster forms a cluster of three masters. replicas more nodes follow the
// second of them.
func cluster(t *testing.T, replicas int) []*redisServer {
	t.Helper()
	var nodes []*redisServer
	for i := range len(slots) + replicas {
		n := node(t)
		nodes = append(nodes, n)
		if i < len(slots) {
			must(t, n.client().Do(t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
			must(t, n.client().ClusterAddSlotsRange(t.Context(), slots[i][0], slots[i][1]).Err())
		}
		if i > 0 {
			// CLUSTER MEET with the bus port, which go-redis does not spell.
			must(t, n.client().Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", nodes[0].port, busPort(t, nodes[0])).Err())
		}
	}
	joined(t, 0, nodes...)
	for _, n := range nodes[len(slots):] {
		must(t, n.client().ClusterReplicate(t.Context(), id(t, nodes[1])).Err())
		bustest.WaitFor(t, "the replica follows", func() bool {
			info, err := n.client().Info(t.Context(), "replication").Result()
			return err == nil && strings.Contains(info, "master_link_status:up")
		})
	}
	joined(t, replicas, nodes...)
	return nodes
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node starts a node that is in no cluster yet. It tells fast that another is
// gone, though not so fast that a busy machine looks like that, and works on
// where a part of the slots is nobody's.
func node(t *testing.T) *redisServer {
	t.Helper()
	dir := t.TempDir()
	return startRedisWith(t, func(s *redisServer) []string {
		return []string{
			"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir,
			"--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", strconv.Itoa(freePort(t)),
			"--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0",
			"--repl-diskless-sync-delay", "0",
		}
	})
}

// busPort is where a node speaks to the others.
func busPort(t *testing.T, n *redisServer) string {
	t.Helper()
	i := slices.Index(n.args, "--cluster-port")
	if i < 0 {
		t.Fatal("no port for the cluster")
	}
	return n.args[i+1]
}

// id is the name of a node in its cluster.
func id(t *testing.T, n *redisServer) string {
	t.Helper()
	name, err := n.client().ClusterMyID(t.Context()).Result()
	must(t, err)
	return name
}

// joined waits until each node is linked to all the others and knows which of
// them are replicas: what is published on one is heard on every other.
func joined(t *testing.T, replicas int, nodes ...*redisServer) {
	t.Helper()
	for _, n := range nodes {
		c := n.client()
		bustest.WaitFor(t, "the cluster is one", func() bool {
			info, err := c.ClusterInfo(t.Context()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") {
				return false
			}
			known, err := c.ClusterNodes(t.Context()).Result()
			return err == nil && strings.Count(known, "\n") == len(nodes) && strings.Count(known, " connected") == len(nodes) &&
				strings.Count(known, "slave ") == replicas && !strings.Contains(known, "handshake") && !strings.Contains(known, "fail")
		})
	}
}

// clustered is a bridge's configuration for a cluster, of which it is told two
// nodes.
func clustered(nodes []*redisServer, raw, events bridge.Direction) bridge.Config {
	cfg := config(nodes[0], raw, events)
	cfg.Redis += "&addr=" + nodes[len(nodes)-1].addr()
	return cfg
}

// TestCluster copies both channels in, and then out, to old programs at every
// node, replicas too, and counts them.
func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 1)
	clusterIn(t, nodes)
	clusterOut(t, nodes)
	clusterCount(t, nodes)
}

func clusterIn(t *testing.T, nodes []*redisServer) {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	r := run(t, conn, clustered(nodes, bridge.In, bridge.In))
	defer r.end()
	for i, n := range nodes {
		publishRaw(t, n, i*100+1, (i+1)*100)
		event := `{"kind": "geo_blip", "body": "{\"lat\": ` + strconv.Itoa(i) + `, \"lon\": 5.5}"}`
		must(t, n.client().Publish(t.Context(), "events", event).Err())
	}
	bustest.WaitFor(t, "all have passed", func() bool {
		return r.metric("passed_total", "twitter_raw") == 100*float64(len(nodes)) &&
			r.metric("passed_total", "events") == float64(len(nodes))
	})
	storedOnce(t, conn, 100*len(nodes))
	if n := len(bustest.ReadAll(t, conn, feed.StreamEvents)); n != len(nodes) {
		t.Errorf("%d events are stored, want %d", n, len(nodes))
	}
}

func clusterOut(t *testing.T, nodes []*redisServer) {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	defer run(t, conn, clustered(nodes, bridge.Out, bridge.Out)).end()
	var raw, events []*ear
	for _, n := range nodes {
		raw, events = append(raw, n.listen("twitter_raw")), append(events, n.listen("events"))
		n.subscribed("twitter_raw")
		n.subscribed("events")
	}
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 2000)...)
	want := []string{}
	for i := 1; i <= 100; i++ {
		want = append(want, rawTweet(i, "x"))
		bustest.PublishRaw(t, conn, feed.Item{ID: strconv.Itoa(i), Source: "t", Format: feed.FormatTwitterV1, Data: []byte(rawTweet(i, "x"))})
	}
	for i := range nodes {
		bustest.WaitFor(t, "all is heard", func() bool { return events[i].count() == 2000 && raw[i].count() == 100 })
		checkOrder(t, numbers(t, events[i].heard()), 1, 2000, 0)
		if got := raw[i].heard(); !slices.Equal(got, want) {
			t.Errorf("node %d heard %q", i, got)
		}
	}
}

// A node of a cluster counts its own subscribers only; the bridge asks all. One
// that hangs is not waited for.
func clusterCount(t *testing.T, nodes []*redisServer) {
	t.Helper()
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	cfg := clustered(nodes, bridge.Off, bridge.Out)
	cfg.EventsChannel = "counted"
	cfg.Redis = strings.Replace(cfg.Redis, "read_timeout=30s", "read_timeout=5m", 1)
	r := run(t, conn, cfg)
	last := 0
	counted := func(by *ear, want float64) {
		bustest.WaitFor(t, "a message that is counted", func() bool {
			before, heard := r.metric("unheard_total"), by.count()
			last++
			bustest.Publish(t, conn, feed.StreamEvents, blips(last, last)...)
			bustest.WaitFor(t, "it is heard", func() bool { return by.count() > heard })
			return r.metric("receivers") == want && r.metric("unheard_total") == before
		})
	}
	var ears []*ear
	for i, n := range nodes { // wherever the bridge publishes, the others are elsewhere
		ears = append(ears, n.listen(cfg.EventsChannel))
		n.subscribed(cfg.EventsChannel)
		counted(ears[i], float64(i+1))
	}
	nodes[0].freeze()
	counted(ears[1], 3)
	if r.metric("receivers_left_total") == 0 {
		t.Error("the subscriber that hears nothing is not counted as gone")
	}
	nodes[3].kill()
	counted(ears[1], 2)
}

// TestClusterFailsOver kills the node that the bridge publishes to, whose
// replica takes its place, and then the one it is subscribed to, whose place
// nobody takes: to be heard, any other node is as good.
func TestClusterFailsOver(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 1)
	subscribed, published, third, replica := nodes[0], nodes[1], nodes[2], nodes[3]
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	ears := []*ear{third.listen("events"), replica.listen("events")}
	third.subscribed("events")
	replica.subscribed("events")
	r := run(t, conn, clustered(nodes, bridge.In, bridge.Out))
	l := startLoad(t, conn)
	bustest.WaitFor(t, "the load flows", func() bool { return ears[0].count() > 300 })
	subscribed.subscribed("twitter_raw")
	bustest.WaitFor(t, "it comes from the one node", func() bool { return publishes(t, published) })
	publishRaw(t, third, 1, 1000)

	published.kill()
	bustest.WaitFor(t, "the bridge says that a node is away", func() bool {
		return !r.up() && r.metric("redis_up", "events") == 0
	})
	gone := l.sent()
	publishRaw(t, third, 1001, 2000) // what comes in is not touched
	bustest.WaitFor(t, "the bridge says that all is well", func() bool { return r.up() && r.metric("redis_up") == 2 })
	bustest.WaitFor(t, "the load flows again", func() bool { return ears[0].count() > gone+300 })
	bustest.WaitFor(t, "it comes from the new master", func() bool { return publishes(t, replica) })
	storedOnce(t, conn, 2000)

	subscribed.kill()
	bustest.WaitFor(t, "the bridge is subscribed elsewhere", func() bool {
		return r.metric("sessions_total", "twitter_raw") > 1 && r.up()
	})
	publishRaw(t, third, 2001, 3000)
	storedOnce(t, conn, 3000)

	l.stop()
	for _, e := range ears {
		heardSince(t, e, gone, l.sent())
	}
	if n := r.metric("skipped_total") + r.metric("missed_total"); n != 0 {
		t.Errorf("%v were passed over", n)
	}

	r.end()
	r = run(t, conn, clustered(nodes, bridge.In, bridge.Out)) // one that starts now finds its way, too
	third.kill()
	replica.kill()
	bustest.Publish(t, conn, feed.StreamEvents, blips(l.sent()+1, l.sent()+1)...)
	bustest.WaitFor(t, "the bridge says that all are away", func() bool { return r.metric("redis_up") == 0 })
}

// TestClusterNodeIsTakenOut shrinks a cluster as an operator does. The nodes that
// are taken out run on and answer, but are alone.
func TestClusterNodeIsTakenOut(t *testing.T) {
	t.Parallel()
	nodes := cluster(t, 0)
	subscribed, published, third := nodes[0], nodes[1], nodes[2]
	srv := bustest.Start(t)
	conn := srv.Conn(t, "bridge")
	ear := third.listen("events")
	third.subscribed("events")
	r := run(t, conn, clustered(nodes, bridge.In, bridge.Out))
	subscribed.subscribed("twitter_raw")
	for i, n := range []*redisServer{subscribed, published} {
		name := id(t, n)
		for _, other := range nodes[i+1:] {
			must(t, other.client().ClusterForget(t.Context(), name).Err())
		}
		must(t, n.client().ClusterResetSoft(t.Context()).Err())
		must(t, third.client().ClusterAddSlotsRange(t.Context(), slots[i][0], slots[i][1]).Err())
	}
	third.subscribed("twitter_raw")
	bustest.WaitFor(t, "the bridge publishes elsewhere", func() bool { return r.metric("sessions_total", "events") > 1 && r.up() })
	publishRaw(t, third, 1, 100)
	bustest.Publish(t, conn, feed.StreamEvents, blips(1, 100)...)
	storedOnce(t, conn, 100)
	heardSince(t, ear, 1, 100)
}

// publishes reports whether a bridge publishes to a node.
func publishes(t *testing.T, n *redisServer) bool {
	t.Helper()
	list, err := n.client().ClientList(t.Context()).Result()
	must(t, err)
	return slices.ContainsFunc(strings.Split(list, "\n"), func(line string) bool {
		return strings.Contains(line, " name=blipstream-bridge ") && strings.Contains(line, " cmd=publish ")
	})
}

// heardSince proves that what was sent since a break is heard in order.
func heardSince(t *testing.T, e *ear, since, to int) {
	t.Helper()
	var said []int
	bustest.WaitFor(t, "everything since is heard", func() bool {
		said = numbers(t, e.heard())
		return len(said) > 0 && said[len(said)-1] == to
	})
	after := slices.Index(said, since)
	if after < 0 {
		t.Fatalf("%d, sent after the node was gone, was not heard", since)
	}
	checkOrder(t, said[after:], since, to, 2*512)
}
