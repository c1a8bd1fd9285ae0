package bus_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// lettersOf reads all letters.
func lettersOf(t *testing.T, c *bus.Conn) []*bus.Letter {
	t.Helper()
	var all []*bus.Letter
	err := c.DeadLetters(t.Context(), func(l *bus.Letter) error {
		all = append(all, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Letters cut into parts are put together although their parts come mixed, and
// one of which a part is gone says so.
func TestDeadLettersJoinParts(t *testing.T) {
	srv := bustest.Start(t, bustest.MaxPayload(8<<10))
	c := srv.Conn(t, "dead")
	data := bytes.Repeat([]byte("0123456789abcdef"), 1500)
	cut := func(id string) []bus.Msg {
		return c.Letters(bus.Dead{
			Stage: "ingest", Reason: "too_large", ID: id, Err: errors.New("too large"), Data: data,
			Subject: "raw.demo", Item: id, StreamSeq: 9, Deliveries: 3,
		})
	}
	a, b := cut("a"), cut("b")
	var mixed []bus.Msg
	for i := range a {
		mixed = append(mixed, a[i], b[len(b)-1-i])
	}
	mixed = append(mixed, c.Letters(bus.Dead{Stage: "enrich", Reason: "json", ID: "c", Data: []byte("{")})...)
	mixed = append(mixed, cut("d")[1:]...)
	bustest.Publish(t, c, feed.StreamDead, mixed...)

	got := lettersOf(t, c)
	if len(got) != 4 {
		t.Fatalf("%d letters, want 4", len(got))
	}
	for _, l := range got[:2] {
		if !bytes.Equal(l.Data, data) || l.Stage != "ingest" || l.Reason != "too_large" || l.Source != "demo" ||
			l.StreamSeq != 9 || l.Deliveries != 3 || l.Missing != 0 || l.Cause != "too large" {
			t.Errorf("letter %+v", l)
		}
	}
	if got[0].Item != "a" && got[0].Item != "b" || string(got[2].Data) != "{" || got[2].Origin != "" {
		t.Errorf("letters %q and %+v", got[0].Item, got[2])
	}
	if last := got[3]; last.Missing != 1 || last.Item != "d" {
		t.Errorf("the letter without its first part misses %d and is of %q", last.Missing, last.Item)
	}
	for l, want := range map[*bus.Letter]error{got[3]: bus.ErrIncomplete, got[2]: bus.ErrNoOrigin} {
		if _, err := l.Again(); !errors.Is(err, want) {
			t.Errorf("put back: %v, want %v", err, want)
		}
	}
	if err := errors.Join(c.Forget(t.Context(), got[0]), c.Forget(t.Context(), got[0])); err != nil {
		t.Error(err)
	}
	if left := lettersOf(t, c); len(left) != 3 {
		t.Errorf("%d letters are left of 4 less one", len(left))
	}
}

// What is put back has the original's headers and id, and another message id.
func TestLetterAgain(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "dead")
	bustest.Publish(t, c, feed.StreamDead, c.Letters(bus.Dead{
		Stage: "enrich", Reason: "json", ID: "RAW:1", Err: errors.New("bad"), Subject: "raw.demo", Item: "17", Data: []byte("{"),
		Header:    bus.Header{feed.HeaderFormat: {"post"}, feed.HeaderIdentity: {"second-17"}, nats.MsgIdHdr: {"demo:17"}},
		StreamSeq: 1, Deliveries: 1,
	})...)
	l := lettersOf(t, c)[0]
	m, err := l.Again()
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "raw.demo" || string(m.Data) != "{" || !strings.HasPrefix(m.ID, "demo:again-1-") {
		t.Errorf("put back as %s %q under %q", m.Subject, m.Data, m.ID)
	}
	want := bus.Header{feed.HeaderFormat: {"post"}, feed.HeaderIdentity: {"second-17"}, feed.HeaderItem: {"17"}}
	for k := range m.Header {
		if !slices.Equal(m.Header[k], want[k]) {
			t.Errorf("header %s is %q, want %q", k, m.Header[k], want[k])
		}
		delete(want, k)
	}
	if len(want) > 0 {
		t.Errorf("headers missing: %v", want)
	}
}

func TestDeadFilter(t *testing.T) {
	now := time.Now()
	l := &bus.Letter{Stored: bus.Stored{Seq: 5, Time: now}, Stage: "enrich", Reason: "json", Source: "demo"}
	for name, c := range map[string]struct {
		f    bus.DeadFilter
		want bool
	}{
		"all":         {bus.DeadFilter{}, true},
		"each":        {bus.DeadFilter{Stages: []string{"x", "enrich"}, Reasons: []string{"json"}, Sources: []string{"demo"}, Seqs: []uint64{5}, Since: now}, true},
		"stage":       {bus.DeadFilter{Stages: []string{"ingest"}}, false},
		"reason":      {bus.DeadFilter{Reasons: []string{"utf8"}}, false},
		"source":      {bus.DeadFilter{Sources: []string{"x"}}, false},
		"sequence":    {bus.DeadFilter{Seqs: []uint64{4}}, false},
		"later":       {bus.DeadFilter{Since: now.Add(1)}, false},
		"not earlier": {bus.DeadFilter{Until: now}, false},
	} {
		if got := c.f.Match(l); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzReadAdvisory(f *testing.F) {
	f.Add([]byte(`{"type":"io.nats.jetstream.advisory.v1.terminated","stream":"RAW","consumer":"c","stream_seq":3,"deliveries":1,"reason":"x","timestamp":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"type":"io.nats.jetstream.advisory.v1.max_deliver","stream":"RAW"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := bus.ReadAdvisory(data)
		if err == nil && (a.Seq == 0 || a.Consumer == "") {
			t.Errorf("%q is %+v", data, a)
		}
	})
}

// FuzzJoin feeds messages that claim to be parts of letters.
func FuzzJoin(f *testing.F) {
	f.Add("1/2", "2/2", "dead.a.b", "x")
	f.Add("2/1", "/", "dead.", "")
	f.Add("1/99999999", "-1/2", "raw.x", "dead:x:1/2")
	f.Fuzz(func(t *testing.T, first, second, subject, id string) {
		for _, l := range bus.Join(
			bus.Stored{Seq: 1, Subject: subject, Header: bus.Header{feed.HeaderPart: {first}, nats.MsgIdHdr: {id + ":" + first}}, Data: []byte("a")},
			bus.Stored{Seq: 2, Subject: subject, Header: bus.Header{feed.HeaderPart: {second}, nats.MsgIdHdr: {id + ":" + second}}, Data: []byte("b")},
		) {
			if l.Seq == 0 || l.Parts < 1 || l.Missing < 0 || l.Missing >= l.Parts {
				t.Errorf("letter %+v", l)
			}
		}
	})
}
