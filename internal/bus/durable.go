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

// EnsureDurable makes d where it is missing, to begin with what is stored from
// now on, or changes its filter and bounds where they differ. A consumer that
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

func (c *Conn) ensureDurable(ctx context.Context, d Durable, fromNow bool) error {
	if err := errors.Join(validStream(d.Stream), validStream(d.Name)); err != nil {
		return err
	}
	ctx, cancel := c.short(ctx)
	defer cancel()
	cons, err := c.js.Consumer(ctx, d.Stream, d.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return c.createDurable(ctx, d, fromNow)
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

// createDurable begins by a sequence and not by "new": from such a beginning a
// consumer can be restarted anywhere later.
func (c *Conn) createDurable(ctx context.Context, d Durable, fromNow bool) error {
	cfg := d.config()
	if fromNow {
		s, err := c.streamState(ctx, d.Stream)
		if err != nil {
			return err
		}
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, s.LastSeq+1
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

// RestartDurable has a durable begin again right after what is settled without
// a gap: what was delivered and not settled comes again, in the stream's order
// and before anything newer, without waiting for AckWait. It is for whoever
// takes over a durable from a process that is gone; a member still at work
// would see its messages twice.
//
// Messages stored before notBefore (the zero time: none) are passed over;
// skipped is how many of the consumer's these were, give or take what was
// stored meanwhile.
func (c *Conn) RestartDurable(ctx context.Context, stream, durable string, notBefore time.Time) (skipped uint64, err error) {
	skipped, err = c.restartDurable(ctx, stream, durable, notBefore)
	if err != nil {
		return 0, fmt.Errorf("bus: restart consumer %s of %s: %w", durable, stream, err)
	}
	return skipped, nil
}

func (c *Conn) restartDurable(ctx context.Context, stream, durable string, notBefore time.Time) (uint64, error) {
	ctx, cancel := c.short(ctx)
	defer cancel()
	if _, err := c.js.ResetConsumer(ctx, stream, durable); err != nil {
		return 0, err
	}
	before, err := c.Lag(ctx, stream, durable)
	if err != nil || notBefore.IsZero() || before.Pending == 0 {
		return 0, err
	}
	seq, err := c.SeqAt(ctx, stream, notBefore)
	if err != nil || seq <= before.AckFloor+1 {
		return 0, err
	}
	if _, err := c.js.ResetConsumerToSequence(ctx, stream, durable, seq); err != nil {
		return 0, err
	}
	after, err := c.Lag(ctx, stream, durable)
	if err != nil || after.Pending >= before.Pending {
		return 0, err
	}
	return before.Pending - after.Pending, nil
}
