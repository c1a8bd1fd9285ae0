package ingest_test

import (
	"context"
	"math"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/services/ingest"
)

// budgetSaved is the count of posts that a process would begin with.
func budgetSaved(t *testing.T, conn *bus.Conn) uint64 {
	t.Helper()
	_, at, err := conn.ClaimCursor(t.Context(), "ingest.x", math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(string(at), 10, 64)
	if err != nil {
		t.Fatalf("cursor %q", at)
	}
	return n
}

// TestBudgetIsNeverPassed: while NATS is away no more posts are read than are
// known to be counted, however seldom cursors are saved; a killed process would
// leave them counted, and one that stops leaves what was read.
func TestBudgetIsNeverPassed(t *testing.T) {
	t.Parallel()
	const aside = 64
	x, err := simulate.NewX(simulate.Options{Rate: 2000, Secrets: []string{"bearer:t"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(x)
	t.Cleanup(func() {
		x.Close()
		srv.Close()
	})
	server := bustest.Start(t)
	cfg := ingest.Config{
		Sources: []string{"x+" + srv.URL + "/?stream=sample&max-posts=100000"}, SaveEvery: time.Hour,
		Secret: func(string) string { return "bearer:t" },
	}
	r := start(t, server.Conn(t, "a"), cfg)
	bustest.WaitFor(t, "posts are read", func() bool { return r.value(t, "stored_total") > 5*aside })
	server.Stop()
	bustest.WaitFor(t, "what was set aside is read", func() bool {
		read := r.value(t, "items_total")
		if over := read - r.value(t, "stored_total"); over > aside {
			t.Fatalf("%v posts are read and not stored, want %d at most", over, aside)
		}
		return int(read)%aside == 0
	})
	server.Start()
	bustest.WaitFor(t, "more posts are read", func() bool { return r.value(t, "stored_total") > 10*aside })
	r.end(t)
	conn := server.Conn(t, "b")
	state, err := conn.Stream(context.Background(), "RAW")
	if err != nil {
		t.Fatal(err)
	}
	if read, saved := uint64(r.value(t, "items_total")), budgetSaved(t, conn); saved < read || saved > read+aside || state.Messages != read {
		t.Errorf("%d posts are read, %d in RAW, %d counted", read, state.Messages, saved)
	}
}
