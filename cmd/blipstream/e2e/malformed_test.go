package e2e

import (
	"maps"
	"testing"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// TestMalformedItemsDisturbNobody sends every malformed sort among good items.
func TestMalformedItemsDisturbNobody(t *testing.T) {
	t.Parallel()
	const n = 1000
	w := world(t, 0.3)
	want := want(w, n)
	var lines []byte
	for i := range uint64(n) {
		lines = append(w.Append(lines, i), '\n')
	}
	// Each sort once for certain, the 5 MB one included, and a good item last.
	for i, sort := range simulate.MalformedSorts() {
		lines = append(w.AppendMalformed(lines, sort, uint64(10*n+i)), '\n')
	}
	last := uint64(20 * n)
	for w.Fate(last) != simulate.FateEvents {
		last++
	}
	lines = append(w.Append(lines, last), '\n')
	for _, e := range w.Want(last) {
		want[feed.EventID(e.Kind, source, e.ID)] = e
	}

	p := up(t, t.TempDir(), "--source", writeFile(t, lines))
	conn := connect(t, p.field("nats"))
	complete(t, conn, want, patience)
	settle(t, conn, want, patience)
	// A post that is odd in its position alone may still be read.
	good := maps.Clone(want)
	var got []string
	for _, s := range read(t, conn, feed.StreamEvents) {
		id := s.Header.Get(headerMsgID)
		if _, ok := want[id]; !ok && feed.KindOf(s.Subject) == feed.KindSimpleTweet {
			continue
		}
		got = append(got, id)
		same(t, feed.KindOf(s.Subject), s.Data, good[id])
	}
	once(t, want, got)
	dead := count(t, conn, feed.StreamDead)
	t.Logf("%d items among malformed ones gave %d events; %d dead letters", n, len(want), dead)
	if dead == 0 {
		t.Error("no dead letter was kept")
	}
	p.stop(stopGrace)
}
