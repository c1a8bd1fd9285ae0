package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// metrics reads series as an operator does; 0 for what is not there.
func (w *world) metrics(series ...string) []float64 {
	w.t.Helper()
	resp, err := http.Get(w.url() + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	values := make([]float64, len(series))
	for line := range strings.Lines(string(text)) {
		for i, name := range series {
			if rest, ok := strings.CutPrefix(line, "blipstream_gateway_"+name+" "); ok {
				if values[i], err = strconv.ParseFloat(strings.TrimSpace(rest), 64); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
	return values
}

// wantMetrics waits until series have those values.
func (w *world) wantMetrics(want map[string]float64) {
	w.t.Helper()
	for series, value := range want {
		bustest.WaitFor(w.t, fmt.Sprintf("%s is %v", series, value), func() bool { return w.metrics(series)[0] == value })
	}
}

// TestSlownessIsInTheMetrics: who has no room, who was told a gap and of how
// many events, and who was cut.
func TestSlownessIsInTheMetrics(t *testing.T) {
	b := newShardBench(t)
	w := &world{t: t, gateway: b.sh.s}
	go func() { _ = w.gateway.server.Serve(w.gateway.listener) }() // until the listener is closed
	log := b.log()
	dead := b.client(log, 4<<10)
	seq := uint64(0)
	send := func(n int) {
		for range n {
			seq++
			log.Append(seq, "geo_blip", fmt.Appendf(nil, "data: %01000d\n\n", seq))
		}
		b.turn(stalledTick)
	}
	for seq < 2000 && b.stalled() == 0 {
		send(1)
	}
	w.wantMetrics(map[string]float64{"stalled_clients": 1, `slow_total{outcome="skipped"}`: 0})
	at := b.sh.groups[0].stalled[0].reader.Position()
	send(10000) // more than the log holds
	buf := make([]byte, 64<<10)
	for range 100 { // there is room now, and the client's turn comes
		_ = dead.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, _ = dead.Read(buf)
		b.turn(stalledTick)
	}
	floor := log.State().Floor
	w.wantMetrics(map[string]float64{
		`slow_total{outcome="skipped"}`: 1, `gaps_total{reason="slow"}`: 1,
		`missed_events_total{reason="slow"}`: float64(floor - 1 - at),
		`slow_total{outcome="cut"}`:          0,
	})
	send(10000)
	for range 4 * maxSkips {
		b.turn(stallTimeout / maxSkips)
	}
	w.wantMetrics(map[string]float64{"stalled_clients": 0, `slow_total{outcome="cut"}`: 1})
}

// TestThinningIsInTheMetrics: what a rate leaves out is counted.
func TestThinningIsInTheMetrics(t *testing.T) {
	w := newWorld(t, nil)
	s := w.openAs("/events?rate=1", "", "identity")
	w.next(s)
	w.publish(50, 10)
	passed, left := 0, 0
	for passed+left < 100 {
		switch e := w.next(s); e.Name {
		case "thinned":
			var told struct {
				Count int `json:",string"`
			}
			decode(t, e.Data, &told)
			left += told.Count
		case "simple_tweet", "geo_blip":
			passed++
		}
	}
	w.wantMetrics(map[string]float64{"thinned_events_total": float64(left), "views": 1})
}

// TestBacklogIsInTheMetrics: what enrich has still to do, and what was lost
// before it did. All of it was there before the gateway, whose first look
// therefore finds it whole.
func TestBacklogIsInTheMetrics(t *testing.T) {
	w := &world{t: t, server: bustest.Start(t), cfg: testConfig()}
	layout := bustest.Layout()
	layout.Raw.MaxBytes = 1 << 20
	w.connect(layout)
	raw := make([]bus.Msg, 200)
	for i := range raw {
		raw[i] = bus.Msg{Subject: feed.RawSubject("test"), ID: strconv.Itoa(i), Data: make([]byte, 10<<10)}
	}
	bustest.Publish(t, w.conn, feed.StreamRaw, raw...)
	state, err := w.conn.Stream(t.Context(), feed.StreamRaw)
	if err != nil {
		t.Fatal(err)
	}
	lost := state.FirstSeq - 1
	if lost == 0 {
		t.Fatal("RAW kept all of it")
	}
	w.start()
	w.wantMetrics(map[string]float64{
		"enrich_backlog": float64(200 - lost), `gaps_total{reason="backlog"}`: 1,
		`missed_events_total{reason="backlog"}`: float64(lost),
	})
}
