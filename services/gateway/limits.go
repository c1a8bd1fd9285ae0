package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/blipstream/blipstream/services/gateway/sse"
)

// refusedRetry is when a client that found no room should try again.
const refusedRetry = 10 * time.Second

// limits counts the open streams, in all and per address.
type limits struct {
	total, perAddr int
	mu             sync.Mutex
	open           int
	addrs          map[netip.Addr]int
}

func newLimits(total, perAddr int) *limits {
	return &limits{total: total, perAddr: perAddr, addrs: map[netip.Addr]int{}}
}

// take counts a stream from addr, unless there is no room for it. Every stream
// that was taken must be given back.
func (l *limits) take(addr netip.Addr) (reason string, problem *sse.Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.total {
		return "full", &sse.Problem{
			Status: http.StatusServiceUnavailable, Title: "Too many streams",
			Detail: "this gateway serves no more streams", RetryAfter: refusedRetry,
		}
	}
	if l.addrs[addr] >= l.perAddr {
		return "address", &sse.Problem{
			Status: http.StatusTooManyRequests, Title: "Too many streams",
			Detail: "this address has too many streams open", RetryAfter: refusedRetry,
		}
	}
	l.open++
	l.addrs[addr]++
	return "", nil
}

// give ends the counting of a stream.
func (l *limits) give(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.addrs[addr]--; l.addrs[addr] == 0 {
		delete(l.addrs, addr)
	}
}

// count is how many streams are open.
func (l *limits) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// ipv6Site is the part of an IPv6 address that one site has to itself, so that
// a host with a whole network of addresses counts as one.
const ipv6Site = 64

// clientAddr is the address a request is counted under. With trust it is the
// last entry of X-Forwarded-For: the one the proxy in front of us has added.
func clientAddr(r *http.Request, trust bool) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if trust {
		if via := r.Header.Values("X-Forwarded-For"); len(via) > 0 {
			last := via[len(via)-1]
			host = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		}
	}
	addr := parseAddr(host).Unmap().WithZone("")
	if addr.Is6() {
		if site, err := addr.Prefix(ipv6Site); err == nil {
			return site.Addr()
		}
	}
	return addr
}

// parseAddr reads an address; some proxies add the port, and brackets.
func parseAddr(s string) netip.Addr {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr
	}
	with, _ := netip.ParseAddrPort(s) // what is no address counts as the zero one
	return with.Addr()
}
