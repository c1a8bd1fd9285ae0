package gateway

import (
	"net/netip"
	"time"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/gateway/filter"
	"github.com/blipstream/blipstream/services/gateway/live"
	"github.com/blipstream/blipstream/services/gateway/sse"
	"github.com/blipstream/blipstream/services/gateway/tail"
)

const (
	// frameTick is how long a frame is, framesPerSecond how many make a second.
	frameTick       = 100 * time.Millisecond
	framesPerSecond = 10
	// framePosts is how many posts a frame shows: more than ten in a tenth of a
	// second nobody reads.
	framePosts = 10
)

// incoming is one event on its way to the clients.
type incoming struct {
	seq  uint64
	kind string
	// encoded is the event in wire form, payload its data alone.
	encoded, payload []byte
	facts            *filter.Facts
	// stored is when the stream took an event of a replay.
	stored time.Time
}

// selection is what all clients of a view have asked for.
type selection struct {
	live  bool
	kinds []string
	// allowed are the kinds that may be told of at all; nil for all.
	allowed []string
	filter  filter.Filter
	rate    int
}

// wants reports whether an event is asked for. A page must hear of what it is
// to take down, whatever kinds it shows.
func (sel *selection) wants(kind string, f *filter.Facts) bool {
	if sel.live && filter.Removal(kind) {
		return true
	}
	return tail.Wants(sel.kinds, kind) && sel.filter.Match(kind, f)
}

// view is a log that is made from another, once for all clients that ask for
// the same. Its fields but tail are guarded by the hub's lock.
type view struct {
	key  string
	tail *tail.Tail
	// refs counts the clients and the views that read it; with none it is kept
	// for a while, since clients come back.
	refs int
	idle time.Time
	// maker is the address that it was made for.
	maker netip.Addr

	selection
	thin   *thinner     // of a view with a rate
	frames *live.Framer // of /live
	ration ration       // of /live
	// source and stop are of a view that is another one compressed.
	source *view
	packer *packer
	stop   chan struct{}
}

// take gives an event to the view. Views that are made from others take none.
func (v *view) take(e *incoming) {
	switch {
	case v.packer != nil:
	case !v.wants(e.kind, e.facts), v.thin != nil && !v.thin.pass(e):
		v.skip(e.seq + 1)
	case v.frames != nil:
		v.frames.Add(e.seq, e.kind, e.payload, e.facts, v.ration.posts())
	default:
		v.tail.Append(e.seq, e.kind, e.encoded)
	}
}

// skip says that there is nothing below next. The log of /live moves on with
// its frames.
func (v *view) skip(next uint64) {
	if v.frames == nil && v.packer == nil {
		v.tail.Advance(next)
	}
}

// ration is how many posts frames show, some of which end before their tenth of
// a second is over.
type ration struct {
	// rate is how many a second they may be; 0 for as many as fit.
	rate int
	// credit is how many may still be shown, as a tick brings more.
	credit float64
}

// posts is how many the present frame may show.
func (r *ration) posts() int {
	if r.rate == 0 {
		return framePosts
	}
	return min(int(r.credit), framePosts)
}

// spend counts what a frame showed.
func (r *ration) spend(shown int) { r.credit -= float64(shown) }

// tick is called every frameTick.
func (r *ration) tick() { r.credit = min(r.credit+float64(r.rate)/framesPerSecond, framePosts) }

// tick is called every frameTick.
func (v *view) tick(epoch string, reached uint64, now time.Time, also []byte) {
	if v.thin != nil {
		v.thin.tick()
	}
	v.endFrame(epoch, reached, now, also)
	v.ration.tick()
}

// endFrame ends a frame: reached is the last sequence that was taken, and also
// what is sent with it, nil if nothing is.
func (v *view) endFrame(epoch string, reached uint64, now time.Time, also []byte) {
	if v.frames == nil {
		return
	}
	v.ration.spend(v.frames.Shown())
	var out []byte
	if !v.frames.Empty() {
		out = appendFrame(nil, sse.ID{Epoch: epoch, Seq: reached}, v.frames, now)
	}
	out = append(out, also...)
	if len(out) > 0 && reached >= v.tail.State().Next {
		v.tail.Append(reached, "", out)
	} else if len(out) > 0 {
		v.tail.Notice(0, out)
	}
	v.tail.Advance(reached + 1)
}

// appendFrame appends a frame as an event; its id is where to go on from.
func appendFrame(dst []byte, at sse.ID, f *live.Framer, now time.Time) []byte {
	return sse.AppendFrame(dst, at, f.Append(nil, now))
}

// thinned returns the event that tells what was left out; nil if nothing was.
func (v *view) thinned() *feedv1.Thinned {
	if v.thin == nil {
		return nil
	}
	return v.thin.take()
}
