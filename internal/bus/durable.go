package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Durable is a durable consumer that a service makes for itself, beside those
// of the layout: for one that is there only if the service is, and on which
// one process works at a time.
type Durable struct {
	// Stream it reads, and the name it is kept under.
	Stream, Name string
	// Description tells an operator whose it is.
	Description string
	// Subjects filters; none is everything.
	Subjects []string
	// AckWait is how long a delivery may stay unsettled before it comes again.
	// Default 30 s.
	AckWait time.Duration
	// MaxAckPending is how many may be unsettled at once. Default 20,000.
	MaxAckPending int
	// Since is the moment, by this machine's clock, that a durable which has to
	// be made begins at: its reader was there before it could make it. The zero
	// time stands for now.
	Since time.Time
}

func (d Durable) config() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Durable: d.Name, Description: d.Description, FilterSubjects: d.Subjects,
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		ReplayPolicy: jetstream.ReplayInstantPolicy, AckWait: d.AckWait,
		MaxDeliver: -1, MaxAckPending: d.MaxAckPending, MaxWaiting: maxWaiting,
	}
	if cfg.AckWait <= 0 {
		cfg.AckWait = 30 * time.Second
	}
	if cfg.MaxAckPending <= 0 {
		cfg.MaxAckPending = maxAckPending
	}
	return cfg
}

// EnsureDurable makes d where it is missing, to begin with what is stored since
// d.Since, or changes its filter and bounds where they differ. A consumer that
// exists keeps its place. It tries once.
func (c *Conn) EnsureDurable(ctx context.Context, d Durable) error {
	err := c.ensureDurable(ctx, d, true)
	if gone(err) { // the stream is
		c.heal(ctx)
		err = c.ensureDurable(ctx, d, true)
	}
	if err != nil {
		return fmt.Errorf("bus: ensure consumer %s of %s: %w", d.Name, d.Stream, err)
	}
	return nil
}

func (c *Conn) ensureDurable(ctx context.Context, d Durable, sinceThen bool) error {
	if err := errors.Join(validStream(d.Stream), validStream(d.Name)); err != nil {
		return err
	}
	ctx, cancel := c.short(ctx)
	defer cancel()
	cons, err := c.js.Consumer(ctx, d.Stream, d.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return c.createDurable(ctx, d, sinceThen)
	}
	if err != nil {
		return err
	}
	have, spec := cons.CachedInfo().Config, d.config()
	want := have
	want.Description, want.AckWait, want.MaxAckPending = spec.Description, spec.AckWait, spec.MaxAckPending
	want.FilterSubject, want.FilterSubjects = "", spec.FilterSubjects
	if len(want.FilterSubjects) == 1 && have.FilterSubject == want.FilterSubjects[0] {
		want.FilterSubject, want.FilterSubjects = have.FilterSubject, have.FilterSubjects
	}
	if reflect.DeepEqual(have, want) {
		return nil
	}
	_, err = c.js.UpdateConsumer(ctx, d.Stream, want)
	return err
}

// createDurable begins by a sequence and not by "new" or a time: from such a
// beginning a consumer can be restarted anywhere later. Without sinceThen it
// begins with all that the stream holds.
func (c *Conn) createDurable(ctx context.Context, d Durable, sinceThen bool) error {
	cfg := d.config()
	if sinceThen {
		seq, err := c.beginning(ctx, d)
		if err != nil {
			return err
		}
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, seq
	}
	_, err := c.js.CreateConsumer(ctx, d.Stream, cfg)
	if errors.Is(err, jetstream.ErrConsumerExists) {
		return nil // another process was quicker
	}
	if err == nil {
		c.log.Info("consumer made", slog.String("stream", d.Stream), slog.String("durable", d.Name))
	}
	return err
}

