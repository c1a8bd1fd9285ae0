package e2e

import (
	"bytes"
	"context"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// source is what the tests call their source.
const source = "e2e"

// headerMsgID is JetStream's header of a message's id.
const headerMsgID = "Nats-Msg-Id"

// wanted is the events that must be in EVENTS, by message id.
type wanted map[string]simulate.Want

// world makes the world of a test. Some items come twice and some out of
// order, as they do upstream.
func world(t *testing.T, malformed float64) *simulate.World {
	t.Helper()
	o := simulate.DefaultWorld(7)
	o.Duplicates, o.Disorder, o.Malformed = 0.02, 0.02, malformed
	w, err := simulate.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// want is what the first n items of w must yield.
func want(w *simulate.World, n int) wanted {
	all := wanted{}
	for i := range uint64(n) {
		for _, e := range w.Want(i) {
			all[feed.EventID(e.Kind, source, e.ID)] = e
		}
	}
	return all
}

// file writes the first n items of w to a file and returns its source URL.
func file(t *testing.T, w *simulate.World, n int) string {
	t.Helper()
	var b []byte
	for i := range uint64(n) {
		b = append(w.Append(b, i), '\n')
	}
	return writeFile(t, b)
}

func writeFile(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "items.ndjson")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file:" + path + "#" + source
}

// connect reaches a server as another program would: by TCP.
func connect(t *testing.T, url string) *bus.Conn {
	t.Helper()
	conn, err := bus.Connect(bus.Options{URL: url, Name: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

func closeConn(conn *bus.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the server may be gone
}

// count is how many messages a stream holds; 0 while that cannot be told.
func count(t *testing.T, conn *bus.Conn, stream string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s, err := conn.Stream(ctx, stream)
	if err != nil {
		return 0
	}
	return int(s.Messages)
}

// read reads a whole stream.
func read(t *testing.T, conn *bus.Conn, stream string) []bus.Stored {
	t.Helper()
	var all []bus.Stored
	for next := uint64(1); ; {
		part, err := conn.Range(t.Context(), stream, next, 1000)
		if err != nil {
			t.Fatalf("read %s from %d: %v", stream, next, err)
		}
		if len(part) == 0 {
			return all
		}
		all = append(all, part...)
		next = part[len(part)-1].Seq + 1
	}
}

// settle waits until EVENTS holds everything and nothing is in work any more.
func settle(t *testing.T, conn *bus.Conn, want wanted, within time.Duration) {
	t.Helper()
	until(t, within, "not everything came", func() bool { return count(t, conn, feed.StreamEvents) >= len(want) })
	until(t, within, "enrich never finished", func() bool {
		return bustest.Settled(t.Context(), conn, feed.StreamRaw, bus.DurableEnrich)
	})
}

// complete waits until each id of want is in EVENTS, whatever else is: where
// others may come, their number says nothing.
func complete(t *testing.T, conn *bus.Conn, want wanted, within time.Duration) {
	t.Helper()
	until(t, within, "not everything came", func() bool {
		seen := map[string]bool{}
		for _, id := range ids(read(t, conn, feed.StreamEvents)) {
			if _, ok := want[id]; ok {
				seen[id] = true
			}
		}
		return len(seen) == len(want)
	})
}

// once checks that got holds each id of want once, and nothing else.
func once(t *testing.T, want wanted, got []string) {
	t.Helper()
	seen := map[string]int{}
	for _, id := range got {
		seen[id]++
	}
	missing, twice, strange := 0, 0, 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if n := seen[id]; n == 0 {
			if missing++; missing <= 5 {
				t.Errorf("%s is missing", id)
			}
		} else if n > 1 {
			if twice++; twice <= 5 {
				t.Errorf("%s is there %d times", id, n)
			}
		}
		delete(seen, id)
	}
	for id := range seen {
		if strange++; strange <= 5 {
			t.Errorf("%s was not to come", id)
		}
	}
	if missing+twice+strange > 0 {
		t.Errorf("of %d events %d are missing and %d doubled; %d others came", len(want), missing, twice, strange)
	}
}

// removed is the ids of the events that want itself has removed. A gateway
// leaves them out of what it sends again, so that a reader may get them or not.
func (w wanted) removed() map[string]bool {
	upTo := map[string]string{}
	for _, e := range w {
		if e.Kind == feed.KindGeoRemoved {
			upTo[e.UserID] = max(upTo[e.UserID], e.UpToID) // ids of one world have one length
		}
	}
	gone := map[string]bool{}
	for id, e := range w {
		if e.Kind == feed.KindPostRemoved {
			gone[feed.EventID(feed.KindSimpleTweet, source, e.ID)] = true
			gone[feed.EventID(feed.KindGeoBlip, source, e.ID)] = true
		}
		if last := upTo[e.UserID]; e.Kind == feed.KindGeoBlip && last != "" && e.ID <= last {
			gone[id] = true
		}
	}
	return gone
}

// served checks that a reader got each event of want once, and nothing else;
// what was removed it need not have got.
func served(t *testing.T, want wanted, reader *follower) {
	t.Helper()
	must, gone := wanted{}, want.removed()
	for id, e := range want {
		if !gone[id] {
			must[id] = e
		}
	}
	until(t, patience, "the SSE client is behind", func() bool { return reader.has(must) })
	got, _ := reader.all()
	for _, id := range got {
		if e, ok := want[id]; ok && gone[id] {
			must[id] = e
		}
	}
	once(t, must, got)
}

// ids are the message ids of stored messages.
func ids(stored []bus.Stored) []string {
	all := make([]string, 0, len(stored))
	for _, s := range stored {
		all = append(all, s.Header.Get(headerMsgID))
	}
	return all
}

// same checks what an event says against the oracle.
func same(t *testing.T, kind feed.Kind, data []byte, want simulate.Want) {
	t.Helper()
	switch kind {
	case feed.KindSimpleTweet:
		var m feedv1.SimpleTweet
		strict(t, data, &m)
		got := [...]string{m.GetId(), m.GetSource(), m.GetUsername(), m.GetName(), m.GetBody(), m.GetUserId(), m.GetType()}
		if w := [...]string{want.ID, source, want.Username, want.Name, want.Body, want.UserID, string(want.Type)}; got != w {
			t.Errorf("simple_tweet %q, want %q", got, w)
		}
		sameTime(t, m.GetTime().AsTime(), want)
	case feed.KindGeoBlip:
		var m feedv1.GeoBlip
		strict(t, data, &m)
		if m.Lat == nil || m.Lon == nil || far(&m, want) || m.GetPrecision() != string(want.Precision) {
			t.Errorf("geo_blip %s at %v,%v (%s), want %v,%v (%s)", m.GetId(), m.GetLat(), m.GetLon(), m.GetPrecision(), want.Lat, want.Lon, want.Precision)
		}
		sameTime(t, m.GetTime().AsTime(), want)
	case feed.KindPostRemoved:
		var m feedv1.PostRemoved
		strict(t, data, &m)
		if m.GetId() != want.ID {
			t.Errorf("post_removed %s, want %s", m.GetId(), want.ID)
		}
	case feed.KindGeoRemoved:
		var m feedv1.GeoRemoved
		strict(t, data, &m)
		if m.GetUserId() != want.UserID || m.GetUpToId() != want.UpToID {
			t.Errorf("geo_removed %s up to %s, want %s up to %s", m.GetUserId(), m.GetUpToId(), want.UserID, want.UpToID)
		}
	default:
		t.Errorf("an event of kind %q came", kind)
	}
}

func strict(t *testing.T, data []byte, m proto.Message) {
	t.Helper()
	if err := protojson.Unmarshal(data, m); err != nil {
		t.Errorf("event %s: %v", bytes.TrimSpace(data), err)
	}
}

// far reports whether a blip is not where it must be: a point exactly, but for
// the last bits, and a place within half its radius.
func far(m *feedv1.GeoBlip, want simulate.Want) bool {
	const rad = math.Pi / 180
	north := m.GetLat() - want.Lat
	east := math.Remainder(m.GetLon()-want.Lon, 360) * math.Cos((m.GetLat()+want.Lat)/2*rad)
	away := math.Hypot(north, east) * 6371 * rad
	return away > 0.501*want.RadiusKm+1e-4
}

// sameTime compares to the second: created_at tells no more.
func sameTime(t *testing.T, got time.Time, want simulate.Want) {
	t.Helper()
	if d := got.Sub(want.Time).Abs(); d >= time.Second {
		t.Errorf("%s %s posted at %v, want %v", want.Kind, want.ID, got, want.Time)
	}
}
