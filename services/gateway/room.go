package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/blipstream/blipstream/services/gateway/sse"
)

// everybody stands for all addresses: what asks for everything is made for all
// of them, and there is always room for it. It has a zone, which no address
// that clients are counted under has.
func everybody() netip.Addr { return netip.IPv6LinkLocalAllNodes().WithZone("everybody") }

// whole reports whether a selection is all that may be read, as it comes.
func (sel *selection) whole() bool {
	return sel.filter.Empty() && sel.rate == 0 && (len(sel.kinds) == 0 || slices.Equal(sel.kinds, sel.allowed))
}

// room makes room for one more view of addr; the problem tells that there is
// none. Filters are what a stranger can have any number of: one address gets a
// part of all there may be, so that it cannot lock the others out.
func (h *hub) room(addr netip.Addr) *sse.Problem {
	if addr == everybody() {
		return nil
	}
	if h.made[addr] >= h.s.cfg.MaxViewsPerAddr && !h.dropLongest(func(v *view) bool { return v.maker == addr }) {
		return tooManyViews(http.StatusTooManyRequests, "this address has too many different filters open")
	}
	if len(h.views) >= h.s.cfg.MaxViews && !h.dropLongest(func(*view) bool { return true }) {
		return tooManyViews(http.StatusServiceUnavailable, "this gateway serves no more different filters at once")
	}
	return nil
}

// tooManyViews is the problem of a selection there is no room for.
func tooManyViews(status int, detail string) *sse.Problem {
	return &sse.Problem{Status: status, Title: "Too many filters", Detail: detail, RetryAfter: refusedRetry}
}

// add takes a view in.
func (h *hub) add(v *view) {
	h.views[v.key] = v
	h.made[v.maker]++
	h.order = append(h.order, v)
	h.s.metrics.views.Set(float64(len(h.views)))
}

// dropIdle drops the views that nobody has used for so long.
func (h *hub) dropIdle(after time.Duration) {
	now := time.Now()
	for _, v := range slices.Clone(h.order) {
		if v.refs == 0 && now.Sub(v.idle) >= after {
			h.drop(v)
		}
	}
}

// dropLongest drops, of the views meant, the one that was longest unused; false
// if all are in use.
func (h *hub) dropLongest(meant func(*view) bool) bool {
	var longest *view
	for _, v := range h.order {
		if v.refs == 0 && meant(v) && (longest == nil || v.idle.Before(longest.idle)) {
			longest = v
		}
	}
	if longest == nil {
		return false
	}
	h.drop(longest)
	return true
}

// drop ends a view.
func (h *hub) drop(v *view) {
	delete(h.views, v.key)
	if h.made[v.maker]--; h.made[v.maker] == 0 {
		delete(h.made, v.maker)
	}
	h.order = slices.DeleteFunc(h.order, func(o *view) bool { return o == v })
	h.s.metrics.views.Set(float64(len(h.views)))
	if v.packer == nil {
		return
	}
	close(v.stop)
	h.unread(v.source)
}
