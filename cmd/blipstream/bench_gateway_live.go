package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/loadgen"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/gateway/pack"
)

// /live is measured at these numbers of events a second: what a source brings,
// and a hundred times as much.
const liveRate, liveBurst = 200.0, 20_000.0

// frameMark is what each frame has once.
const frameMark = "event: frame\n"

// live measures /live: bytes for a client, the server's CPU time, and what
// compression costs.
func (b *gatewayBench) live() error {
	b.print("\n/live, %d clients", b.Viewers)
	b.print("%-22s %14s %12s %22s", "input and form", "MB an hour", "server CPU", "frames a client got")
	var cpu [2][2]time.Duration
	for i, rate := range []float64{liveRate, liveBurst} {
		for form := range cpu[i] {
			err := b.with("gateway", func(s *subject) (err error) {
				cpu[i][form], err = b.liveOne(s, rate, form == 1)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	b.print("CPU at the higher rate against the lower: plain %.2f times, gzip %.2f times",
		float64(cpu[1][0])/float64(cpu[0][0]), float64(cpu[1][1])/float64(cpu[0][1]))
	for _, rate := range []float64{liveRate, liveBurst} {
		if err := b.with("gateway", func(s *subject) error { return b.frames(s, rate) }); err != nil {
			return err
		}
	}
	return nil
}

// liveOne measures /live in one form at one rate, and returns the CPU time.
func (b *gatewayBench) liveOne(s *subject, rate float64, gzip bool) (time.Duration, error) {
	events, err := b.events(rate)
	if err != nil {
		return 0, err
	}
	c, err := b.crowd(s, loadgen.Options{Clients: b.Viewers, Path: "/live", Mark: frameMark, Gzip: gzip})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.Reset()
	began, before := time.Now(), s.cpu()
	n, err := b.feed(s, events, rate)
	if err != nil {
		return 0, err
	}
	took, cpu := time.Since(began).Seconds(), s.cpu()-before
	total := c.Totals()
	form, frames := "plain", fmt.Sprintf("%.1f a second", float64(total.Events)/float64(b.Viewers)/took)
	if gzip {
		form, frames = "gzip", "not counted"
	}
	perHour := float64(total.Bytes) / float64(b.Viewers) / took * 3600 / 1e6
	b.print("%6.0f events/s, %-6s %13.1f %10.1f %% %22s", float64(n)/took, form, perHour, 100*cpu.Seconds()/took, frames)
	return cpu, nil
}

// events makes what is published in one stretch at a rate. They are made before
// it, so that the making takes no CPU time from what is measured.
func (b *gatewayBench) events(rate float64) ([]bus.Msg, error) {
	world, err := simulate.NewWorld(simulate.WorldOptions{Seed: 1, Geo: simulate.DefaultGeo, Epoch: time.Now()})
	if err != nil {
		return nil, err
	}
	source := payloads{world: world}
	made := make([]bus.Msg, int(rate*b.Live.Seconds()))
	for i := range made {
		if made[i], err = source.take(); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// feed publishes events at a rate, as many at once as are due, and returns how
// many the time was enough for.
func (b *gatewayBench) feed(s *subject, events []bus.Msg, rate float64) (int, error) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	began, sent := time.Now(), 0
	for time.Since(began) < b.Live {
		due := min(int(rate*time.Since(began).Seconds()), len(events))
		if due > sent {
			if err := s.feeder.publisher.Publish(b.p.ctx, events[sent:due], func(error) {}); err != nil {
				return sent, err
			}
			sent = due
		}
		select {
		case <-b.p.ctx.Done():
			return sent, fmt.Errorf("bench: publish: %w", context.Cause(b.p.ctx))
		case <-ticker.C:
		}
	}
	return sent, nil
}

// frames reads the frames that /live sends at a rate, and measures what it
// takes to compress each of them: once, however many read it.
func (b *gatewayBench) frames(s *subject, rate float64) error {
	events, err := b.events(rate)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.p.ctx)
	defer cancel()
	var all []byte
	var failed error
	read := make(chan struct{})
	go func() {
		defer close(read)
		all, failed = readLive(ctx, s.addr)
	}()
	_, err = b.feed(s, events, rate)
	cancel()
	<-read
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	return b.compress(all, rate)
}

// readLive reads /live as it is until ctx ends.
func readLive(ctx context.Context, addr string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/live", nil)
	if err != nil {
		return nil, fmt.Errorf("bench: read frames: %w", err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("bench: read frames: %w", err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if ctx.Err() == nil {
		return nil, fmt.Errorf("bench: read frames: it ended: %w", err)
	}
	return all, nil
}

// compress compresses each frame of a stream as the gateway does.
func (b *gatewayBench) compress(stream []byte, rate float64) error {
	var frames [][]byte
	plain, packed := 0, 0
	for part := range bytes.SplitAfterSeq(stream, []byte("\n\n")) {
		if bytes.Contains(part, []byte(frameMark)) {
			frames = append(frames, part)
			plain += len(part)
		}
	}
	if len(frames) == 0 {
		return fmt.Errorf("bench: read frames: none came in %s", b.Live)
	}
	var w pack.Writer
	var out []byte
	var err error
	began := time.Now()
	for _, frame := range frames {
		if out, err = w.Append(out[:0], frame); err != nil {
			return err
		}
		packed += len(out)
	}
	took := time.Since(began) / time.Duration(len(frames))
	b.print("a frame at %.0f events/s: %d bytes, compressed to %d in %s of CPU time, once for all clients",
		rate, plain/len(frames), packed/len(frames), took.Round(time.Microsecond))
	return nil
}
