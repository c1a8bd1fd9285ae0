package tail

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// event is a recognisable encoded event.
func event(seq uint64, kind string, size int) []byte {
	text := fmt.Sprintf("%d %s ", seq, kind)
	return []byte(text + strings.Repeat(".", max(0, size-len(text)-1)) + "\n")
}

// fill appends the events from to to, of kinds a and b in turn.
func fill(t *Tail, from, to uint64, size int) {
	for seq := from; seq <= to; seq++ {
		kind := "a"
		if seq%2 == 0 {
			kind = "b"
		}
		t.Append(seq, kind, event(seq, kind, size))
	}
}

// read collects what the reader gets now: the first word of every line, and
// gaps as from-to.
func read(r *Reader) (got []string) {
	for {
		c, gap := r.Next(nil)
		if gap != nil {
			got = append(got, fmt.Sprintf("gap %d-%d", gap.From, gap.To))
			continue
		}
		if c.Bytes == 0 {
			return got
		}
		for line := range bytes.Lines(bytes.Join(c.Runs, nil)) {
			word, _, _ := strings.Cut(string(line), " ")
			got = append(got, word)
		}
	}
}

// span is the words from to to.
func span(from, to uint64) (want []string) {
	for seq := from; seq <= to; seq++ {
		want = append(want, strconv.FormatUint(seq, 10))
	}
	return want
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		if len(got) > 20 {
			got = append(got[:10:10], got[len(got)-10:]...)
		}
		t.Fatalf("got %v (%d), want %d from %v", got, len(got), len(want), want[:min(3, len(want))])
	}
}

func newTail(t *testing.T, bytes int64) *Tail {
	t.Helper()
	tl := New(Options{Bytes: bytes})
	t.Cleanup(tl.Flush)
	tl.Reset("e", 1, nil)
	return tl
}

func TestReadersGetEverythingOnce(t *testing.T) {
	tl := newTail(t, 8<<20)
	early := tl.Live(nil)
	fill(tl, 1, 3000, 100) // several segments
	middle, ok := tl.From("e", 1500, nil)
	if !ok {
		t.Fatal("the log does not reach back")
	}
	late := tl.Live(nil)
	same(t, read(early), span(1, 3000))
	same(t, read(middle), span(1500, 3000))
	same(t, read(late), nil)
	fill(tl, 3001, 3002, 100)
	same(t, read(early), span(3001, 3002))
	same(t, read(late), span(3001, 3002))
}

func TestReaderFromTheFutureWaits(t *testing.T) {
	tl := newTail(t, 8<<20)
	fill(tl, 1, 10, 100)
	r, ok := tl.From("e", 15, nil)
	if !ok {
		t.Fatal("refused")
	}
	fill(tl, 11, 20, 100)
	same(t, read(r), span(15, 20))
}

func TestFilterByKind(t *testing.T) {
	tl := newTail(t, 8<<20)
	r := tl.Live([]string{"b", "later"})
	fill(tl, 1, 7, 100)
	same(t, read(r), []string{"2", "4", "6"})
	if r.Position() != 7 {
		t.Errorf("a filtered reader stands at %d, want 7", r.Position())
	}
	tl.Append(8, "later", event(8, "later", 100))
	tl.Notice(0, []byte("notice \n"))
	same(t, read(r), []string{"8", "notice"})
}

func TestManyKinds(t *testing.T) {
	tl := newTail(t, 8<<20)
	r := tl.Live([]string{"k199"})
	for seq := uint64(1); seq <= 400; seq++ {
		tl.Append(seq, fmt.Sprintf("k%d", seq%200), event(seq, "k", 100))
	}
	same(t, read(r), []string{"199", "399"})
}

func TestFallingOutIsAGap(t *testing.T) {
	tl := newTail(t, 1)
	r := tl.Live(nil)
	fill(tl, 1, 5000, 200)
	st := tl.State()
	got := read(r)
	if want := fmt.Sprintf("gap 1-%d", st.Floor-1); got[0] != want {
		t.Fatalf("told %q, want %q", got[0], want)
	}
	same(t, got[1:], span(st.Floor, 5000))
	if _, ok := tl.From("e", st.Floor-1, nil); ok {
		t.Error("a reader starts before the floor")
	}
	r, ok := tl.From("e", st.Floor, nil)
	if !ok {
		t.Fatal("no reader starts at the floor")
	}
	same(t, read(r), span(st.Floor, 5000))
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 1 << 20
	tl := newTail(t, limit)
	for seq := uint64(1); seq <= 300; seq++ {
		size := 300
		if seq%50 == 0 {
			size = 200 << 10 // larger than a segment
		}
		tl.Append(seq, "a", event(seq, "a", size))
		if b := tl.State().Bytes; b > limit+300<<10 {
			t.Fatalf("%d bytes after event %d", b, seq)
		}
	}
	r, ok := tl.From("e", tl.State().Floor, nil)
	if !ok {
		t.Fatal("refused at the floor")
	}
	same(t, read(r), span(tl.State().Floor, 300))
}

