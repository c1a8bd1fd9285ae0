package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/blipstream/blipstream/internal/feed"
)

// Error codes of the server that nats.go has no name for (errors.json of
// nats-server 2.15).
const (
	codeNoStorage      jetstream.ErrorCode = 10047
	codeNoMemory       jetstream.ErrorCode = 10028
	codeAccountLimit   jetstream.ErrorCode = 10002
	codeSubjectOverlap jetstream.ErrorCode = 10065
	codeNoReplicas     jetstream.ErrorCode = 10074 // of more than one, by a server alone
	codeHeaderTooLarge jetstream.ErrorCode = 10097 // of more than 64 KiB
	// codeNoPeers is told where too few servers can hold a stream, and with
	// peerOffline in its text if there are enough and one is not there now.
	codeNoPeers jetstream.ErrorCode = 10005
	peerOffline                     = "peer offline"
)

const (
	ensureBackoff    = 200 * time.Millisecond
	ensureBackoffMax = 5 * time.Second
	// healEvery spaces the attempts to make again what was found missing.
	healEvery = time.Second
)

// ensuring is what an owner of the streams remembers of its last Ensure.
type ensuring struct {
	// one lets a single Ensure of this process run at a time.
	one  sync.Mutex
	last time.Time

	mu  sync.Mutex
	err error
}

func (e *ensuring) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *ensuring) set(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// Ensure creates the streams, the durables of enrich and the buckets, or
// changes them where the server allows; it waits for the server as long as ctx
// allows. Idempotent, and safe in several processes at once. A change the
// server refuses is one clear error line. An owner makes l again, from now on,
// whenever it finds something missing.
func (c *Conn) Ensure(ctx context.Context, l Layout) error {
	if err := l.Check(); err != nil {
		return fmt.Errorf("bus: ensure: %w", err)
	}
	if c.layout.Load() != nil {
		c.layout.Store(&l)
	}
	return c.ensure(ctx, func() Layout { return l })
}

// ensure goes through the layout until that has worked, or never will.
func (c *Conn) ensure(ctx context.Context, layout func() Layout) error {
	delay := backoff{base: ensureBackoff, limit: ensureBackoffMax}
	for {
		err := c.ensureOnce(ctx, layout)
		if err == nil || !passing(err) {
			return err
		}
		if !wait(ctx, delay.next(), c.linked.next()) {
			if away := c.away(); away != nil {
				err = away // whose words name the address, and what it answered
			}
			return fmt.Errorf("bus: ensure: wait for the server: %w (last: %w)", context.Cause(ctx), err)
		}
	}
}

// ensureOnce goes through the layout once.
func (c *Conn) ensureOnce(ctx context.Context, layout func() Layout) error {
	c.ensuring.one.Lock()
	defer c.ensuring.one.Unlock()
	l := layout()
	for _, cfg := range l.streams() {
		if err := c.ensureStream(ctx, cfg); err != nil {
			return fmt.Errorf("bus: ensure stream %s: %w", cfg.Name, c.explain(ctx, cfg, err))
		}
	}
	for _, d := range []struct {
		stream string
		cfg    jetstream.ConsumerConfig
	}{{feed.StreamRaw, enrichConsumer()}, {StreamAdvisories, advisoriesDurable()}} {
		if err := c.ensureConsumer(ctx, d.stream, d.cfg); err != nil {
			return fmt.Errorf("bus: ensure consumer %s of %s: %w", d.cfg.Durable, d.stream, err)
		}
	}
	return nil
}

// ensureStream creates the stream or, only if it differs, updates it. Another
// process may do the same at any moment.
func (c *Conn) ensureStream(ctx context.Context, cfg jetstream.StreamConfig) error {
	ctx, cancel := c.short(ctx)
	defer cancel()
	s, err := c.js.Stream(ctx, cfg.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = c.js.CreateStream(ctx, cfg)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		s, err = c.js.Stream(ctx, cfg.Name)
	}
	if err != nil {
		return err
	}
	have := s.CachedInfo().Config
	want := overlayStream(have, cfg)
	if reflect.DeepEqual(have, want) {
		return nil
	}
	c.log.Info("change stream", slog.String("stream", cfg.Name))
	_, err = c.js.UpdateStream(ctx, want)
	return err
}

// overlayStream puts what the layout decides over what the server has, and
// leaves the rest (placement, metadata, mirrors of a later day) alone.
func overlayStream(have, spec jetstream.StreamConfig) jetstream.StreamConfig {
	want := have
	want.Description, want.Subjects = spec.Description, spec.Subjects
	want.Retention, want.Discard = spec.Retention, spec.Discard
	want.MaxAge, want.MaxBytes = spec.MaxAge, spec.MaxBytes
	want.MaxMsgs, want.MaxMsgSize, want.MaxMsgsPerSubject = spec.MaxMsgs, spec.MaxMsgSize, spec.MaxMsgsPerSubject
	want.Storage, want.Compression = spec.Storage, spec.Compression
	want.Duplicates, want.AllowDirect = spec.Duplicates, spec.AllowDirect
	want.AllowRollup, want.DenyDelete = spec.AllowRollup, spec.DenyDelete
	want.AllowMsgTTL, want.SubjectDeleteMarkerTTL = spec.AllowMsgTTL, spec.SubjectDeleteMarkerTTL
	want.Replicas = max(have.Replicas, spec.Replicas)
	return want
}

// ensureConsumer creates the consumer or, only if it differs, updates it.
func (c *Conn) ensureConsumer(ctx context.Context, stream string, cfg jetstream.ConsumerConfig) error {
	ctx, cancel := c.short(ctx)
	defer cancel()
	cons, err := c.js.Consumer(ctx, stream, cfg.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		_, err = c.js.CreateConsumer(ctx, stream, cfg)
		if !errors.Is(err, jetstream.ErrConsumerExists) {
			return err
		}
		cons, err = c.js.Consumer(ctx, stream, cfg.Durable)
	}
	if err != nil {
		return err
	}
	have := cons.CachedInfo().Config
	want := have
	want.Description, want.FilterSubject, want.FilterSubjects = cfg.Description, cfg.FilterSubject, cfg.FilterSubjects
	want.DeliverPolicy, want.AckPolicy, want.ReplayPolicy = cfg.DeliverPolicy, cfg.AckPolicy, cfg.ReplayPolicy
	want.MaxDeliver, want.MaxAckPending, want.MaxWaiting = cfg.MaxDeliver, cfg.MaxAckPending, cfg.MaxWaiting
	if !slices.Equal(have.BackOff, cfg.BackOff) {
		want.BackOff = cfg.BackOff
	}
	if reflect.DeepEqual(have, want) {
		return nil
	}
	_, err = c.js.UpdateConsumer(ctx, stream, want)
	return err
}

// explain adds to a refusal what to change.
func (c *Conn) explain(ctx context.Context, cfg jetstream.StreamConfig, err error) error {
	switch code(err) {
	case codeNoStorage, codeNoMemory, codeAccountLimit:
		return fmt.Errorf("its max bytes of %d do not fit the server%s: lower the limits of the streams, or raise the server's max_file_store: %w",
			cfg.MaxBytes, c.room(ctx), err)
	case codeSubjectOverlap:
		return fmt.Errorf("another stream already takes %v: delete or change that one: %w", cfg.Subjects, err)
	case codeNoReplicas:
		return fmt.Errorf("a server that is in no cluster keeps one copy: ask for one replica, or use a cluster: %w", err)
	default:
		return err
	}
}

// room tells how much of its storage the server has promised already.
func (c *Conn) room(ctx context.Context) string {
	ctx, cancel := c.short(ctx)
	defer cancel()
	info, err := c.js.AccountInfo(ctx)
	if err != nil {
		return ""
	}
	if info.Limits.MaxStore <= 0 {
		return fmt.Sprintf(" (%d reserved by other streams)", info.ReservedStore)
	}
	return fmt.Sprintf(" (%d of %d reserved by other streams)", info.ReservedStore, info.Limits.MaxStore)
}

// passing reports whether an error of the API may go away by waiting: the
// server is away, has no leader yet, misses another one of its cluster, or has
// not answered.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		return true // also what a server answers before its JetStream has started
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.Code == 503 || api.Code == 408 ||
			api.ErrorCode == codeNoPeers && strings.Contains(api.Description, peerOffline)
	}
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, nats.ErrHeadersNotSupported) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// code is the server's error code, or 0.
func code(err error) jetstream.ErrorCode {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.ErrorCode
	}
	if e, ok := errors.AsType[jetstream.JetStreamError](err); ok && e.APIError() != nil {
		return e.APIError().ErrorCode
	}
	return 0
}

