package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Advisory says that a consumer of RAW gave a message up: its deliveries are
// used up, or somebody terminated it. The message stays in RAW, and nobody gets
// it any more.
type Advisory struct {
	// Consumer that gave it up, and the sequence in RAW of what it gave up.
	Consumer string
	Seq      uint64
	// Deliveries is how often it was delivered.
	Deliveries uint64
	// Terminated tells a message that was terminated from one whose deliveries
	// are used up; Reason is what was said then.
	Terminated bool
	Reason     string
	// Time is when that was.
	Time time.Time
}

// The types of advisories (nats.go does not export them), and their subjects;
// the consumer's name follows. The documentation of NATS: "JetStream Monitoring".
const (
	typeMaxDeliver = "io.nats.jetstream.advisory.v1.max_deliver"
	typeTerminated = "io.nats.jetstream.advisory.v1.terminated"
	subjectMaxOut  = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES." + feed.StreamRaw + ".*"
	subjectTermed  = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED." + feed.StreamRaw + ".*"
)

func advisorySubjects() []string { return []string{subjectMaxOut, subjectTermed} }

var errNoAdvisory = errors.New("not an advisory about a message of RAW that was given up")

// ReadAdvisory reads a message of ADVISORIES.
func ReadAdvisory(data []byte) (Advisory, error) {
	var a struct {
		Type       string    `json:"type"`
		Time       time.Time `json:"timestamp"`
		Stream     string    `json:"stream"`
		Consumer   string    `json:"consumer"`
		Seq        uint64    `json:"stream_seq"`
		Deliveries uint64    `json:"deliveries"`
		Reason     string    `json:"reason"`
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return Advisory{}, fmt.Errorf("bus: read advisory: %w", err)
	}
	known := a.Type == typeMaxDeliver || a.Type == typeTerminated
	if !known || a.Stream != feed.StreamRaw || a.Seq == 0 || strings.TrimSpace(a.Consumer) == "" {
		return Advisory{}, fmt.Errorf("bus: read advisory: type %q of stream %q: %w", a.Type, a.Stream, errNoAdvisory)
	}
	return Advisory{
		Consumer: a.Consumer, Seq: a.Seq, Deliveries: a.Deliveries,
		Terminated: a.Type == typeTerminated, Reason: a.Reason, Time: a.Time,
	}, nil
}
