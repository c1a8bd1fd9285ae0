package bridge

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// probeWait is how long an echo is waited for before copying begins: many
	// times what a relay on the same machines needs.
	probeWait = 500 * time.Millisecond
	// markEvery spaces the markers on an outgoing channel.
	markEvery = time.Minute
	// maxMarked is the longest message that can be a marker, in bytes.
	maxMarked = 128
)

// ErrLoop is told when the bridge hears on one channel what it says on another.
var ErrLoop = errors.New("what is sent out comes back in: copy one direction only, or break the link between the channels")

// marker is a decimal number that nobody else sends. It means nothing to old
// readers: on the raw channel a number is passed over like the lengths that
// stand between tweets, on the events channel it is in an event of a kind that
// no page knows.
type marker string

// newMarker makes one of 18 digits, which fits a signed 64-bit number.
func newMarker() marker {
	const lowest = 100_000_000_000_000_000
	n, err := rand.Int(rand.Reader, big.NewInt(9*lowest))
	if err != nil { // rand.Reader does not fail
		n = big.NewInt(time.Now().UnixNano() % lowest)
	}
	return marker(n.Add(n, big.NewInt(lowest)).String())
}

// in reports whether payload is a message that carries m.
func (m marker) in(payload string) bool {
	return len(payload) <= maxMarked && bytes.Contains([]byte(payload), []byte(m))
}

func rawMarked(m marker) []byte { return []byte(m) }

func eventMarked(m marker) []byte {
	return []byte(`{"kind": "bridge_marker", "body": "{\"marker\": \"` + string(m) + `\"}"}`)
}

// probe sends a marker out and listens for it coming in, where both directions
// are copied. It waits for Redis as long as ctx allows. Nothing has been copied
// by then, so that a loop leaves no trace.
func (s *Service) probe(ctx context.Context) error {
	var in []string
	var out []*channel
	for _, c := range s.channels {
		if c.direction == In {
			in = append(in, c.name)
		} else {
			out = append(out, c)
		}
	}
	if len(in) == 0 || len(out) == 0 {
		return nil
	}
	delay := newBackoff()
	for {
		err := s.listen(ctx, in, out)
		if err == nil || errors.Is(err, ErrLoop) || ctx.Err() != nil {
			return err
		}
		if out[0].complain() {
			s.log.Warn("nothing is copied before it is known that what is sent does not come back",
				slog.String("channel", out[0].name), slog.String("error", err.Error()))
		}
		delay.wait(ctx)
	}
}

// listen does one probe.
func (s *Service) listen(ctx context.Context, in []string, out []*channel) error {
	server, err := s.hearing(ctx, in[0])
	if err != nil {
		return err
	}
	sub := server.Subscribe(ctx, in...)
	defer func() { _ = sub.Close() }()
	for range in {
		if _, err := sub.ReceiveTimeout(ctx, redisTimeout); err != nil {
			return err
		}
	}
	for _, c := range out {
		if err := server.Publish(ctx, c.name, c.marked(s.marker)).Err(); err != nil {
			return err
		}
	}
	for until := time.Now().Add(probeWait); ; {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		got, err := sub.ReceiveTimeout(ctx, left)
		if err != nil {
			return ctx.Err() // nothing came in time, or Redis went away: the sessions will find out
		}
		if m, ok := got.(*redis.Message); ok && s.marker.in(m.Payload) {
			return s.loop(m.Channel)
		}
	}
}

// loop is the error of a loop found on a channel. Run returns the first.
func (s *Service) loop(channel string) error {
	err := fmt.Errorf("bridge: copy channel %q: %w", channel, ErrLoop)
	s.looped.CompareAndSwap(nil, &err)
	return err
}
