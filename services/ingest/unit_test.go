package ingest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/service"
	"github.com/blipstream/blipstream/services/ingest/source"
)

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	long, item := attempt{lasted: time.Minute, connected: true, progressed: true}, attempt{connected: true, progressed: true}
	with := func(a attempt, c source.Cause) attempt { a.cause = c; return a }
	for name, c := range map[string]struct {
		attempts []attempt
		want     []time.Duration
	}{
		"closed":                     {[]attempt{long, long, long}, []time.Duration{0, 0, 0}},
		"closed at once, with items": {[]attempt{item, item, item, long, item}, []time.Duration{0, 250 * ms, 250 * ms, 0, 0}},
		"closed without an item": {
			slices.Repeat([]attempt{{connected: true}}, 5), []time.Duration{0, 250 * ms, 500 * ms, 750 * ms, time.Second},
		},
		"network": {
			append(slices.Repeat([]attempt{{cause: source.CauseNetwork}}, 3), with(long, source.CauseNetwork)),
			[]time.Duration{250 * ms, 500 * ms, 750 * ms, 250 * ms},
		},
		"http": {
			append(slices.Repeat([]attempt{{cause: source.CauseHTTP}}, 9), long, attempt{cause: source.CauseHTTP}),
			[]time.Duration{5e9, 10e9, 20e9, 40e9, 80e9, 160e9, 320e9, 320e9, 320e9, 0, 5e9},
		},
		"rate limited": {
			slices.Repeat([]attempt{{cause: source.CauseRateLimited}}, 6),
			[]time.Duration{60e9, 120e9, 240e9, 480e9, 960e9, 960e9},
		},
		"as long as it asks": {
			[]attempt{{cause: source.CauseRateLimited, asked: 10 * time.Minute}, {cause: source.CauseHTTP, asked: time.Second}},
			[]time.Duration{10 * time.Minute, 5 * time.Second},
		},
	} {
		var b backoff
		for i, a := range c.attempts {
			if got := b.next(a, 0); got != c.want[i] {
				t.Errorf("%s: wait %d is %v, want %v", name, i, got, c.want[i])
			}
		}
	}
	var b backoff
	for range 1000 {
		b.next(attempt{cause: source.CauseNetwork}, 0)
	}
	if got := b.next(attempt{cause: source.CauseNetwork}, 1); got != networkMax+networkMax/10 {
		t.Errorf("the longest wait with the most jitter is %v", got)
	}
}

// scripted is a source whose connections end as the script says.
type scripted struct {
	script []error
	began  []time.Time
}

func (s *scripted) Stream(ctx context.Context, _ feed.Cursor, _ func(feed.Item) error) error {
	s.began = append(s.began, time.Now())
	if len(s.began) > len(s.script) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.script[len(s.began)-1]
}

// TestSupervise: the waits happen, and a fatal end is the end.
func TestSupervise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("upstream says no")
		fail := func(c source.Cause) error { return &source.Error{Cause: c, Err: failed} }
		src := &scripted{script: []error{
			fail(source.CauseHTTP), fail(source.CauseHTTP), fail(source.CauseRateLimited), failed,
			&source.Error{Cause: source.CauseClosed, Err: source.ErrStalled}, fail(source.CauseFatal),
		}}
		m, err := newMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		w := &worker{src: src, log: log, metrics: m.of("x"), status: newStatus("x", log, m.of("x"))}
		w.current = &session{worker: w, ctx: t.Context()}
		if err := w.current.supervise(t.Context()); !errors.Is(err, failed) {
			t.Errorf("supervise = %v", err)
		}
		var waits []time.Duration
		for i := range src.began[1:] {
			waits = append(waits, src.began[i+1].Sub(src.began[i]))
		}
		for i, want := range []time.Duration{5e9, 10e9, 60e9, 250e6, 0} {
			if waits[i] < want || waits[i] > want+want/10 {
				t.Errorf("wait %d is %v, want %v and a tenth at most", i, waits[i], want)
			}
		}
		if len(src.began) != 6 {
			t.Errorf("%d connections, want none after the fatal one", len(src.began))
		}
	})
}

// TestReadiness: a standby is ready, and a source that is down for a while is not.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		s := newStatus("x", slog.New(slog.DiscardHandler), m.of("x"))
		step := func(to state, err error, wait time.Duration, ready bool) {
			t.Helper()
			s.set(to, err)
			<-time.After(wait)
			if got := s.ready(); (got == nil) != ready {
				t.Errorf("%s for %v: %v", to, wait, got)
			}
		}
		down := errors.New("down")
		step(stateStandby, nil, time.Hour, true)
		step(stateConnecting, nil, time.Second, true)
		step(stateLive, nil, time.Hour, true)
		s.set(stateStandby, nil)
		step(stateBackoff, down, 30*time.Second, true)
		step(stateConnecting, down, 31*time.Second, false)
		step(stateLive, nil, time.Second, true)
		step(stateFailed, down, 0, false)
		step(stateDone, nil, time.Hour, true)
	})
}

