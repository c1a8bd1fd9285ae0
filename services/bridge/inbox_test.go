package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func payloads(parcels []parcel) string {
	var all []string
	for _, p := range parcels {
		all = append(all, p.payload)
	}
	return strings.Join(all, " ")
}

func TestInboxOfAStandbyKeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		put := func(s string) {
			if b.put(t.Context(), parcel{s, time.Now()}) {
				t.Fatalf("%s is not in", s)
			}
		}
		put("old")
		<-time.After(keepFor / 2)
		put("young")
		<-time.After(keepFor/2 + time.Second)
		put("new")
		b.work(true)
		if got := payloads(b.take(t.Context())); got != "young new" {
			t.Errorf("a bridge that takes over stores %q", got)
		}
		b.work(false)
		put("alone")
		<-time.After(keepFor + time.Second)
		b.work(true)
		if got := payloads(b.tryTake()); got != "" {
			t.Errorf("a bridge that takes over stores %q, which is too old", got)
		}
	})
}

func TestInboxOfAStandbyIsBounded(t *testing.T) {
	b := newInbox()
	big := strings.Repeat("x", inboxKept/4)
	for range 10 {
		b.put(t.Context(), parcel{big, time.Now()})
	}
	if n := len(b.tryTake()); n != 3 {
		t.Errorf("%d quarters of what may be kept are, want 3", n)
	}
}

func TestInboxMakesTheListenerWaitForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		b.work(true)
		big := strings.Repeat("x", inboxRoom/2)
		done := make(chan bool, 10)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range 5 {
				done <- b.put(ctx, parcel{big, time.Now()})
			}
		}()
		synctest.Wait()
		if len(done) != 1 {
			t.Fatalf("%d are in, want one and no room", len(done))
		}
		taken := b.take(t.Context())
		synctest.Wait()
		b.back(taken) // it could not be stored
		synctest.Wait()
		if len(done) != 2 {
			t.Fatalf("%d are in, want two", len(done))
		}
		b.work(false) // a standby takes what comes
		synctest.Wait()
		if len(done) != 5 {
			t.Fatalf("%d are in, want all", len(done))
		}
		b.work(true)
		cancel()
		if !b.put(ctx, parcel{big, time.Now()}) {
			t.Error("a full inbox took something")
		}
	})
}

func TestInboxKeepsTheOrder(t *testing.T) {
	b := newInbox()
	for _, s := range []string{"1", "2", "3"} {
		b.put(t.Context(), parcel{s, time.Now()})
	}
	taken := b.take(t.Context())
	b.put(t.Context(), parcel{"4", time.Now()})
	b.back(taken[1:])
	if got := payloads(b.take(t.Context())); got != "2 3 4" {
		t.Errorf("took %q", got)
	}
	if b.bytes != 0 {
		t.Errorf("%d bytes in an empty inbox", b.bytes)
	}
}

// pinged is a subscription that answers, or not.
type pinged struct {
	asked  int
	answer func()
}

func (p *pinged) Ping(context.Context, ...string) error {
	p.asked++
	p.answer()
	return nil
}

func TestWatchEndsWhatIsSilentAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		answers, held bool
		asked         int
		ended         error
	}{
		"dead":      {asked: 1, ended: errSilent},
		"quiet":     {answers: true, asked: 3},
		"held back": {held: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancelCause(t.Context())
				p := &pulse{began: time.Now()}
				p.held.Store(c.held)
				sub := &pinged{answer: func() {
					if c.answers {
						p.beat()
					}
				}}
				go p.watch(ctx, sub, end)
				<-time.After(4*quiet - time.Second)
				cause := context.Cause(ctx)
				end(nil)
				synctest.Wait()
				if sub.asked != c.asked || !errors.Is(cause, c.ended) {
					t.Errorf("asked %d times, ended by %v", sub.asked, cause)
				}
			})
		})
	}
}
