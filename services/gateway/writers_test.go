package gateway

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/blipstream/blipstream/services/gateway/tail"
)

// bench is a writer that a test gives its turns, at times of the test's choice.
type bench struct {
	t   *testing.T
	sh  *shard
	now time.Time
}

func newShardBench(t *testing.T) *bench {
	t.Helper()
	g := atRest(t, testConfig())
	return &bench{t: t, sh: newShard(g), now: time.Now()}
}

// log makes a log of events that are readable at once.
func (b *bench) log() *tail.Tail {
	log := tail.New(tail.Options{Bytes: 4 << 20})
	log.Reset("e", 1, nil)
	return log
}

// client has the writer serve a client of a log, and returns the client's end.
// Each end holds about room bytes.
func (b *bench) client(log *tail.Tail, room int) *net.TCPConn {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = theirs.Close() })
	ours, err := l.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = ours.Close() })
	conn, ok := theirs.(*net.TCPConn)
	peerConn, also := ours.(*net.TCPConn)
	if !ok || !also {
		b.t.Fatal("no TCP")
	}
	for _, err := range []error{conn.SetReadBuffer(room), peerConn.SetWriteBuffer(room), conn.SetDeadline(b.now.Add(time.Minute))} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	raw, err := peerConn.SyscallConn()
	if err != nil {
		b.t.Fatal(err)
	}
	b.sh.adopt(&peer{conn: peerConn, raw: raw, reader: log.Live(nil), leave: func() {}, beat: b.now.Add(b.sh.s.cfg.Heartbeat)})
	b.sh.admit()
	return conn
}

// turn gives the writer its turn d later.
func (b *bench) turn(d time.Duration) {
	b.now = b.now.Add(d)
	for b.sh.turn(b.now) {
	}
}

// stalled is how many clients have no room, as the metrics tell.
func (b *bench) stalled() float64 { return testutil.ToFloat64(b.sh.s.metrics.stalled) }

// TestBusyLogDelaysNoHeartbeat: a client whose filter lets nothing through has
// its heartbeat though others on the same core always have something to get.
func TestBusyLogDelaysNoHeartbeat(t *testing.T) {
	b := newShardBench(t)
	busy, quiet := b.log(), b.log()
	b.client(busy, sendBuffer)
	waiting := b.client(quiet, sendBuffer)
	due := b.now.Add(b.sh.s.cfg.Heartbeat + 2*idleTick)
	for seq := uint64(1); b.now.Before(due); seq++ {
		busy.Append(seq, "geo_blip", []byte("data: x\n\n"))
		b.turn(idleTick / 5)
	}
	got := make([]byte, 64)
	n, err := waiting.Read(got)
	if err != nil || !strings.Contains(string(got[:n]), "event: hb\n") {
		t.Errorf("got %q, %v", got[:n], err)
	}
}

// TestStalledAreLeftAlone: a client that has no room is not looked at when the
// others get their events, only when its own time has come; and when it reads
// again it gets everything.
func TestStalledAreLeftAlone(t *testing.T) {
	b := newShardBench(t)
	log := b.log()
	good, dead := b.client(log, sendBuffer), b.client(log, 4<<10)
	go func() { _, _ = io.Copy(io.Discard, good) }() // until the test ends
	seq := uint64(0)
	send := func(d time.Duration) {
		seq++
		log.Append(seq, "geo_blip", fmt.Appendf(nil, "id: e-%d\ndata: %01000d\n\n", seq, seq))
		b.turn(d)
	}
	for seq < 2000 && b.stalled() == 0 {
		send(stalledTick / 10)
	}
	g := b.sh.groups[0]
	if b.stalled() != 1 || len(g.stalled) != 1 || len(g.peers) != 1 {
		t.Fatalf("%v stalled after %d events", b.stalled(), seq)
	}
	b.turn(stalledTick) // its turn
	rest := make([]byte, 64<<10)
	if _, err := dead.Read(rest); err != nil { // there is room now
		t.Fatal(err)
	}
	at := g.stalled[0].reader.Position()
	for range 5 {
		send(stalledTick / 10)
		if len(g.stalled) != 1 || g.stalled[0].reader.Position() != at {
			t.Fatal("a client that has no room had a turn with the others")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, dead) }()
	for range 2000 {
		if b.turn(stalledTick); b.stalled() == 0 {
			break
		}
		<-time.After(time.Millisecond)
	}
	if b.stalled() != 0 || len(g.peers) != 2 || g.peers[1].reader.Position() != seq {
		t.Errorf("%v are stalled when all read again", b.stalled())
	}
}
