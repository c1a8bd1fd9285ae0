package ingest_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest"
)

// TestServerAway: while NATS is away the reading stops at the window, and
// afterwards goes on; every item is in RAW once.
func TestServerAway(t *testing.T) {
	t.Parallel()
	const items, window = 8000, 500
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	path := write(t, lines(items, 500))
	r := start(t, conn, ingest.Config{Sources: []string{"file:" + path}, Window: window})
	bustest.WaitFor(t, "reading has begun", func() bool { return r.value(t, "stored_total") > 600 })
	server.Stop()
	for range 3 {
		read := r.value(t, "items_total")
		if over := read - r.value(t, "stored_total"); over > window+1 {
			t.Errorf("%v items are read and not stored, the window is %d", over, window)
		}
	}
	server.Start()
	bustest.WaitFor(t, "more is stored", func() bool { return r.value(t, "stored_total") > 2500 })
	server.Restart()
	bustest.WaitFor(t, "the file is read", func() bool { return r.in(t, "file", "done") })
	got := raw(t, conn, "file")
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(lines(items, 500)), "\n")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("RAW holds %d items, want the %d of the file once each", len(got), len(want))
	}
}

// TestCursorBehindRaw is invariant 1: wherever a process is cut off, what lies
// before its cursor is in RAW.
func TestCursorBehindRaw(t *testing.T) {
	t.Parallel()
	const size = 200
	text := lines(12_000, size)
	path := write(t, text)
	server := bustest.Start(t)
	mine := server.Conn(t, "check")
	r := start(t, server.Conn(t, "warm"), ingest.Config{Sources: []string{"demo:?rate=1"}})
	r.end(t)
	for round := range 2 {
		source := fmt.Sprintf("file:%s#cut%d", path, round)
		conn := server.Conn(t, "cut")
		r := start(t, conn, ingest.Config{Sources: []string{source}, SaveEvery: 10_000_000})
		bustest.WaitFor(t, "reading has begun", func() bool { return r.value(t, "stored_total") > float64(2000*(round+1)) })
		bustest.Close(conn)
		r.stop()
		checkCursor(t, mine, fmt.Sprintf("cut%d", round), text)
	}
}

// checkCursor compares a source's cursor, an offset in text, with RAW.
func checkCursor(t *testing.T, conn *bus.Conn, source, text string) {
	t.Helper()
	_, at, err := conn.ClaimCursor(t.Context(), "ingest."+source, math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	if at == "" {
		t.Fatal("no cursor was saved")
	}
	offset, err := strconv.Atoi(strings.Split(string(at), "-")[1])
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, item := range raw(t, conn, source) {
		stored[item] = true
	}
	before := strings.Split(strings.TrimSpace(text[:offset]), "\n")
	for i, line := range before {
		if !stored[line] {
			t.Fatalf("%s: the cursor is behind line %d, and line %d is not in RAW", source, len(before), i)
		}
	}
}

// TestTooLarge: what the server does not take is kept in DEAD, in parts, and
// its neighbours are in RAW; so is what is longer than the source's limit.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	huge := `{"id_str":"5","x":"` + strings.Repeat("y", 5<<20) + `"}`
	long := strings.Repeat("z", 7<<20)
	text := "{\"a\":1}\n" + huge + "\n{\"a\":2}\n" + long + "\n{\"a\":3}\n"
	path := write(t, text)
	r := start(t, conn, ingest.Config{Sources: []string{"file:" + path + "?max-line=6291456"}})
	bustest.WaitFor(t, "the file is read", func() bool { return r.in(t, "file", "done") })
	if got := raw(t, conn, "file"); !slices.Equal(got, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}) {
		t.Errorf("RAW holds %.200q", got)
	}
	var dead strings.Builder
	for _, m := range bustest.ReadAll(t, conn, feed.StreamDead, "dead.ingest.too_large") {
		dead.Write(m.Data)
	}
	if dead.String() != huge {
		t.Errorf("DEAD holds %d bytes of too_large, want all %d", dead.Len(), len(huge))
	}
	if len(bustest.ReadAll(t, conn, feed.StreamDead, "dead.ingest.too_long")) == 0 {
		t.Error("DEAD holds nothing of too_long")
	}
	if r.value(t, "stored_total") != 5 || r.value(t, "unstored_items") != 0 {
		t.Errorf("stored %v, unstored %v", r.value(t, "stored_total"), r.value(t, "unstored_items"))
	}
}

// TestFenced: who finds its cursor claimed by another stops reading.
func TestFenced(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn, other := server.Conn(t, "a"), server.Conn(t, "b")
	r := start(t, conn, ingest.Config{Sources: []string{"demo:?rate=200"}})
	bustest.WaitFor(t, "it reads", func() bool { return r.value(t, "stored_total") > 10 })
	if _, _, err := other.ClaimCursor(context.Background(), "ingest.demo", math.MaxUint64); err != nil {
		t.Fatal(err)
	}
	bustest.WaitFor(t, "it stops", func() bool { return r.value(t, "fenced_total") == 1 && r.in(t, "demo", "backoff") })
}

// TestStopWithoutServer: a process that is told to stop while NATS is away
// does not wait for it.
func TestStopWithoutServer(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t)
	conn := server.Conn(t, "a")
	r := start(t, conn, ingest.Config{Sources: []string{"demo:?rate=200"}})
	bustest.WaitFor(t, "it reads", func() bool { return r.value(t, "stored_total") > 10 })
	server.Stop()
	began := time.Now()
	r.end(t)
	if took := time.Since(began); took > 10*time.Second { // 5 s are meant; the rest is for a busy machine
		t.Errorf("stopped after %v", took)
	}
}
