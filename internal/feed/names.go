package feed

import (
	"regexp"
	"strings"
)

// Headers of messages on the bus.
const (
	// HeaderFormat holds the Format of a raw item.
	HeaderFormat = "Blip-Format"
	// HeaderReceived holds when a raw item arrived, RFC 3339 with nanoseconds;
	// on an event, when the item it came from did.
	HeaderReceived = "Blip-Received"
	// HeaderIdentity holds Item.Identity, where it is set.
	HeaderIdentity = "Blip-Identity"
	// HeaderRawSeq holds the sequence in RAW of the item an event came from.
	HeaderRawSeq = "Blip-Raw-Seq"
	// HeaderTraceparent is the W3C trace context.
	HeaderTraceparent = "traceparent"

	// HeaderError holds, on a dead letter, what was wrong.
	HeaderError = "Blip-Error"
	// HeaderStreamSeq holds, on a dead letter, the sequence it had.
	HeaderStreamSeq = "Blip-Stream-Seq"
	// HeaderDeliveries holds, on a dead letter, how often it was delivered.
	HeaderDeliveries = "Blip-Deliveries"
	// HeaderSubject holds, on a dead letter, the subject it came from or was
	// meant for.
	HeaderSubject = "Blip-Subject"
	// HeaderItem holds the id within its source of an item that is stored under
	// another message id than its own: a dead letter, or one put back into RAW.
	HeaderItem = "Blip-Item"
	// HeaderPart holds "<n>/<of>" on a dead letter cut to fit the server's
	// largest payload.
	HeaderPart = "Blip-Part"
)

// Streams.
const (
	StreamRaw    = "RAW"
	StreamEvents = "EVENTS"
	StreamReplay = "REPLAY"
	StreamDead   = "DEAD"
)

// Prefixes of the subjects of the four streams.
const (
	prefixRaw    = "raw."
	prefixEvents = "events."
	prefixReplay = "replay."
	prefixDead   = "dead."
)

var runForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// ValidRun reports whether name may name a run of a replay: one subject token
// of letters, digits, _ and -, 63 characters at most.
func ValidRun(name string) bool { return runForm.MatchString(name) }

var sourceForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// ValidSource reports whether name may name a source: one subject token of
// lower-case letters, digits, _ and -, 63 characters at most.
func ValidSource(name string) bool { return sourceForm.MatchString(name) }

// RawSubject is the subject of a source's raw items.
func RawSubject(source string) string { return prefixRaw + source }

// SourceOf returns the source of a raw subject, or "" for any other subject.
func SourceOf(subject string) string {
	s, ok := strings.CutPrefix(subject, prefixRaw)
	if !ok {
		return ""
	}
	return s
}

// EventSubject is the subject of events of kind k.
func EventSubject(k Kind) string { return prefixEvents + string(k) }

// ReplaySubject is the subject of events of kind k of a run.
func ReplaySubject(run string, k Kind) string { return prefixReplay + run + "." + EventSubject(k) }

// ReplaySubjects matches the subjects of all events of a run: those of the
// events, below replay.<run>. A run's name is one token.
func ReplaySubjects(run string) string { return prefixReplay + run + "." + prefixEvents + ">" }

// KindOf returns the kind of an event subject, replayed or not: its last token.
func KindOf(subject string) Kind {
	return Kind(subject[strings.LastIndexByte(subject, '.')+1:])
}

// DeadSubject is the subject of what stage could not handle for reason. Both
// must be single tokens.
func DeadSubject(stage, reason string) string { return prefixDead + stage + "." + reason }

// DeadParts returns the stage and the reason of a dead letter's subject, or
// nothing for any other subject.
func DeadParts(subject string) (stage, reason string) {
	rest, ok := strings.CutPrefix(subject, prefixDead)
	if !ok {
		return "", ""
	}
	stage, reason, _ = strings.Cut(rest, ".")
	return stage, reason
}

// RawID is the message id of an item in RAW.
func RawID(source, itemID string) string { return source + ":" + itemID }

// EventID is the message id of an event: "<kind>:<source>:<item id>".
func EventID(k Kind, source, itemID string) string {
	return string(k) + ":" + source + ":" + itemID
}
