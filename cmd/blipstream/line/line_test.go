package line

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/blipstream/blipstream/internal/service"
)

// part is a service whose end the test decides.
type part func(context.Context) error

// Run calls the function.
func (p part) Run(ctx context.Context) error { return p(ctx) }

var errBroken = errors.New("broken")

// order is who ended, the first one first.
type order struct {
	mu    sync.Mutex
	names []string
}

func (o *order) add(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names = append(o.names, name)
}

// all is a copy of the names; a part that was left may still add its own.
func (o *order) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.names)
}

// made is a line of parts, and the order in which they end.
func made(parts map[string]part) (l *Line, ended *order) {
	l, ended = &Line{env: service.Nop()}, &order{}
	l.cleanups.Add("nats-server", func(context.Context) error {
		ended.add("nats-server")
		return nil
	})
	for _, name := range []string{"enrich", "ingest", "gateway"} {
		run := parts[name]
		if run == nil {
			run = func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}
		}
		l.stages = append(l.stages, newStage(name, part(func(ctx context.Context) error {
			err := run(ctx)
			ended.add(name)
			return err
		})))
	}
	return l, ended
}

func TestPartsStopFromThePageToTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ended := made(nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if want := []string{"gateway", "ingest", "enrich", "nats-server"}; !slices.Equal(ended.all(), want) {
			t.Errorf("ended in the order %v, want %v", ended.all(), want)
		}
	})
}

func TestAPartThatFailsEndsTheOthers(t *testing.T) {
	for name, failing := range map[string]struct {
		run  part
		want error
	}{
		"with an error": {func(context.Context) error { return errBroken }, errBroken},
		"by returning":  {func(context.Context) error { return nil }, errStopped},
		"when asked to stop": {func(ctx context.Context) error {
			<-ctx.Done()
			return errBroken
		}, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, _ := made(map[string]part{"enrich": failing.run})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- l.Run(ctx) }()
				synctest.Wait()
				cancel()
				if err := <-done; !errors.Is(err, failing.want) {
					t.Errorf("Run: %v, want %v", err, failing.want)
				}
			})
		})
	}
}

func TestAPartThatDoesNotDrainIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l, ended := made(map[string]part{"ingest": func(context.Context) error {
			<-release
			return nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Run(ctx); err != nil {
			t.Errorf("Run: %v, want nil: nothing is lost", err)
		}
		if !slices.Contains(ended.all(), "nats-server") {
			t.Errorf("only %v ended, want the server too", ended.all())
		}
		close(release)
	})
}
