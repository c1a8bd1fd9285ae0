package gateway

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blipstream/blipstream/services/gateway/pack"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// idleTick is how often a writer looks after heartbeats, stalledTick how
	// often it tries clients that had no room.
	idleTick    = 100 * time.Millisecond
	stalledTick = 10 * time.Millisecond
	// passChunks bounds what one client is given before the others' turn.
	passChunks = 4
	// maxSkips bounds how many tries a stalled client is left out of.
	maxSkips = 16
	// stallTimeout is how long a client may take nothing at all.
	stallTimeout = 30 * time.Second
)

// writers serves the connections that were taken over: one goroutine per core,
// each of which walks its clients and writes to each all that came since the
// last time, without ever waiting for one of them. A client at rest is its
// cursor and its socket: no goroutine, no timer and no buffer.
type writers struct {
	s      *Service
	shards []*shard
	turn   atomic.Uint64
}

func newWriters(s *Service) *writers {
	w := &writers{s: s}
	if hasWriters {
		for range runtime.GOMAXPROCS(0) {
			w.shards = append(w.shards, newShard(s))
		}
	}
	return w
}

// Run writes until ctx ends; then it says bye to every client.
func (w *writers) Run(ctx context.Context) error {
	if files := maxFiles(); files > 0 && files < uint64(w.s.cfg.MaxClients) {
		w.s.log.Warn("fewer files may be open than max-clients", slog.Uint64("files", files), slog.Int("max_clients", w.s.cfg.MaxClients))
	}
	var g errgroup.Group
	for _, sh := range w.shards {
		g.Go(func() error {
			sh.run(ctx)
			return nil
		})
	}
	<-ctx.Done()
	return g.Wait()
}

// adopt hands a connection to a writer, which calls leave at its end; false if
// the writers have stopped.
func (w *writers) adopt(o *rawOutlet, r *tail.Reader, zipped bool, leave func()) bool {
	raw, err := o.conn.SyscallConn()
	if err != nil || o.conn.SetDeadline(time.Time{}) != nil {
		return false
	}
	p := &peer{conn: o.conn, raw: raw, reader: r, zipped: zipped, leave: leave, beat: time.Now().Add(w.s.cfg.Heartbeat), until: o.until}
	return w.shards[w.turn.Add(1)%uint64(len(w.shards))].adopt(p)
}

// peer is one client of a writer.
type peer struct {
	conn   *net.TCPConn
	raw    syscall.RawConn
	reader *tail.Reader
	leave  func()
	// rest is what is to be sent before anything else: the end of an event
	// that was sent in part, or an event of the gateway's own.
	rest []byte
	beat time.Time
	// stalled is since when the socket has taken nothing; zero if it takes all.
	stalled time.Time
	// skip counts down the tries to leave out, skips is what it begins at.
	skip, skips uint8
	// zipped says that the stream is compressed.
	zipped bool
	// until is when the client's token expires; zero for never.
	until time.Time
}

// own returns what is meant for this client alone, in the form it takes.
func (p *peer) own(data []byte) []byte {
	if p.zipped {
		return pack.AppendStored(nil, data)
	}
	return data
}

// group is the clients of one log.
type group struct {
	log *tail.Tail
	// peers take all they are given. Those that have no room are in stalled, so
	// that they cost nothing where the others are served.
	peers, stalled []*peer
	// seen is the log's version when the clients last had their turn.
	seen uint64
	// more says that one of them could have taken more.
	more bool
}

// outcome is how the turn of a peer ended.
type outcome int

const (
	hasAll    outcome = iota // until the log has more
	wantsMore                // and the socket has room
	hasNoRoom
	isGone
)

// shard is one writer.
type shard struct {
	s       *Service
	groups  []*group
	scratch [][]byte
	write   nonBlocking
	// sent since the counters were last brought up to date.
	bytes, events int
	// idleAt and stalledAt are when the heartbeats, and those that had no room,
	// have their turn. They do not wait for a quiet moment.
	idleAt, stalledAt time.Time
	// waiting is how many peers have no room.
	waiting int

	mu      sync.Mutex
	arrived []*peer
	stopped bool
	wake    chan struct{}
}

func newShard(s *Service) *shard {
	return &shard{s: s, wake: make(chan struct{}, 1)}
}

