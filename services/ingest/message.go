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
	const most = 6 // with those that the publisher adds
	h := make(bus.Header, most)
	values := []string{string(it.Format), it.Identity, it.Received.UTC().Format(time.RFC3339Nano), traceparent()}
	for i, key := range [...]string{feed.HeaderFormat, feed.HeaderIdentity, feed.HeaderReceived, feed.HeaderTraceparent} {
		if values[i] != "" {
			h[key] = values[i : i+1 : i+1]
		}
	}
	return bus.Msg{Subject: feed.RawSubject(name), ID: feed.RawID(name, it.ID), Header: h, Own: true, Data: it.Data}
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
