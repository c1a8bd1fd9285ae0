package bustest

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// DeleteConsumer deletes a durable consumer, as an operator might.
func (s *Server) DeleteConsumer(tb testing.TB, stream, durable string) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		return js.DeleteConsumer(ctx, stream, durable)
	})
}

// DeleteStream deletes a stream with all it holds, as an operator might.
func (s *Server) DeleteStream(tb testing.TB, stream string) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		return js.DeleteStream(ctx, stream)
	})
}

// admin does something over a plain connection.
func (s *Server) admin(tb testing.TB, do func(context.Context, jetstream.JetStream) error) {
	tb.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		tb.Fatalf("bustest: connect: %v", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatalf("bustest: connect: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := do(ctx, js); err != nil {
		tb.Fatalf("bustest: act as operator: %v", err)
	}
}

// AddConsumer makes a durable consumer that gives a message up after so many
// deliveries, as somebody else might.
func (s *Server) AddConsumer(tb testing.TB, stream, durable string, maxDeliver int) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
			Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: maxDeliver,
		})
		return err
	})
}

// HurryConsumer has a durable consumer deliver again what is unsettled for so
// long, without the back-off that it was made with.
func (s *Server) HurryConsumer(tb testing.TB, stream, durable string, wait time.Duration) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		cons, err := js.Consumer(ctx, stream, durable)
		if err != nil {
			return err
		}
		cfg := cons.CachedInfo().Config
		cfg.BackOff, cfg.AckWait = nil, wait
		_, err = js.UpdateConsumer(ctx, stream, cfg)
		return err
	})
}

// DeleteMessages deletes messages of a stream, which leaves holes.
func (s *Server) DeleteMessages(tb testing.TB, stream string, seqs ...uint64) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		st, err := js.Stream(ctx, stream)
		for i := 0; err == nil && i < len(seqs); i++ {
			err = st.DeleteMsg(ctx, seqs[i])
		}
		return err
	})
}

// ResetConsumer has a durable consumer begin again at a sequence.
func (s *Server) ResetConsumer(tb testing.TB, stream, durable string, seq uint64) {
	tb.Helper()
	s.admin(tb, func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.ResetConsumerToSequence(ctx, stream, durable, seq)
		return err
	})
}