// adopt takes a peer in; false if the shard has stopped.
func (sh *shard) adopt(p *peer) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.stopped {
		return false
	}
	sh.arrived = append(sh.arrived, p)
	select {
	case sh.wake <- struct{}{}:
	default:
	}
	return true
}

// run walks the peers whenever there is something for them.
func (sh *shard) run(ctx context.Context) {
	timer := time.NewTimer(idleTick)
	defer timer.Stop()
	for {
		changed := sh.s.hub.wake.Wait()
		sh.admit()
		now := time.Now()
		if more := sh.turn(now); more && ctx.Err() == nil {
			continue
		}
		timer.Reset(sh.rest(now))
		select {
		case <-changed:
		case <-sh.wake:
		case <-timer.C:
		case <-ctx.Done():
			sh.farewell()
			return
		}
	}
}

// rest is how long there is nothing to do unless something comes.
func (sh *shard) rest(now time.Time) time.Duration {
	next := sh.idleAt
	if sh.waiting > 0 && sh.stalledAt.Before(next) {
		next = sh.stalledAt
	}
	return next.Sub(now)
}

// admit adds the peers that have arrived to the groups of their logs.
func (sh *shard) admit() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, p := range sh.arrived {
		g := sh.group(p.reader.Tail())
		g.peers = append(g.peers, p)
		g.more = true
	}
	sh.arrived = nil
}

// group finds the group of a log, or makes it.
func (sh *shard) group(log *tail.Tail) *group {
	for _, g := range sh.groups {
		if g.log == log {
			return g
		}
	}
	g := &group{log: log}
	sh.groups = append(sh.groups, g)
	return g
}

// turn gives the peers their turn whose log has more for them and, when their
// time has come, every peer and those that had no room.
func (sh *shard) turn(now time.Time) (more bool) {
	all, retry := !now.Before(sh.idleAt), !now.Before(sh.stalledAt)
	if all {
		sh.idleAt = now.Add(idleTick)
	}
	if retry {
		sh.stalledAt = now.Add(stalledTick)
	}
	for _, g := range sh.groups {
		if retry && len(g.stalled) > 0 {
			sh.retry(g, now)
		}
		version := g.log.Version() // before reading: what comes later counts as new
		if all || g.more || version != g.seen {
			g.seen = version
			sh.pass(g, now)
		}
		more = more || g.more
	}
	sh.groups = slices.DeleteFunc(sh.groups, func(g *group) bool { return len(g.peers)+len(g.stalled) == 0 })
	sh.settle()
	return more
}

// pass gives every peer of a group that has room its turn.
func (sh *shard) pass(g *group, now time.Time) {
	g.more = false
	kept := g.peers[:0]
	for _, p := range g.peers {
		switch sh.serve(p, now) {
		case isGone:
			sh.drop(p)
			continue
		case hasNoRoom:
			g.stalled = append(g.stalled, p)
			continue
		case wantsMore:
			g.more = true
		case hasAll:
		}
		kept = append(kept, p)
	}
	clear(g.peers[len(kept):])
	g.peers = kept
}

// retry gives the peers of a group that had no room their turn.
func (sh *shard) retry(g *group, now time.Time) {
	kept := g.stalled[:0]
	for _, p := range g.stalled {
		if p.skip > 0 {
			p.skip--
			kept = append(kept, p)
			continue
		}
		switch sh.serve(p, now) {
		case isGone:
			sh.drop(p)
		case hasNoRoom:
			kept = append(kept, p)
		case wantsMore, hasAll:
			g.peers = append(g.peers, p)
			g.more = true
		}
	}
	clear(g.stalled[len(kept):])
	g.stalled = kept
}

// settle brings the counters up to date.
func (sh *shard) settle() {
	waiting := 0
	for _, g := range sh.groups {
		waiting += len(g.stalled)
	}
	sh.s.metrics.stalled.Add(float64(waiting - sh.waiting))
	sh.waiting = waiting
	sh.s.metrics.sent.Add(float64(sh.events))
	sh.s.metrics.sentBytes.Add(float64(sh.bytes))
	sh.events, sh.bytes = 0, 0
}

