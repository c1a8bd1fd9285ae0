package bus_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

func TestLettersKeepTheOriginal(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "dead")
	d := bus.Dead{
		Stage: "enrich", Reason: "not.json *", ID: "RAW:7",
		Err:    fmt.Errorf("decode:\r\n%s", strings.Repeat("é", 1000)),
		Header: bus.Header{feed.HeaderFormat: {"post"}, nats.MsgIdHdr: {"x"}, "nats-ttl": {"1s"}, "bad key": {"x"}},
		Data:   []byte("oops"), StreamSeq: 7, Deliveries: 2,
	}
	for range 2 { // the same failure is kept once
		bustest.Publish(t, c, feed.StreamDead, c.Letters(d)...)
	}
	all := bustest.ReadAll(t, c, feed.StreamDead)
	if len(all) != 1 {
		t.Fatalf("%d letters", len(all))
	}
	m := all[0]
	if m.Subject != "dead.enrich.not_json__" || string(m.Data) != "oops" {
		t.Errorf("letter %s %q", m.Subject, m.Data)
	}
	for k, want := range map[string]string{
		feed.HeaderFormat: "post", feed.HeaderStreamSeq: "7", feed.HeaderDeliveries: "2",
		nats.MsgIdHdr: "dead:RAW:7", "nats-ttl": "", "bad key": "", feed.HeaderPart: "",
	} {
		if got := m.Header.Get(k); got != want {
			t.Errorf("header %s is %q, want %q", k, got, want)
		}
	}
	if text := m.Header.Get(feed.HeaderError); !strings.HasPrefix(text, "decode:") || len(text) > 512 || strings.ContainsAny(text, "\r\n") {
		t.Errorf("error text of %d bytes: %q", len(text), text)
	}
}

func TestLettersSplit(t *testing.T) {
	const maxPayload = 8 << 10
	srv := bustest.Start(t, bustest.MaxPayload(maxPayload))
	c := srv.Conn(t, "dead")
	data := make([]byte, 50_000)
	for i := range data {
		data[i] = byte(i)
	}
	msgs := c.Letters(bus.Dead{
		Stage: "ingest", Reason: "too_large", ID: "demo:1", Err: errors.New("too large"), Data: data,
		Header: bus.Header{"X-Some": {strings.Repeat("h", 3000)}},
	})
	bustest.Publish(t, c, feed.StreamDead, msgs...) // fails if a part is too large
	var whole []byte
	all := bustest.ReadAll(t, c, feed.StreamDead)
	for i, m := range all {
		if want := fmt.Sprintf("%d/%d", i+1, len(all)); m.Header.Get(feed.HeaderPart) != want {
			t.Errorf("part %q, want %q", m.Header.Get(feed.HeaderPart), want)
		}
		whole = append(whole, m.Data...)
	}
	if len(all) < 2 || !bytes.Equal(whole, data) {
		t.Errorf("%d parts of %d bytes do not make the original", len(all), len(whole))
	}
}

// A message may have as many headers as a stream takes; with its letter's own
// they would be too many.
func TestLettersOfLongHeaders(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "dead")
	bustest.Publish(t, c, feed.StreamDead, c.Letters(bus.Dead{
		Stage: "enrich", Reason: "json", ID: "RAW:7", Err: errors.New("no JSON"), Data: []byte("oops"),
		Header: bus.Header{"X-Long": {strings.Repeat("h", 65_500)}},
	})...)
	all := bustest.ReadAll(t, c, feed.StreamDead)
	if len(all) != 1 || string(all[0].Data) != "oops" || all[0].Header.Get(feed.HeaderError) != "no JSON" {
		t.Errorf("DEAD holds %d letters: %.300v", len(all), all)
	}
}

func FuzzLetters(f *testing.F) {
	f.Add("enrich", "bad", "k", "v", "boom\n", 5000, 2048)
	f.Add("", ".", "a:b", "\r\n", strings.Repeat("x", 600), 0, 1)
	f.Fuzz(func(t *testing.T, stage, reason, key, val, text string, size, maxPayload int) {
		size = max(min(size, 1<<16), 0)
		maxPayload = max(min(maxPayload, 1<<16), 1<<10)
		data := bytes.Repeat([]byte("d"), size)
		var whole []byte
		for _, m := range bus.LettersFor(bus.Dead{
			Stage: stage, Reason: reason, ID: "id", Err: errors.New(text), Header: bus.Header{key: {val}}, Data: data,
		}, int64(maxPayload)) {
			if strings.Count(m.Subject, ".") != 2 || strings.ContainsAny(m.Subject, " *>\r\n\t") || strings.HasSuffix(m.Subject, ".") {
				t.Fatalf("subject %q", m.Subject)
			}
			if wire := (&nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}); wire.Size() > maxPayload+len(m.Subject) && len(m.Data) > 1 {
				t.Fatalf("%d bytes for a server that takes %d", wire.Size(), maxPayload)
			}
			whole = append(whole, m.Data...)
		}
		if !bytes.Equal(whole, data) {
			t.Fatal("the parts do not make the original")
		}
	})
}