func TestResetMovesReaders(t *testing.T) {
	tl := newTail(t, 8<<20)
	r := tl.Live(nil)
	fill(tl, 1, 5, 100)
	tl.Reset("f", 3, []byte("recreated \n"))
	tl.Append(3, "a", event(3, "a", 100))
	same(t, read(r), []string{"1", "2", "3", "4", "5", "recreated", "3"})
	if r.Epoch() != "f" || r.Position() != 3 {
		t.Errorf("reader is at %s-%d", r.Epoch(), r.Position())
	}
	if _, ok := tl.From("e", 4, nil); ok {
		t.Error("a reader starts in the old epoch")
	}
	late, ok := tl.From("f", 3, nil)
	if !ok {
		t.Fatal("refused")
	}
	same(t, read(late), []string{"3"})
}

func TestResetWithinAnEpoch(t *testing.T) {
	tl := newTail(t, 8<<20)
	r := tl.Live(nil)
	fill(tl, 1, 10, 100)
	tl.Reset("e", 6, []byte("rewound \n"))
	fill(tl, 6, 7, 100)
	same(t, read(r), append(span(1, 10), "rewound", "6", "7"))
	late, ok := tl.From("e", 7, nil)
	if !ok {
		t.Fatal("refused")
	}
	same(t, read(late), span(7, 7))
}

func TestFallingOutAcrossAReset(t *testing.T) {
	tl := newTail(t, 1)
	r := tl.Live(nil)
	fill(tl, 1, 10, 200)
	tl.Reset("f", 1, []byte("recreated \n"))
	fill(tl, 1, 5000, 200)
	c, gap := r.Next(nil)
	if gap == nil || !gap.Recreated || c.Bytes > 0 {
		t.Fatalf("gap %+v, want recreated", gap)
	}
	same(t, read(r), span(tl.State().Floor, 5000))
}

func TestHolesInTheStreamAreNoGap(t *testing.T) {
	tl := newTail(t, 8<<20)
	r := tl.Live(nil)
	for _, seq := range []uint64{1, 5, 9} {
		tl.Append(seq, "a", event(seq, "a", 100))
	}
	same(t, read(r), []string{"1", "5", "9"})
	from, _ := tl.From("e", 4, nil)
	same(t, read(from), []string{"5", "9"})
}

func TestUndo(t *testing.T) {
	for _, kinds := range [][]string{nil, {"b"}} {
		tl := newTail(t, 8<<20)
		fill(tl, 1, 9, 50)
		whole := bytes.Join(chunk(t, tl, kinds).Runs, nil)
		for sent := 0; sent <= len(whole); sent++ {
			r, _ := tl.From("e", 1, kinds)
			c, _ := r.Next(nil)
			got := append(whole[:sent:sent], r.Undo(c, sent)...)
			again, _ := r.Next(nil)
			got = append(got, bytes.Join(again.Runs, nil)...)
			if !bytes.Equal(got, whole) {
				t.Fatalf("after %d bytes of kinds %v the stream is %q", sent, kinds, got)
			}
		}
	}
}

func TestUndoOfANotice(t *testing.T) {
	const notice = "notice \n"
	for sent := range len(notice) {
		tl := newTail(t, 8<<20)
		r := tl.Live(nil)
		tl.Reset("f", 1, []byte(notice))
		c, _ := r.Next(nil)
		if got := notice[:sent] + string(r.Undo(c, sent)); got != notice {
			t.Fatalf("after %d bytes: %q", sent, got)
		}
		same(t, read(r), nil)
	}
}