// serve writes to one peer what it can take.
func (sh *shard) serve(p *peer, now time.Time) outcome {
	for range passChunks {
		took, err := sh.step(p, now)
		switch {
		case err != nil:
			return isGone
		case took:
		case p.stalled.IsZero():
			return hasAll
		case sh.givesUp(p, now):
			return isGone
		default:
			return hasNoRoom
		}
	}
	return wantsMore
}

// step writes the next piece to a peer. took is false if there is nothing to
// write or no room for all of it.
func (sh *shard) step(p *peer, now time.Time) (took bool, err error) {
	if err := sh.expire(p, now); err != nil {
		return false, err
	}
	if len(p.rest) > 0 {
		return sh.writeRest(p, now)
	}
	chunk, gap := p.reader.Next(sh.scratch)
	switch {
	case gap != nil:
		told, err := sh.s.appendSlow(nil, p.reader, gap)
		p.rest = p.own(told)
		return true, err
	case chunk.Bytes > 0:
		sh.scratch = chunk.Runs
		return sh.writeChunk(p, chunk, now)
	case now.Before(p.beat):
		p.stalled = time.Time{}
		return false, nil
	}
	p.rest = p.own(sse.AppendHB(nil, position(p.reader), now))
	p.beat = now.Add(sh.s.cfg.Heartbeat)
	return true, nil
}

// writeRest writes what has to go first.
func (sh *shard) writeRest(p *peer, now time.Time) (bool, error) {
	sh.scratch = append(sh.scratch[:0], p.rest)
	n, err := sh.write.to(p.raw, sh.scratch)
	if err != nil {
		return false, err
	}
	sh.bytes += n
	p.rest = p.rest[n:]
	if len(p.rest) == 0 {
		p.rest = nil
	}
	return sh.progress(p, n, len(p.rest) == 0, now), nil
}

// writeChunk writes events; what does not fit is taken back, down to the rest
// of the event that was cut.
func (sh *shard) writeChunk(p *peer, c tail.Chunk, now time.Time) (bool, error) {
	n, err := sh.write.to(p.raw, c.Runs)
	if err != nil {
		return false, err
	}
	sh.bytes += n
	if n < c.Bytes {
		if rest := p.reader.Undo(c, n); rest != nil {
			p.rest = append(p.rest, rest...) // a copy: the log's memory must not hang on a peer
		}
	} else {
		sh.events += c.Events
	}
	return sh.progress(p, n, n == c.Bytes, now), nil
}

// progress notes whether the socket took what it was given.
func (sh *shard) progress(p *peer, n int, all bool, now time.Time) bool {
	switch {
	case all:
		p.stalled, p.skips = time.Time{}, 0
		return true
	case n > 0:
		p.stalled, p.skips = now, 0
	case p.stalled.IsZero():
		p.stalled = now
	default:
		p.skips = min(2*p.skips+1, maxSkips)
	}
	p.skip = p.skips
	return false
}

// givesUp decides about a peer that has no room.
func (sh *shard) givesUp(p *peer, now time.Time) bool {
	if now.Sub(p.stalled) < stallTimeout {
		return false
	}
	sh.s.metrics.slow.WithLabelValues(slowCut).Inc()
	return true
}

// drop ends a peer.
func (sh *shard) drop(p *peer) {
	_ = p.conn.Close() // nothing to do about a failure
	p.leave()
}

// farewell says bye to every peer that can hear it, and ends them all.
func (sh *shard) farewell() {
	sh.mu.Lock()
	sh.stopped = true
	sh.mu.Unlock()
	sh.admit()
	sh.s.hub.flush()
	sh.lastTurn(time.Now())
	for _, g := range sh.groups {
		for _, p := range slices.Concat(g.peers, g.stalled) {
			sh.bye(p)
			sh.drop(p)
		}
	}
	sh.groups = nil
	sh.settle()
}

// lastTurn gives every peer its turn, whenever it would have come.
func (sh *shard) lastTurn(now time.Time) {
	sh.idleAt, sh.stalledAt = now, now
	sh.turn(now)
}

// bye says bye to a peer that is not in the middle of something.
func (sh *shard) bye(p *peer) {
	if len(p.rest) > 0 {
		return
	}
	if bye, err := appendBye(nil, byeShutdown); err == nil {
		sh.scratch = append(sh.scratch[:0], p.own(bye))
		_, _ = sh.write.to(p.raw, sh.scratch) // it ends either way
	}
}
