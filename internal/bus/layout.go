package bus

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/feed"
)

// DurableEnrich is the durable consumer of RAW that all replicas of enrich share.
const DurableEnrich = "enrich"

const (
	// StreamAdvisories keeps what the server says about messages of RAW that a
	// consumer gave up (Advisory).
	StreamAdvisories = "ADVISORIES"
	// DurableAdvisories is its durable consumer, which all replicas of enrich share.
	DurableAdvisories = "enrich"
	// advisoriesBytes bounds the stream: some 50,000 advisories. They are turned
	// into dead letters at once, while enrich runs.
	advisoriesBytes = 16 * mib
)

// The buckets, and the streams that JetStream keeps them in.
const (
	bucketLease  = "lease"
	bucketCursor = "cursor"
	bucketStatus = "status"
	bucketTicket = "ticket"
	bucketRules  = "rules"
	// BucketProfiles is the KV bucket in which replicas of enrich share what
	// authors are called.
	BucketProfiles = "profiles"
	// BucketTrial is the KV bucket in which replicas of enrich note which items
	// they have begun that were delivered suspiciously often.
	BucketTrial    = "trial"
	streamLease    = "KV_" + bucketLease
	streamCursor   = "KV_" + bucketCursor
	streamStatus   = "KV_" + bucketStatus
	streamTicket   = "KV_" + bucketTicket
	streamRules    = "KV_" + bucketRules
	streamProfiles = "KV_" + BucketProfiles
	streamTrial    = "KV_" + BucketTrial
)

const (
	mib = 1 << 20
	gib = 1 << 30
	// bucketBytes bounds a bucket: thousands of keys of a few hundred bytes.
	bucketBytes = 4 * mib
	// statusBytes bounds what services tell of themselves.
	statusBytes = mib
	// ticketBytes bounds the tickets of one TicketTTL: tens of thousands of a
	// few hundred bytes, so that all clients of a gateway can come back at once.
	ticketBytes = 8 * mib
	// profileTTL is how long an author's name is kept, and profileBytes bounds
	// all of them: some 300,000 authors. Names beyond are asked for again.
	profileTTL   = 24 * time.Hour
	profileBytes = 64 * mib
	// trialTTL is how long it is known that an item was begun: the back-off is 5
	// minutes, and a process that keeps ending may be down for hours.
	// trialBytes bounds all trials: many times as many as may be in work.
	trialTTL   = 24 * time.Hour
	trialBytes = 16 * mib
	// maxAckPending bounds what the durable's members together have in work.
	// It is many times a pull window (500), so that it never starves a replica.
	maxAckPending = 20_000
	// maxWaiting bounds the durable's open pull requests: one or two a replica.
	maxWaiting = 512
	// bucketDedupe is JetStream's default window. Buckets do not use ids.
	bucketDedupe = 2 * time.Minute
)

// Limits are the configurable limits of one stream. Both are always set:
// a stream without a bound takes the whole store, and then every stream stops.
type Limits struct {
	// MaxAge is how long a message is kept.
	MaxAge time.Duration
	// MaxBytes is how much is kept, counted before compression. When it is
	// reached the oldest messages go. The server reserves it at creation.
	MaxBytes int64
}

// Layout is the whole set of streams, consumers and buckets, from which Ensure
// makes what is missing.
type Layout struct {
	Raw, Events, Replay, Dead Limits
	// DedupeWindow is how long a stream remembers message ids. Each costs the
	// server about 215 bytes of memory, so it is minutes, not hours. A stream
	// whose MaxAge is shorter remembers for its MaxAge.
	DedupeWindow time.Duration
	// Replicas of every stream, for those that Ensure makes. It raises the
	// replicas of a stream that exists and never lowers them: whoever grew a
	// cluster by hand did not mean to have it shrunk by a restart.
	Replicas int
	// LeaseTTL is how long the server keeps the marker of a lease that ended.
	LeaseTTL time.Duration
}

// DefaultLayout is the table of docs/architecture.md: 6.5 GiB of storage in all.
func DefaultLayout() Layout {
	return Layout{
		Raw:          Limits{MaxAge: 24 * time.Hour, MaxBytes: 4 * gib},
		Events:       Limits{MaxAge: 24 * time.Hour, MaxBytes: 2 * gib},
		Replay:       Limits{MaxAge: 6 * time.Hour, MaxBytes: 256 * mib},
		Dead:         Limits{MaxAge: 14 * 24 * time.Hour, MaxBytes: 256 * mib},
		DedupeWindow: 10 * time.Minute,
		Replicas:     1,
		LeaseTTL:     time.Minute,
	}
}

// Check refuses a layout that no server could make, in one line.
func (l Layout) Check() error {
	for name, lim := range map[string]Limits{
		feed.StreamRaw: l.Raw, feed.StreamEvents: l.Events, feed.StreamReplay: l.Replay, feed.StreamDead: l.Dead,
	} {
		if lim.MaxAge < time.Second || lim.MaxBytes <= 0 {
			return fmt.Errorf("layout of stream %s: max age must be at least 1s and max bytes above 0, not %s and %d",
				name, lim.MaxAge, lim.MaxBytes)
		}
	}
	switch {
	case l.DedupeWindow <= 0:
		return errors.New("layout: dedupe window must be above 0: without it retries store messages twice")
	case l.Replicas < 1 || l.Replicas > 5:
		return fmt.Errorf("layout: replicas must be 1 to 5, not %d", l.Replicas)
	case l.LeaseTTL < time.Second:
		return fmt.Errorf("layout: lease ttl must be at least 1s, not %s", l.LeaseTTL)
	}
	return nil
}

