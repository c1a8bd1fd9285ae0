package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
)

func newPublisher(tb testing.TB, c *bus.Conn, o bus.PublisherOptions) *bus.Publisher {
	tb.Helper()
	if o.Stream == "" {
		o.Stream = feed.StreamRaw
	}
	p, err := c.NewPublisher(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

func rawMsg(n int) bus.Msg {
	return bus.Msg{Subject: "raw.test", ID: fmt.Sprintf("test:%d", n), Data: fmt.Appendf(nil, "item %d", n)}
}

func TestPublisherStoresEachOnceThroughRestarts(t *testing.T) {
	t.Parallel()
	const total, restarts = 20_000, 3
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{Window: 512})

	var settled, failed atomic.Int64
	published := make(chan int, total)
	go func() {
		defer close(published)
		for i := range total {
			err := p.Publish(t.Context(), []bus.Msg{rawMsg(i)}, func(err error) {
				settled.Add(1)
				if err != nil {
					failed.Add(1)
				}
			})
			if err != nil {
				return
			}
			published <- i
		}
	}()
	for n := range restarts {
		for i := range published {
			if i >= (n+1)*total/(restarts+1) {
				break
			}
		}
		srv.Restart()
	}
	for range published { // until all are taken
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if settled.Load() != total || failed.Load() != 0 {
		t.Fatalf("settled %d with %d failures, want %d with none", settled.Load(), failed.Load(), total)
	}
	seen := map[string]int{}
	for _, m := range bustest.ReadAll(t, c, feed.StreamRaw) {
		seen[m.Header.Get(nats.MsgIdHdr)]++
	}
	for i := range total {
		if n := seen[rawMsg(i).ID]; n != 1 {
			t.Fatalf("message %d is stored %d times", i, n)
		}
	}
}

func TestPublisherWindowBoundsMemoryWhileServerIsAway(t *testing.T) {
	t.Parallel()
	const window = 10
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{Window: window})
	srv.Stop()

	done := make(chan int, 100)
	for i := range window {
		if err := p.Publish(t.Context(), []bus.Msg{rawMsg(i)}, func(error) { done <- i }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := p.Publish(ctx, []bus.Msg{rawMsg(window)}, func(error) { t.Error("done of a batch that was not taken") })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("publish beyond the window: %v", err)
	}
	if msgs, bytes := p.Pending(); msgs != window || bytes == 0 {
		t.Fatalf("pending %d messages, %d bytes", msgs, bytes)
	}
	srv.Start()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for want := range window {
		if got := <-done; got != want {
			t.Fatalf("done of %d, want %d", got, want)
		}
	}
	if msgs, bytes := p.Pending(); msgs != 0 || bytes != 0 {
		t.Fatalf("pending %d messages, %d bytes after a flush", msgs, bytes)
	}
}

func TestPublisherWindowBytes(t *testing.T) {
	srv := bustest.New(t) // never started
	c := srv.Dial(t, bus.Options{Name: "pub"})
	p := newPublisher(t, c, bus.PublisherOptions{WindowBytes: 1000})
	large := bus.Msg{Subject: "raw.test", ID: "large", Data: make([]byte, 5000)}
	if err := p.Publish(t.Context(), []bus.Msg{large}, func(error) {}); err != nil {
		t.Fatalf("a batch larger than the window must be taken alone: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Publish(ctx, []bus.Msg{rawMsg(1)}, func(error) {}); err == nil {
		t.Fatal("the window takes more bytes than it may")
	}
}

func TestPublisherOrderOfDone(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{Window: 64})
	const batches = 500
	var order []int // only the settling goroutine writes it, and Flush waits for that
	for i := range batches {
		msgs := make([]bus.Msg, i%4) // empty batches among them
		for k := range msgs {
			msgs[k] = rawMsg(i*10 + k)
		}
		if err := p.Publish(t.Context(), msgs, func(err error) {
			if err != nil {
				t.Errorf("batch %d: %v", i, err)
			}
			order = append(order, i)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(order) != batches {
		t.Fatalf("%d of %d done", len(order), batches)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("done %d came as number %d", got, i)
		}
	}
}

func TestPublisherTooLarge(t *testing.T) {
	srv := bustest.Start(t, bustest.MaxPayload(4096))
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{})
	errs := make(chan error, 3)
	publish := func(n, size int) {
		m := rawMsg(n)
		m.Data = make([]byte, size)
		if err := p.Publish(t.Context(), []bus.Msg{m}, func(err error) { errs <- err }); err != nil {
			t.Fatal(err)
		}
	}
	publish(1, 10)
	publish(2, 5000)
	publish(3, 10)
	if err := <-errs; err != nil {
		t.Errorf("neighbour before: %v", err)
	}
	if err := <-errs; !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if err := <-errs; err != nil {
		t.Errorf("neighbour behind: %v", err)
	}
}

func TestPublisherRefusedSubject(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{})
	errs := make(chan error, 1)
	if err := p.Publish(t.Context(), []bus.Msg{{Subject: "raw test", Data: []byte("x")}}, func(err error) { errs <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-errs; !errors.Is(err, nats.ErrBadSubject) {
		t.Fatalf("a subject with a space: %v", err)
	}
}

// A stream takes 64 KiB of headers, whatever the server's largest message is.
func TestPublisherRefusedHeader(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{})
	errs := make(chan error, 2)
	long := rawMsg(1)
	long.Header = bus.Header{"X-Long": {strings.Repeat("h", 1<<16)}}
	for _, m := range []bus.Msg{long, rawMsg(2)} {
		if err := p.Publish(t.Context(), []bus.Msg{m}, func(err error) { errs <- err }); err != nil {
			t.Fatal(err)
		}
	}
	err := <-errs
	if reason, refused := bus.Refusal(err); err == nil || !refused || reason != bus.ReasonRefused {
		t.Errorf("long headers: %v", err)
	}
	if err := <-errs; err != nil {
		t.Errorf("neighbour behind: %v", err)
	}
}

func TestRefusal(t *testing.T) {
	for err, want := range map[error]string{
		bus.ErrClosed: "", bus.ErrTooLarge: bus.ReasonTooLarge, nats.ErrBadSubject: bus.ReasonRefused,
	} {
		got, refused := bus.Refusal(fmt.Errorf("bus: publish: %w", err))
		if got != want || refused != (want != "") {
			t.Errorf("%v: %q, %v", err, got, refused)
		}
	}
}

func TestPublisherClose(t *testing.T) {
	srv := bustest.New(t)
	c := srv.Dial(t, bus.Options{Name: "pub"})
	p := newPublisher(t, c, bus.PublisherOptions{})
	var told []error
	for i := range 5 {
		if err := p.Publish(t.Context(), []bus.Msg{rawMsg(i)}, func(err error) { told = append(told, err) }); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
	if len(told) != 5 {
		t.Fatalf("%d of 5 batches told", len(told))
	}
	for _, err := range told {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("told %v", err)
		}
	}
	if err := p.Publish(t.Context(), nil, func(error) {}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("publish after close: %v", err)
	}
	if msgs, _ := p.Pending(); msgs != 0 {
		t.Errorf("%d messages held after close", msgs)
	}
}

func TestPublisherMakesMissingStream(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{})
	deleteStream(t, srv, feed.StreamRaw)
	errs := make(chan error, 1)
	if err := p.Publish(t.Context(), []bus.Msg{rawMsg(1)}, func(err error) { errs <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	if got := bustest.ReadAll(t, c, feed.StreamRaw); len(got) != 1 {
		t.Fatalf("%d messages stored", len(got))
	}
}

func TestPublisherKeepsHeaders(t *testing.T) {
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	h := bus.Header{feed.HeaderFormat: {"post"}}
	m, own := rawMsg(1), rawMsg(2)
	m.Header = h
	own.Header, own.Own = bus.Header{feed.HeaderFormat: {"post"}}, true
	bustest.Publish(t, c, feed.StreamRaw, m, own)
	if len(h) != 1 {
		t.Errorf("the caller's headers were changed: %v", h)
	}
	got := bustest.ReadAll(t, c, feed.StreamRaw)
	for i, want := range []bus.Msg{m, own} {
		if len(got) != 2 || got[i].Header.Get(feed.HeaderFormat) != "post" || got[i].Header.Get(nats.MsgIdHdr) != want.ID {
			t.Fatalf("stored %+v", got)
		}
		for k := range got[i].Header {
			if strings.HasPrefix(k, "Nats-") && k != nats.MsgIdHdr && k != nats.ExpectedStreamHdr {
				t.Errorf("header %s of the transport is left", k)
			}
		}
	}
}

// done without an error says that the batch is stored; nothing else may.
func TestPublisherDoneMeansStored(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Conn(t, "pub")
	p := newPublisher(t, c, bus.PublisherOptions{})
	srv.Stop()
	taken, nudged := make(chan struct{}), make(chan struct{})
	var back atomic.Bool
	publish := func(msgs []bus.Msg, done func(error)) {
		t.Helper()
		if err := p.Publish(t.Context(), msgs, done); err != nil {
			t.Fatal(err)
		}
	}
	publish(nil, func(error) { <-taken; close(nudged) }) // has the settling look once more
	publish([]bus.Msg{rawMsg(1), rawMsg(2)}, func(err error) {
		if err != nil || !back.Load() {
			t.Errorf("done(%v) while the server was away", err)
		}
	})
	close(taken)
	<-nudged
	looks := time.NewTimer(50 * time.Millisecond) // time to get it wrong
	<-looks.C
	back.Store(true)
	srv.Start()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := bustest.ReadAll(t, c, feed.StreamRaw); len(got) != 2 {
		t.Errorf("%d messages stored", len(got))
	}
}
