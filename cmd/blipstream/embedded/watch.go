package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"
)

// renewEvery spaces the looks for room on a disk that was full.
const renewEvery = time.Second

// Ready is nil while the server stores what it gets.
func (s *Server) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// watch waits for writes that fail, until ctx ends. The server takes nothing
// more for a stream that has failed to write once, also when the disk has room
// again, until it is started anew.
func (s *Server) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-s.log.broken:
			s.fail(line)
			s.renew(ctx)
		}
	}
}

// fail says what is to be done about it.
func (s *Server) fail(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = fmt.Errorf("embedded: store in %s: %s: nothing is stored until %d MiB of its disk are free", s.options.Dir, line, least>>20)
	s.options.Log.Error("storing failed", slog.String("error", s.failed.Error()))
}

// renew starts the server anew as soon as there is room. Until then it runs on:
// what it has stored can be read.
func (s *Server) renew(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if free, _, err := diskSpace(s.options.Dir); err != nil || free < least {
			continue
		}
		if err := s.restart(); err != nil {
			s.options.Log.Error("start anew", slog.String("error", err.Error()))
			continue
		}
		s.options.Log.Info("storing goes on: there is room on the disk")
		return
	}
}

// restart replaces the server by another at the same address. Clients come back
// by themselves.
func (s *Server) restart() error {
	stop(s.running())
	select {
	case <-s.log.broken: // of its end
	default:
	}
	port, err := s.port()
	if err != nil {
		return err
	}
	nats, err := boot(s.options.server(port, s.space.ceiling()), s.log)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nats, s.failed = nats, nil
	return nil
}

// port is where the server listens.
func (s *Server) port() (int, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return 0, fmt.Errorf("embedded: read own URL: %w", err)
	}
	return strconv.Atoi(u.Port())
}
