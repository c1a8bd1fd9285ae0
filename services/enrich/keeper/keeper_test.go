package keeper_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
	"github.com/blipstream/blipstream/services/enrich/keeper"
)

// metrics counts. It implements keeper.Metrics.
type metrics struct {
	mu              sync.Mutex
	loaded, refused int
}

// RulesLoaded implements keeper.Metrics.
func (m *metrics) RulesLoaded(uint64, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loaded++
}

// RulesRefused implements keeper.Metrics.
func (m *metrics) RulesRefused() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused++
}

// board keeps what is reported. It implements keeper.Board.
type board struct {
	mu   sync.Mutex
	told []*feedv1.RulesState
}

// ReportStatus implements keeper.Board.
func (b *board) ReportStatus(_ context.Context, key string, payload []byte) error {
	var s feedv1.RulesState
	if err := protojson.Unmarshal(payload, &s); err != nil {
		return err
	}
	if key != keeper.StatusPrefix+s.GetReplica() {
		return os.ErrInvalid
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, &s)
	return nil
}

// write replaces a file as editors and ConfigMaps do: at once.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func one(kind string) string { return "rules: [{kind: " + kind + ", when: 'true'}]" }

func TestFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, one("first"))
	synctest.Test(t, func(t *testing.T) {
		var m metrics
		var b board
		k, err := keeper.New(keeper.Options{Place: path, Log: slog.New(slog.DiscardHandler), Metrics: &m})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		reporter := keeper.Reporter{Keeper: k, Board: &b, Log: slog.New(slog.DiscardHandler)}
		all.Go(func() { _ = k.Run(ctx) })
		all.Go(func() { _ = reporter.Run(ctx) })
		// inForce waits for the next look and the next report.
		inForce := func(kind string, generation, refused uint64, refusal string) {
			t.Helper()
			<-time.After(4 * time.Second)
			synctest.Wait()
			s := k.State()
			if k.Set() != s.Set {
				t.Errorf("in force is %v, told is %v", k.Set().Kinds, s.Set.Kinds)
			}
			if string(s.Set.Kinds[0]) != kind || s.Generation != generation || s.Refused != refused || !strings.Contains(s.Refusal, refusal) {
				t.Errorf("state %+v of %v, want %s, %d, %d, %q", s, s.Set.Kinds, kind, generation, refused, refusal)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			last := b.told[len(b.told)-1]
			if last.GetGeneration() != generation || last.GetRefusedGeneration() != refused || last.GetPlace() != "file" || strings.Contains(last.GetRefusal(), path) {
				t.Errorf("told %v", last)
			}
		}
		inForce("first", 1, 0, "")
		write(t, path, one("second"))
		inForce("second", 2, 0, "")
		write(t, path, "rules: [{kind: third, when: 'post.'}]")
		inForce("second", 2, 3, "column")
		write(t, path, one("fourth"))
		inForce("fourth", 4, 0, "")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		inForce("fourth", 4, 5, "cannot be read")
		write(t, path, one("sixth"))
		inForce("sixth", 5, 0, "")
		write(t, path, "") // as who writes it in place does first
		inForce("sixth", 5, 6, "there are none")
		cancel()
		all.Wait()
		if m.loaded != 4 || m.refused != 3 {
			t.Errorf("%d loaded and %d refused, want 4 and 3", m.loaded, m.refused)
		}
	})
}

// A text that the compiler does not survive is refused like any other.
func TestPanicIsARefusal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, "rules: [{kind: a, when: 'true', tests: [{raw: {a: 1}, want: {}}]}]")
	var m metrics
	_, err := keeper.New(keeper.Options{
		Place: path, Log: slog.New(slog.DiscardHandler), Metrics: &m,
		Read: func([]byte) (feed.Record, error) { panic("torn\nin two") },
	})
	if err == nil || !strings.Contains(err.Error(), `panic: "torn\nin two"`) || strings.Contains(err.Error(), "\n") || m.refused != 1 {
		t.Errorf("error %v, refused %d", err, m.refused)
	}
}

// noBucket is a bus without the bucket. It implements keeper.Bus.
type noBucket struct{ keeper.Bus }

func (noBucket) GetValue(context.Context, string, string) (bus.Value, error) {
	return bus.Value{}, bus.ErrNoStream
}

// Who has waited long enough for a bucket is told what is wrong with it.
func TestNoBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := keeper.New(keeper.Options{Place: "kv:none", Bus: noBucket{}, Log: slog.New(slog.DiscardHandler), Metrics: &metrics{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := k.Load(ctx); !errors.Is(err, bus.ErrNoStream) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that there is no bucket", err)
		}
	})
}