// chunk is the first chunk of a reader from the start.
func chunk(t *testing.T, tl *Tail, kinds []string) Chunk {
	t.Helper()
	r, ok := tl.From("e", 1, kinds)
	if !ok {
		t.Fatal("refused")
	}
	c, _ := r.Next(nil)
	return c
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := New(Options{Bytes: 1 << 20, Window: 20 * time.Millisecond})
		defer tl.Flush()
		tl.Reset("e", 1, nil)
		<-time.After(time.Second)
		r := tl.Live(nil)
		began := time.Now()
		tl.Append(1, "a", event(1, "a", 100))
		same(t, read(r), span(1, 1)) // at once after quiet
		changed := tl.Changed()
		fill(tl, 2, 9, 100)
		same(t, read(r), nil) // collected
		<-changed
		if waited := time.Since(began); waited != 20*time.Millisecond {
			t.Errorf("the window took %s", waited)
		}
		same(t, read(r), span(2, 9))
	})
}

func TestFlush(t *testing.T) {
	tl := New(Options{Bytes: 1 << 20, Window: time.Hour})
	tl.Reset("e", 1, nil)
	r := tl.Live(nil)
	fill(tl, 1, 5, 100)
	tl.Flush()
	same(t, read(r), span(1, 5))
}

func TestReadersBesideTheWriter(t *testing.T) {
	const last = 20000
	tl := newTail(t, 1<<20)
	var wg sync.WaitGroup
	for n := range 4 {
		r := tl.Live(nil)
		wg.Go(func() {
			next := uint64(1)
			for next <= last {
				changed := tl.Changed()
				for _, word := range read(r) {
					var from, to uint64
					if k, _ := fmt.Sscanf(word, "gap %d-%d", &from, &to); k == 2 {
						if from != next {
							t.Errorf("reader %d: gap from %d, want %d", n, from, next)
						}
						next = to + 1
						continue
					}
					if word != strconv.FormatUint(next, 10) {
						t.Errorf("reader %d: got %s, want %d", n, word, next)
						return
					}
					next++
				}
				if next <= last {
					<-changed
				}
			}
		})
	}
	fill(tl, 1, last, 150)
	wg.Wait()
}

// BenchmarkNext is what a pass over a client costs when it is up to date but
// for one event.
func BenchmarkNext(b *testing.B) {
	tl := New(Options{Bytes: 64 << 20})
	tl.Reset("e", 1, nil)
	fill(tl, 1, 1000, 300)
	readers := make([]*Reader, 1000)
	for i := range readers {
		readers[i] = tl.Live(nil)
	}
	var scratch [][]byte
	seq := uint64(1000)
	for b.Loop() {
		seq++
		tl.Append(seq, "a", event(seq, "a", 300))
		for _, r := range readers {
			c, _ := r.Next(scratch)
			scratch = c.Runs
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(readers)), "ns/reader")
}

func TestAdvanceMovesWhoHasHadEverything(t *testing.T) {
	tl := newTail(t, 1<<20)
	r, filtered := tl.Live(nil), tl.Live([]string{"b"})
	fill(tl, 1, 3, 50)
	tl.Advance(10)
	if read(r); r.Position() != 9 {
		t.Errorf("position %d, want 9", r.Position())
	}
	if read(filtered); filtered.Position() != 9 {
		t.Errorf("filtered: position %d, want 9", filtered.Position())
	}
	fill(tl, 10, 12, 50)
	same(t, read(r), span(10, 12))
	if again, ok := tl.From("e", 10, nil); !ok {
		t.Error("cannot start where it advanced to")
	} else {
		same(t, read(again), span(10, 12))
	}
}

// What has been appended and not published is not passed over by Advance.
func TestAdvanceWaitsForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := New(Options{Bytes: 1 << 20, Window: time.Second})
		tl.Reset("e", 1, nil)
		r := tl.Live(nil) // the reset has just opened a window
		fill(tl, 1, 2, 50)
		tl.Advance(9)
		if read(r); r.Position() != 0 {
			t.Errorf("position %d before the window is over", r.Position())
		}
		<-time.After(2 * time.Second)
		same(t, read(r), span(1, 2))
		if read(r); r.Position() != 8 {
			t.Errorf("position %d, want 8", r.Position())
		}
	})
}

func TestEventsOfAChunk(t *testing.T) {
	tl := newTail(t, 1<<20)
	r := tl.Live([]string{"b"})
	fill(tl, 1, 4, 50)
	tl.Notice(0, []byte("n\n"))
	c, _ := r.Next(nil)
	var got []string
	for e := range r.Entries(c) {
		got = append(got, fmt.Sprintf("%d:%s:%s", e.Seq, e.Kind, bytes.Fields(e.Bytes)[0]))
	}
	if want := "[2:b:2 4:b:4 5::n]"; fmt.Sprint(got) != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