// TestLogOfAnOutage: an upstream that stays away is told of when it goes, when
// the wait has doubled and now and then, but not at every try; and so is each
// other cause, and the next outage.
func TestLogOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		var lines bytes.Buffer
		s := newStatus("x", slog.New(slog.NewTextHandler(&lines, nil)), m.of("x"))
		count := func(cause source.Cause, tries int) int {
			lines.Reset()
			var b backoff
			for range tries {
				delay := b.next(attempt{cause: cause}, 0)
				s.tell(s.urgency(cause, delay), stateBackoff, errors.New("away"))
				<-time.After(delay)
				s.tell(slog.LevelDebug, stateConnecting, nil)
			}
			return strings.Count(lines.String(), "\n")
		}
		// 64 tries take about 8 minutes and double the wait 6 times; 75 more some 20.
		if n := count(source.CauseNetwork, 139); n < 7 || n > 12 {
			t.Errorf("%d lines of 139 tries:\n%s", n, &lines)
		}
		if n := count(source.CauseHTTP, 1); n != 1 {
			t.Errorf("%d lines of another cause", n)
		}
		s.set(stateLive, nil)
		if n := count(source.CauseHTTP, 1); n != 1 {
			t.Errorf("%d lines of another outage", n)
		}
	})
}

// TestLedger: whatever the order of the answers, the position has nothing
// unsettled before it.
func TestLedger(t *testing.T) {
	for _, order := range [][]uint64{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}} {
		var l ledger
		for i := range 4 {
			l.enter(feed.Cursor(strconv.FormatUint(uint64(i), 10)))
		}
		settled := map[uint64]bool{}
		for _, n := range order {
			l.settle(n)
			settled[n] = true
			want := feed.Cursor("")
			for i := uint64(0); settled[i]; i++ {
				want = feed.Cursor(strconv.FormatUint(i, 10))
			}
			if got := l.position(); got != want {
				t.Errorf("order %v: position %q after %d, want %q", order, got, n, want)
			}
		}
		if l.open() != 0 {
			t.Errorf("%d open", l.open())
		}
	}
}

func TestRefusedSettings(t *testing.T) {
	for want, cfg := range map[string]Config{
		"no source":              {},
		"bluesky, bluesky+ws, ":  {Sources: []string{"gopher:x"}},
		"scheme \"\"":            {Sources: []string{"tweets.ndjson"}},
		"two are named demo":     {Sources: []string{"demo:", "demo:?rate=3"}},
		"is not made of":         {Sources: []string{"demo:#A.B"}},
		"user or password":       {Sources: []string{"twitter+https://me:hunter2@h/x"}},
		"parameter Access_Token": {Sources: []string{"twitter+https://h/x?Access_Token=hunter2"}},
		"parameter api-key":      {Sources: []string{"twitter+https://h/x?api-key=hunter2"}},
		"read sources: ":         {Sources: []string{"twitter+https://h:hunter2/%zz"}},
		"no such file":           {Sources: []string{"file:/nowhere/at/all"}},
		"lease-ttl":              {Sources: []string{"demo:"}, LeaseTTL: time.Millisecond},
		"cursor-every":           {Sources: []string{"demo:"}, SaveEvery: time.Nanosecond},
		"ingest-window":          {Sources: []string{"demo:"}, Window: -1},
	} {
		_, err := New(cfg, nil, service.Nop())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: %v, want one line with %q and no secret", cfg.Sources, err, want)
		}
	}
}

func TestNamesAndKeys(t *testing.T) {
	cfg := Config{
		Sources: []string{"twitter+https://h/x", "demo:?rate=1#de-mo_2", "demo:"},
		Secret:  func(v string) string { return map[string]string{"BLIPSTREAM_SECRET_DE_MO_2": "s3cret"}[v] },
	}
	specs, err := cfg.specs()
	if err != nil {
		t.Fatal(err)
	}
	if specs[0].name != "twitter" || specs[1].name != "de-mo_2" || specs[2].name != "demo" {
		t.Errorf("names %s, %s, %s", specs[0].name, specs[1].name, specs[2].name)
	}
	if k := specs[0].leaseKey(); k != "ingest.twitter" {
		t.Errorf("lease %s", k)
	}
	if k := specs[1].leaseKey(); len(k) != len("ingest.de-mo_2.")+8 || strings.Contains(k, "s3cret") || specs[1].cursorKey() != "ingest.de-mo_2" {
		t.Errorf("lease %s, cursor %s", k, specs[1].cursorKey())
	}
}

func TestBriefCursor(t *testing.T) {
	for c, want := range map[feed.Cursor]string{
		"": "", "1795495021532922@host": "1795495021532922@host",
		"1 x\na y\nb z":                            "1 x… (11 bytes)",
		feed.Cursor(strings.Repeat("é", 41)):       strings.Repeat("é", 40) + "… (82 bytes)",
		feed.Cursor("a" + strings.Repeat("é", 40)): "a" + strings.Repeat("é", 39) + "… (81 bytes)",
	} {
		if got := brief(c); got != want {
			t.Errorf("%q is told as %q, want %q", c, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	m := message("x", feed.Item{ID: "7", Identity: "1-7", Format: feed.FormatTwitterV1, Received: at, Data: []byte("data")})
	parent := m.Header.Get(feed.HeaderTraceparent)
	if m.Subject != "raw.x" || m.ID != "x:7" || m.Header.Get(feed.HeaderFormat) != "twitter-v1" || m.Header.Get(feed.HeaderIdentity) != "1-7" ||
		m.Header.Get(feed.HeaderReceived) != "2026-01-02T02:04:05.000000006Z" {
		t.Errorf("message %+v", m)
	}
	parts := strings.Split(parent, "-")
	if len(parts) != 4 || parts[0] != "00" || len(parts[1]) != 32 || len(parts[2]) != 16 || parts[3] != "00" || parent == traceparent() {
		t.Errorf("traceparent %q", parent)
	}
	if bare := message("x", feed.Item{ID: "7", Received: at}); len(bare.Header) != 2 {
		t.Errorf("headers %v, want received and traceparent alone", bare.Header)
	}
}
