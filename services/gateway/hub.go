package gateway

import (
	"context"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/live"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/stats"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// viewBytes is the memory of a view: what a client may be behind before it
	// is told a gap.
	viewBytes = 1 << 20
	// viewLinger is how long a view without clients is kept.
	viewLinger = 30 * time.Second
)

// hub takes every event once and gives it to the log of all events and to the
// views of it. What it does for a view is done once for all its clients.
type hub struct {
	s    *Service
	base *view
	wake *tail.Signal

	mu    sync.Mutex
	views map[string]*view
	// made is how many of them were made for an address.
	made map[netip.Addr]int
	// order is the views, for the work that is done on each.
	order []*view
	// next is what follows the last event taken.
	epoch string
	next  uint64
}

func newHub(s *Service) *hub {
	h := &hub{s: s, wake: tail.NewSignal(), views: map[string]*view{}, made: map[netip.Addr]int{}}
	h.base = &view{refs: 1, tail: tail.New(tail.Options{Bytes: s.cfg.RingBytes, Window: s.cfg.Window, Wake: h.wake})}
	return h
}

// append gives an event to all who want it; nobody gets one that was removed
// before it came.
func (h *hub) append(e *incoming) {
	gone := h.s.removals.gone(e.kind, e.facts)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = e.seq + 1
	if gone {
		h.s.metrics.removed.Inc()
		h.skipTo(h.next)
		return
	}
	h.s.removals.add(e)
	h.base.tail.Append(e.seq, e.kind, e.encoded)
	for _, v := range h.order {
		v.take(e)
	}
}

// skip says that there is nothing for anybody below next.
func (h *hub) skip(next uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = next
	h.skipTo(next)
}

// skipTo is skip with the lock held.
func (h *hub) skipTo(next uint64) {
	h.base.tail.Advance(next)
	for _, v := range h.order {
		v.skip(next)
	}
}

// notice tells all clients something; next is as for tail.Notice.
func (h *hub) notice(next uint64, encoded []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endFrames()
	h.next = max(h.next, next)
	h.base.tail.Notice(next, encoded)
	for _, v := range h.order {
		if v.packer == nil {
			v.tail.Notice(next, encoded)
		}
	}
}

// reset says that the sequences start over.
func (h *hub) reset(epoch string, start uint64, notice []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endFrames()
	h.epoch, h.next = epoch, start
	h.s.removals.startOver(start)
	h.base.tail.Reset(epoch, start, notice)
	for _, v := range h.order {
		if v.packer == nil {
			v.tail.Reset(epoch, start, notice)
		}
	}
}

// endFrames ends the frames of all views before their time, so that what they
// hold is told before what comes next. The lock is held.
func (h *hub) endFrames() {
	now, reached := time.Now(), max(h.next, 1)-1
	for _, v := range h.order {
		v.endFrame(h.epoch, reached, now, nil)
	}
}

// flush makes readable, also compressed, all that was taken.
func (h *hub) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endFrames()
	h.base.tail.Flush()
	for _, v := range h.order {
		v.tail.Flush()
	}
	for _, v := range h.order {
		if v.packer != nil {
			v.packer.drain()
			v.tail.Flush()
		}
	}
}

// tickAll ends the frames of all views.
func (h *hub) tickAll(now time.Time, also statistics) {
	for _, v := range h.order {
		if v.packer == nil {
			v.tick(h.epoch, max(h.next, 1)-1, now, also[allowedKey(v.allowed)])
		}
	}
}

// acquire finds the view for a selection, or makes it for addr; packed is the
// view that is compressed. Every view that was acquired must be released.
func (h *hub) acquire(sel selection, packed bool, addr netip.Addr) (*view, *sse.Problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sel.whole() {
		addr = everybody()
	}
	return h.find(sel, packed, addr)
}

// find is acquire with the lock held.
func (h *hub) find(sel selection, packed bool, addr netip.Addr) (*view, *sse.Problem) {
	kinds := sel.kinds
	if !sel.live {
		sel.allowed = nil // they are chosen among, and nothing else is told of
	}
	if !sel.live && !packed {
		sel.kinds = nil // readers of an uncompressed log choose kinds themselves
	}
	if !sel.live && !packed && sel.filter.Empty() && sel.rate == 0 {
		h.base.refs++
		return h.base, nil
	}
	key := sel.key(packed)
	if v, ok := h.views[key]; ok {
		v.refs++
		return v, nil
	}
	v := &view{key: key, refs: 1, selection: sel, maker: addr}
	if packed {
		plain := selection{live: sel.live, allowed: sel.allowed, kinds: kinds, filter: sel.filter, rate: sel.rate}
		source, problem := h.find(plain, false, addr)
		if problem != nil {
			return nil, problem
		}
		v.source = source
	}
	// The source of a compressed view has its room by now, and keeps it.
	if problem := h.room(addr); problem != nil {
		h.unread(v.source)
		return nil, problem
	}
	if packed {
		h.pack(v)
	} else {
		h.fill(v)
	}
	h.add(v)
	return v, nil
}