// owned is the layout of an owner.
func (c *Conn) owned() Layout { return *c.layout.Load() }

// keepEnsured makes the layout after every connect: the server that is back
// may be another one, with an empty store.
func (c *Conn) keepEnsured() {
	for {
		again := c.linked.next()
		err := c.ensure(c.ctx, c.owned)
		if c.ctx.Err() != nil {
			return
		}
		c.ensuring.set(err)
		if err != nil {
			c.log.Error("ensure streams", slog.String("error", err.Error()))
		}
		select {
		case <-again:
		case <-c.ctx.Done():
			return
		}
	}
}

// heal makes again what was found missing, if this connection is an owner. It
// tries once, and at most once a second.
func (c *Conn) heal(ctx context.Context) {
	if c.layout.Load() == nil {
		return
	}
	if !c.ensuring.due() {
		// What another is making at this moment is worth waiting for.
		c.ensuring.one.Lock()
		defer c.ensuring.one.Unlock()
		return
	}
	err := c.ensureOnce(ctx, c.owned)
	if err != nil && passing(err) {
		return
	}
	c.ensuring.set(err)
	if err != nil {
		c.log.Error("ensure streams", slog.String("error", err.Error()))
	}
}

// due reports whether healing may be tried now, and counts it as tried.
func (e *ensuring) due() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.last) < healEvery {
		return false
	}
	e.last = time.Now()
	return true
}