// DropDurable removes a durable, if there is one, and with it its place.
func (c *Conn) DropDurable(ctx context.Context, stream, durable string) error {
	ctx, cancel := c.short(ctx)
	defer cancel()
	if err := c.js.DeleteConsumer(ctx, stream, durable); err != nil && !gone(err) {
		return fmt.Errorf("bus: remove consumer %s of %s: %w", durable, stream, err)
	}
	return nil
}

// beginning is the first sequence stored since d.Since, or in the moment before
// it that the server takes to answer. Times are compared on the server's clock
// alone, which may differ from this machine's: its answer says what time it is
// there.
func (c *Conn) beginning(ctx context.Context, d Durable) (uint64, error) {
	s, err := c.js.Stream(ctx, d.Stream)
	if err != nil {
		return 0, err
	}
	info := s.CachedInfo()
	if d.Since.IsZero() || info.TimeStamp.IsZero() {
		return info.State.LastSeq + 1, nil
	}
	return c.SeqAt(ctx, d.Stream, info.TimeStamp.Add(-time.Since(d.Since)))
}

// RestartDurable has a durable begin again right after what is settled without
// a gap: what was delivered and not settled comes again, in the stream's order
// and before anything newer, without waiting for AckWait. It is for whoever
// takes over a durable from a process that is gone; a member still at work
// would see its messages twice.
//
// Messages stored before notBefore (the zero time: none) are passed over.
func (c *Conn) RestartDurable(ctx context.Context, stream, durable string, notBefore time.Time) (Passed, error) {
	ctx, cancel := c.short(ctx)
	defer cancel()
	p, err := c.restartDurable(ctx, stream, durable, notBefore)
	if err != nil {
		return p, fmt.Errorf("bus: restart consumer %s of %s: %w", durable, stream, err)
	}
	return p, nil
}

// Passed is what RestartDurable passed over.
type Passed struct {
	// Old is how many of the consumer's messages had been stored before the
	// moment given, give or take what was stored meanwhile.
	Old uint64
	// Removed is how many sequences the stream's limits had removed, also those
	// that the consumer's filter leaves out. Consume tells only what lies
	// behind these.
	Removed uint64
}

func (c *Conn) restartDurable(ctx context.Context, stream, durable string, notBefore time.Time) (p Passed, err error) {
	before, err := c.js.Consumer(ctx, stream, durable)
	if err != nil {
		return p, err
	}
	state, err := c.streamState(ctx, stream)
	if err != nil {
		return p, err
	}
	if _, err := c.js.ResetConsumer(ctx, stream, durable); err != nil {
		return p, err
	}
	if p.Old, err = c.skipOld(ctx, stream, durable, notBefore); err != nil {
		return p, err
	}
	after, err := c.js.Consumer(ctx, stream, durable)
	if err != nil {
		return p, err
	}
	// One that was never read has settled nothing, and begins where it was told to.
	settled := max(before.CachedInfo().AckFloor.Stream+1, before.CachedInfo().Config.OptStartSeq) - 1
	p.Removed = max(min(state.FirstSeq-1, passed(after.CachedInfo())), settled) - settled
	return p, nil
}

// passed is the last sequence that a consumer does not read any more.
func passed(i *jetstream.ConsumerInfo) uint64 { return max(i.Delivered.Stream, i.AckFloor.Stream) }

// skipOld moves a durable that was reset past what was stored before notBefore,
// and counts that.
func (c *Conn) skipOld(ctx context.Context, stream, durable string, notBefore time.Time) (uint64, error) {
	begins, err := c.Lag(ctx, stream, durable)
	if err != nil || notBefore.IsZero() || begins.Pending == 0 {
		return 0, err
	}
	seq, err := c.SeqAt(ctx, stream, notBefore)
	if err != nil || seq <= begins.AckFloor+1 {
		return 0, err
	}
	if _, err := c.js.ResetConsumerToSequence(ctx, stream, durable, seq); err != nil {
		return 0, err
	}
	after, err := c.Lag(ctx, stream, durable)
	if err != nil || after.Pending >= begins.Pending {
		return 0, err
	}
	return begins.Pending - after.Pending, nil
}
