package rulebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/blipstream/blipstream/cmd/blipstream/tail"
	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/feed"
)

const (
	headerMsgID = "Nats-Msg-Id"
	// overlap is how far before the span the events are read as well: an item
	// that came before and again within it has its event from then (the
	// window in which JetStream knows ids).
	overlap = 10 * time.Minute
	// lineBytes is how much of a payload is printed.
	lineBytes = 400
)

// Maker makes the events of an item; *enrich.Service is one.
type Maker interface {
	Make(m *bus.Stored) ([]bus.Msg, error)
}

// Try says what is tried.
type Try struct {
	// Since is how far back items are taken from RAW.
	Since time.Time
	// Limit is how many items are taken at most.
	Limit int
	// Samples is how many differences of a sort are printed.
	Samples int
}

// difference is how an event stands to what is stored.
type difference int

const (
	same difference = iota
	added
	changed
	gone
	differences
)

// had is an event that is stored.
type had struct {
	kind feed.Kind
	seq  uint64
	sum  uint64
	// within says that it came of an item of the span.
	within bool
}

// trial is one Try at work.
type trial struct {
	Try
	conn     *bus.Conn
	seed     maphash.Seed
	from, to uint64
	had      map[string]had
	seen     map[string]struct{}
	counts   map[feed.Kind]*[differences]int
	samples  map[feed.Kind]*[differences][]string
	items    int
	dead     int
}

// errNoItems is told where there is nothing to try rules on.
var errNoItems = errors.New("rules: RAW holds no item of that time that enrich has handled: give a longer --since")

// Run makes the events of the items once more, stores nothing, and prints how
// they differ from those in EVENTS.
func (o Try) Run(ctx context.Context, conn *bus.Conn, maker Maker, out io.Writer) error {
	t := &trial{
		Try: o, conn: conn, seed: maphash.MakeSeed(), had: map[string]had{}, seen: map[string]struct{}{},
		counts: map[feed.Kind]*[differences]int{}, samples: map[feed.Kind]*[differences][]string{},
	}
	if err := t.span(ctx); err != nil {
		return err
	}
	if err := t.readEvents(ctx); err != nil {
		return err
	}
	if err := t.makeAll(ctx, maker); err != nil {
		return err
	}
	if err := t.findGone(ctx); err != nil {
		return err
	}
	return t.print(out)
}

// span finds the items: from Since to what enrich has settled.
func (t *trial) span(ctx context.Context) error {
	from, err := t.conn.SeqAt(ctx, feed.StreamRaw, t.Since)
	if err != nil {
		return err
	}
	lag, err := t.conn.Lag(ctx, feed.StreamRaw, bus.DurableEnrich)
	if err != nil {
		return err
	}
	t.from, t.to = from, min(lag.AckFloor, from+uint64(t.Limit)-1)
	if t.to < t.from {
		return errNoItems
	}
	return nil
}

// readEvents learns what EVENTS holds of them.
func (t *trial) readEvents(ctx context.Context) error {
	state, err := t.conn.Stream(ctx, feed.StreamEvents)
	if err != nil {
		return err
	}
	first, err := t.conn.SeqAt(ctx, feed.StreamEvents, t.Since.Add(-overlap))
	if err != nil {
		return err
	}
	return t.conn.Each(ctx, feed.StreamEvents, first, state.LastSeq, func(m *bus.Stored) error {
		raw, err := strconv.ParseUint(m.Header.Get(feed.HeaderRawSeq), 10, 64)
		t.had[m.Header.Get(headerMsgID)] = had{
			kind: feed.KindOf(m.Subject), seq: m.Seq, sum: maphash.Bytes(t.seed, m.Data),
			within: err == nil && raw >= t.from && raw <= t.to && !m.Time.Before(t.Since),
		}
		return nil
	})
}

// makeAll makes the events of all items and compares each.
func (t *trial) makeAll(ctx context.Context, maker Maker) error {
	return t.conn.Each(ctx, feed.StreamRaw, t.from, t.to, func(m *bus.Stored) error {
		t.items++
		msgs, err := maker.Make(m)
		if err != nil {
			t.dead++
			return nil //nolint:nilerr // an item that cannot be read is one of the things that are counted
		}
		for i := range msgs {
			if err := t.compare(ctx, &msgs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// compare says how an event that was made stands to what is stored. The same
// item twice makes its events once.
func (t *trial) compare(ctx context.Context, m *bus.Msg) error {
	if _, twice := t.seen[m.ID]; twice {
		return nil
	}
	t.seen[m.ID] = struct{}{}
	kind := feed.KindOf(m.Subject)
	h, ok := t.had[m.ID]
	switch {
	case !ok:
		t.note(kind, added, "+ "+line(m.Data))
	case h.sum == maphash.Bytes(t.seed, m.Data):
		t.note(kind, same, "")
	default:
		old := ""
		if t.wanted(kind, changed) {
			was, err := t.payload(ctx, h.seq)
			if err != nil {
				return err
			}
			old = "- " + was + "\n  + " + line(m.Data)
		}
		t.note(kind, changed, old)
	}
	return nil
}

// findGone finds the events that are stored and were not made.
func (t *trial) findGone(ctx context.Context) error {
	for id, h := range t.had {
		if _, made := t.seen[id]; made || !h.within {
			continue
		}
		sample := ""
		if t.wanted(h.kind, gone) {
			was, err := t.payload(ctx, h.seq)
			if err != nil {
				return err
			}
			sample = "- " + was
		}
		t.note(h.kind, gone, sample)
	}
	return nil
}

// payload reads an event that is stored.
func (t *trial) payload(ctx context.Context, seq uint64) (string, error) {
	msgs, err := t.conn.Range(ctx, feed.StreamEvents, seq, 1)
	if err != nil || len(msgs) == 0 {
		return "", err
	}
	return line(msgs[0].Data), nil
}

// wanted reports whether another sample is.
func (t *trial) wanted(k feed.Kind, d difference) bool {
	s := t.samples[k]
	return t.Samples > 0 && (s == nil || len(s[d]) < t.Samples)
}

// note counts a difference and keeps its sample.
func (t *trial) note(k feed.Kind, d difference, sample string) {
	if t.counts[k] == nil {
		t.counts[k], t.samples[k] = new([differences]int), new([differences][]string)
	}
	t.counts[k][d]++
	if sample != "" && t.wanted(k, d) {
		t.samples[k][d] = append(t.samples[k][d], sample)
	}
}

// line is a payload as it is printed: what strangers wrote is made harmless to a
// terminal.
func line(data []byte) string {
	if len(data) > lineBytes {
		data = append(bytes.Clone(data[:lineBytes]), "…"...)
	}
	return tail.Harmless(string(data))
}

// print writes the counts and the samples.
func (t *trial) print(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d items of RAW (%d to %d), %d of them would be dead letters\n\n", t.items, t.from, t.to, t.dead)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "kind\tsame\tnew\tchanged\tmissing\t")
	kinds := slices.Sorted(maps.Keys(t.counts))
	for _, k := range kinds {
		n := t.counts[k]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", k, n[same], n[added], n[changed], n[gone])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, k := range kinds {
		for d, name := range [...]string{added: "new", changed: "changed", gone: "missing"} {
			for _, s := range t.samples[k][d] {
				fmt.Fprintf(&b, "\n%s %s\n  %s\n", name, k, s)
			}
		}
	}
	_, err := out.Write(b.Bytes())
	return err
}