// unread ends a use of a view, with the lock held; v may be nil.
func (h *hub) unread(v *view) {
	if v == nil {
		return
	}
	if v.refs--; v.refs == 0 {
		v.idle = time.Now()
	}
}

// fill makes a view that takes events.
func (h *hub) fill(v *view) {
	window := h.s.cfg.Window
	if v.live {
		v.frames, v.ration, window = live.NewFramer(), ration{v.rate, 1}, 0
	} else if v.rate > 0 {
		v.thin = newThinner(v.rate, h.s.removals.seed)
	}
	v.tail = tail.New(tail.Options{Bytes: viewBytes, Window: window, Wake: h.wake})
	v.tail.Reset(h.epoch, max(h.next, 1), nil)
}

// pack makes a view that is its source compressed.
func (h *hub) pack(v *view) {
	v.stop = make(chan struct{})
	v.tail = tail.New(tail.Options{Bytes: viewBytes, Wake: h.wake})
	kinds := v.kinds
	if v.live {
		kinds = nil
	}
	v.packer = newPacker(h.s, v.source.tail, kinds, v.tail)
	go v.packer.run(v.stop)
}

// release ends a use of a view.
func (h *hub) release(v *view) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unread(v)
}

// key is the same for all selections that mean the same.
func (sel *selection) key(packed bool) string {
	return strings.Join([]string{
		strconv.FormatBool(sel.live), strconv.FormatBool(packed), strings.Join(sel.kinds, ","),
		sel.filter.Key(), strconv.Itoa(sel.rate), allowedKey(sel.allowed),
	}, "|")
}

// Run ends a frame every tenth of a second until ctx ends, and with every
// tenth of them tells the statistics.
func (h *hub) Run(ctx context.Context) error {
	ticker := time.NewTicker(frameTick)
	defer ticker.Stop()
	last := time.Now()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			var also statistics
			if n%framesPerSecond == 0 {
				also = h.second(now, now.Sub(last))
				last = now
			}
			h.mu.Lock()
			h.tickAll(now, also)
			h.mu.Unlock()
		}
	}
}

// second does what is done once a second, and returns the statistics.
func (h *hub) second(now time.Time, elapsed time.Duration) statistics {
	h.s.book.Tick(now, elapsed)
	m := h.s.statsMessage(now)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropIdle(viewLinger)
	for _, v := range h.order {
		h.tellThinned(v, v.thinned())
	}
	return h.encodeStats(m)
}

// statistics are those of one second, encoded for each set of kinds that
// somebody is allowed, by allowedKey.
type statistics map[string][]byte

// encodeStats encodes the statistics for all views, with the lock held.
func (h *hub) encodeStats(m *feedv1.Stats) statistics {
	told := statistics{}
	for _, v := range h.order {
		key := allowedKey(v.allowed)
		if told[key] != nil || v.frames == nil {
			continue
		}
		encoded, err := sse.AppendStats(nil, stats.Limit(m, v.allowed))
		if err != nil { // a message of our own making
			h.s.log.Error("encode stats", slog.String("error", err.Error()))
		}
		told[key] = encoded
	}
	return told
}

// allowedKey is the same for the same kinds; all kinds are not the same as none.
func allowedKey(kinds []string) string {
	if kinds == nil {
		return "*"
	}
	return strings.Join(kinds, ",")
}

// tellThinned tells the clients of a view what its rate left out.
func (h *hub) tellThinned(v *view, m *feedv1.Thinned) {
	if m == nil {
		return
	}
	h.s.metrics.thinned.Add(float64(m.GetCount()))
	encoded, err := sse.AppendThinned(nil, m)
	if err != nil { // a message of our own making
		h.s.log.Error("encode thinned", slog.String("error", err.Error()))
		return
	}
	v.tail.Notice(0, encoded)
}

// reached is the stream and the last sequence that was taken.
func (h *hub) reached() sse.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return sse.ID{Epoch: h.epoch, Seq: max(h.next, 1) - 1}
}
