package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// benchStore bounds each stream, in bytes.
	benchStore = 256 << 20
	// readyPoll is how often a gateway is asked whether it is ready.
	readyPoll = 20 * time.Millisecond
)

// feeder is a NATS server with empty streams, and what publishes there.
type feeder struct {
	p         *proc
	nats      *child
	conn      *bus.Conn
	publisher *bus.Publisher
}

// startFeeder starts one.
func startFeeder(p *proc) (*feeder, error) {
	f := &feeder{p: p}
	if err := f.start(); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *feeder) start() (err error) {
	if f.nats, err = startChild(f.p); err != nil {
		return err
	}
	layout := bus.DefaultLayout()
	for _, l := range []*bus.Limits{&layout.Raw, &layout.Events, &layout.Replay, &layout.Dead} {
		l.MaxBytes = benchStore
	}
	if f.conn, err = bus.Connect(bus.Options{URL: f.nats.url, Name: "bench", Log: f.p.log, Layout: &layout}); err != nil {
		return err
	}
	if err := f.conn.Ensure(f.p.ctx, layout); err != nil {
		return err
	}
	f.publisher, err = f.conn.NewPublisher(bus.PublisherOptions{Stream: feed.StreamEvents})
	return err
}

// stop ends it, as far as it has come.
func (f *feeder) stop() {
	if f.publisher != nil {
		f.publisher.Close()
	}
	if f.conn != nil {
		closeConn(f.p.ctx, f.conn)
	}
	if f.nats != nil {
		f.nats.stop()
	}
}

// ready waits until a gateway has read what there is, and is at rest.
func (s *subject) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("bench: wait for %s: %w", s.name, err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close() // its status is all that is wanted
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("bench: wait for %s: it is not ready: %w", s.name, context.Cause(ctx))
		case <-time.After(readyPoll):
		}
	}
}
