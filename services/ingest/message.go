package ingest

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

// message is an item as RAW stores it.
func message(name string, it feed.Item) bus.Msg {
	h := make(bus.Header, 4)
	if it.Format != "" {
		h[feed.HeaderFormat] = []string{string(it.Format)}
	}
	if it.Identity != "" {
		h[feed.HeaderIdentity] = []string{it.Identity}
	}
	h[feed.HeaderReceived] = []string{it.Received.UTC().Format(time.RFC3339Nano)}
	h[feed.HeaderTraceparent] = []string{traceparent()}
	return bus.Msg{Subject: feed.RawSubject(name), ID: feed.RawID(name, it.ID), Header: h, Data: it.Data}
}

// traceparent starts a trace: a W3C trace context (version 00) with random ids,
// not sampled, because ingest records no span of its own.
func traceparent() string {
	var ids [24]byte
	rand.Read(ids[:])
	b := make([]byte, 0, len("00-")+2*len(ids)+len("--00"))
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, ids[:16])
	b = append(b, '-')
	b = hex.AppendEncode(b, ids[16:])
	return string(append(b, "-00"...))
}
