package dead_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/cmd/blipstream/dead"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

// bury puts letters into DEAD.
func bury(t *testing.T, c *bus.Conn, letters ...bus.Dead) {
	t.Helper()
	for _, d := range letters {
		bustest.Publish(t, c, feed.StreamDead, c.Letters(d)...)
	}
}

// letterOf is a letter of a small item.
func letterOf(reason, item string) bus.Dead {
	return bus.Dead{
		Stage: "enrich", Reason: reason, ID: "RAW:" + item, Err: errors.New("bad\x1b[2J " + item), Subject: "raw.demo", Item: item,
		Data: []byte(`{"n":` + item + `}`), StreamSeq: 7, Deliveries: 1,
	}
}

func TestList(t *testing.T) {
	c := bustest.Start(t).Conn(t, "test")
	bury(t, c, letterOf("json", "1"), letterOf("utf8", "2"), letterOf("json", "3"))
	var out bytes.Buffer
	if err := dead.List(t.Context(), c, bus.DeadFilter{}, &out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SEQ", "3 letters\n", "2  enrich json\n", "1  enrich utf8\n", "bad [2J 2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := dead.List(t.Context(), c, bus.DeadFilter{Reasons: []string{"json"}}, &out, true); err != nil {
		t.Fatal(err)
	}
	var items []string
	for l := range strings.Lines(out.String()) {
		var v struct{ Item, Source, Reason string }
		if err := json.Unmarshal([]byte(l), &v); err != nil || v.Source != "demo" || v.Reason != "json" {
			t.Errorf("line %q: %v", l, err)
		}
		items = append(items, v.Item)
	}
	if !slices.Equal(items, []string{"1", "3"}) {
		t.Errorf("items %v", items)
	}
}

func TestShow(t *testing.T) {
	c := bustest.Start(t, bustest.MaxPayload(8<<10)).Conn(t, "test")
	big := letterOf("size", "1")
	big.Data = bytes.Repeat([]byte("0123456789"), 2000)
	bury(t, c, big)
	var out bytes.Buffer
	if err := dead.Show(t.Context(), c, 1, &out, dead.Payload); err != nil || !bytes.Equal(out.Bytes(), big.Data) {
		t.Errorf("%d bytes of %d, %v", out.Len(), len(big.Data), err)
	}
	out.Reset()
	if err := dead.Show(t.Context(), c, 1, &out, dead.Text); err != nil || !strings.Contains(out.String(), "Blip-Subject: raw.demo") {
		t.Errorf("%v:\n%.400s", err, out.String())
	}
	out.Reset()
	var v struct{ Payload []byte }
	if err := dead.Show(t.Context(), c, 1, &out, dead.JSON); err != nil || json.Unmarshal(out.Bytes(), &v) != nil || !bytes.Equal(v.Payload, big.Data) {
		t.Errorf("%v: %.200s", err, out.String())
	}
	if err := dead.Show(t.Context(), c, 99, &out, dead.Text); !errors.Is(err, dead.ErrNoLetter) {
		t.Errorf("%v, want that there is no such letter", err)
	}
}

// Only the chosen letters go back, each once, and leave DEAD when RAW has them;
// one that cannot go stays.
func TestRedrive(t *testing.T) {
	c := bustest.Start(t, bustest.MaxPayload(8<<10)).Conn(t, "test")
	lost := letterOf("json", "4")
	lost.Subject = ""
	big := letterOf("json", "5") // fits nowhere but in parts
	big.Data = bytes.Repeat([]byte("x"), 20_000)
	bury(t, c, letterOf("json", "1"), letterOf("utf8", "2"), letterOf("json", "3"), lost, big)
	choice := bus.DeadFilter{Reasons: []string{"json"}}
	var out bytes.Buffer
	if res, err := (dead.Redrive{Filter: choice, DryRun: true}).Run(t.Context(), c, &out); err != nil || res.Chosen != 4 || res.Failed != 1 || res.Back != 0 {
		t.Errorf("dry run: %+v, %v", res, err)
	}
	for _, want := range []dead.Result{{Chosen: 4, Back: 2, Failed: 2}, {Chosen: 2, Failed: 2}} {
		res, err := dead.Redrive{Filter: choice}.Run(t.Context(), c, &out)
		if err != nil || res != want {
			t.Errorf("%+v, %v; want %+v", res, err, want)
		}
	}
	if !strings.Contains(out.String(), "letter 4: ") || !strings.Contains(out.String(), "larger than the server takes") {
		t.Errorf("printed %q", out.String())
	}
	var items []string
	for _, m := range bustest.ReadAll(t, c, feed.StreamRaw) {
		items = append(items, m.Header.Get(feed.HeaderItem))
	}
	if !slices.Equal(items, []string{"1", "3"}) {
		t.Errorf("RAW holds %v", items)
	}
	if res, err := (dead.Redrive{Filter: bus.DeadFilter{Seqs: []uint64{4}}, Source: "other"}).Run(t.Context(), c, &out); err != nil || res.Back != 1 {
		t.Errorf("to a source that was given: %+v, %v", res, err)
	}
}