// Reserved is how much storage a server sets aside for all of it, in bytes, the
// buckets included.
func (l Layout) Reserved() int64 {
	var sum int64
	for _, s := range l.streams() {
		sum += s.MaxBytes
	}
	return sum
}

// streams are the specifications of all streams, those of the buckets included.
func (l Layout) streams() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		l.stream(feed.StreamRaw, "upstream items, verbatim", l.Raw, "raw.>"),
		l.stream(feed.StreamEvents, "derived events", l.Events, "events.>"),
		l.stream(feed.StreamReplay, "events of re-runs", l.Replay, "replay.>"),
		l.stream(feed.StreamDead, "what could not be handled", l.Dead, "dead.>"),
		l.stream(StreamAdvisories, "messages that a consumer of RAW gave up",
			Limits{MaxAge: l.Dead.MaxAge, MaxBytes: advisoriesBytes}, advisorySubjects()...),
		l.bucket(streamLease, "$KV."+bucketLease+".>", "who may be the only one"),
		l.bucket(streamCursor, "$KV."+bucketCursor+".>", "positions in upstreams"),
		l.bucket(streamRules, "$KV."+bucketRules+".>", "rules that users define"),
		l.passing(l.bucket(streamStatus, "$KV."+bucketStatus+".>", "what services say of themselves"), StatusTTL, statusBytes),
		l.passing(l.bucket(streamProfiles, "$KV."+BucketProfiles+".>", "what authors are called"), profileTTL, profileBytes),
		l.passing(l.bucket(streamTrial, "$KV."+BucketTrial+".>", "items begun that were delivered often"), trialTTL, trialBytes),
		leading(l.passing(l.bucket(streamTicket, "$KV."+bucketTicket+".>", "tickets that open one stream"), TicketTTL, ticketBytes)),
	}
}

// stream has limits retention, never work-queue: that would forbid replay and
// every second reader. MaxMsgSize stays unset, so that the server's
// max_payload alone decides what is too large.
func (l Layout) stream(name, description string, lim Limits, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Description: description, Subjects: subjects,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxAge: lim.MaxAge, MaxBytes: lim.MaxBytes, MaxMsgs: -1, MaxMsgSize: -1,
		MaxConsumers: -1, MaxMsgsPerSubject: -1,
		Storage: jetstream.FileStorage, Compression: jetstream.S2Compression,
		Duplicates: min(l.DedupeWindow, lim.MaxAge), AllowDirect: true, Replicas: l.Replicas,
	}
}

// bucket has the form that NATS' key-value clients expect. History is 1:
// with more, the server silently raises a key's ttl to that of the marker.
func (l Layout) bucket(name, subjects, description string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Description: description, Subjects: []string{subjects},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: bucketBytes, MaxMsgs: -1, MaxMsgSize: -1,
		MaxConsumers: -1, MaxMsgsPerSubject: 1,
		Storage: jetstream.FileStorage, Duplicates: bucketDedupe,
		AllowDirect: true, AllowRollup: true, DenyDelete: true,
		AllowMsgTTL: true, SubjectDeleteMarkerTTL: l.LeaseTTL, Replicas: l.Replicas,
	}
}

// passing makes a bucket one whose entries vanish, without a marker, when they
// are not written anew. The window of ids may not be longer than that.
func (l Layout) passing(b jetstream.StreamConfig, age time.Duration, most int64) jetstream.StreamConfig {
	b.MaxBytes, b.MaxAge, b.Duplicates = most, age, min(age, bucketDedupe)
	b.AllowMsgTTL, b.SubjectDeleteMarkerTTL = false, 0
	return b
}

// leading makes a bucket one that its leader alone answers for.
func leading(b jetstream.StreamConfig) jetstream.StreamConfig {
	b.AllowDirect = false
	return b
}

// enrichConsumer specifies the durable of RAW. MaxDeliver is unlimited because
// the server drops a message whose deliveries are used up without a word, and
// a long outage uses them up; enrich itself gives up on a message, after it
// has put it into DEAD. The first step of BackOff is the ack wait: well above
// the time a full window needs. DeliverAll is the one policy that can be reset
// to any sequence.
func enrichConsumer() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: DurableEnrich, Description: "shared by all replicas of enrich",
		FilterSubject: "raw.>", DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, ReplayPolicy: jetstream.ReplayInstantPolicy,
		BackOff:    []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute},
		MaxDeliver: -1, MaxAckPending: maxAckPending, MaxWaiting: maxWaiting,
	}
}

// advisoriesDurable specifies the durable of ADVISORIES.
func advisoriesDurable() jetstream.ConsumerConfig {
	cfg := Durable{Name: DurableAdvisories, Description: "makes dead letters of them"}.config()
	cfg.MaxAckPending = maxAckPending
	return cfg
}
