package enrich

import (
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/rules"
)

// output is what an item was made into.
type output struct {
	rec feed.Record
	// identity is what the message ids of the events end with.
	identity string
	events   []feed.Event
	// pending is what must be asked before the rest of the events is known.
	pending *rules.Pending
}

// decode makes the record of an item: what it says by itself. An error is one of
// package decode's, or a *panicError.
func (s *Service) decode(m *bus.Stored) (rec feed.Record, err error) {
	defer recovered(&err)
	rec, err = decode.Decode(feed.Item{
		Source:   feed.SourceOf(m.Subject),
		Format:   feed.Format(m.Header.Get(feed.HeaderFormat)),
		Received: receivedAt(m),
		Data:     m.Data,
	})
	return rec, err
}

// derive makes the events of a record. It does no I/O. An error is a *panicError.
func (s *Service) derive(m *bus.Stored, rec feed.Record) (out output, err error) {
	defer recovered(&err)
	out.rec = rec
	s.names.fill(&out.rec)
	out.identity = identify(m, &out.rec)
	s.chain.Hydrate(&out.rec)
	out.events = make([]feed.Event, 0, 2) // most items: a post and where it was made
	for _, dv := range s.derivers {
		if e, ok := dv.Derive(&out.rec); ok {
			out.events = append(out.events, e)
		}
	}
	in := rules.Input{Record: &out.rec, Raw: m.Data, Identity: out.identity}
	out.events, out.pending = s.ruleSet().Derive(in, out.events, s.metrics)
	return out, nil
}

// recovered turns a panic into an error; it must be deferred itself.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &panicError{value: v, at: panicSite()}
	}
}

// identify returns the identity of rec's events, and gives a record without an
// id of its own the next best name.
func identify(m *bus.Stored, rec *feed.Record) string {
	if rec.ID == "" {
		rec.ID = itemName(m)
	}
	if id := m.Header.Get(feed.HeaderIdentity); id != "" {
		return id
	}
	return rec.ID
}

// itemName is what an item is called whose payload has no id: what it was
// called before it was put back, else its message id, else its position.
func itemName(m *bus.Stored) string {
	if name := m.Header.Get(feed.HeaderItem); name != "" {
		return name
	}
	if name := strings.TrimPrefix(m.Header.Get(headerMsgID), feed.RawID(feed.SourceOf(m.Subject), "")); name != "" {
		return name
	}
	return "seq-" + position(m)
}

// headerMsgID is the header by which JetStream tells duplicates.
const headerMsgID = "Nats-Msg-Id"

// panicError is a panic that was caught, and where it came from.
type panicError struct {
	value any
	at    string
}

// Error implements error.
func (e *panicError) Error() string {
	return fmt.Sprintf("enrich: read item: panic: %v at %s", e.value, e.at)
}

// panicSite tells the innermost calls of the panic being recovered, the first
// the one that panicked, in one line: "file.go:12 < other.go:34".
func panicSite() string {
	const depth = 8
	var pcs [4 * depth]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var sites []string
	below := false // of the runtime's own frames, which end with gopanic
	for {
		f, more := frames.Next()
		if below && !strings.HasPrefix(f.Function, "runtime.") {
			sites = append(sites, path.Base(f.File)+":"+strconv.Itoa(f.Line))
		}
		below = below || f.Function == "runtime.gopanic"
		if !more || len(sites) == depth {
			return strings.Join(sites, " < ")
		}
	}
}
