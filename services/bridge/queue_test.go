package bridge

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func sized(n int) letter { return letter{data: make([]byte, n)} }

func TestQueueHoldsAsMuchAsItMayAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(3 * (letterBytes + 1000))
		pushed := make(chan int, 10)
		go func() {
			for i := range 5 {
				q.push(sized(1000))
				pushed <- i
			}
		}()
		synctest.Wait()
		if len(pushed) != 3 {
			t.Fatalf("%d letters were taken, want 3", len(pushed))
		}
		if got := q.pop(t.Context(), 2, 1<<20); len(got) != 2 {
			t.Fatalf("popped %d, want 2", len(got))
		}
		synctest.Wait()
		if len(pushed) != 5 {
			t.Fatalf("%d letters were taken after there was room, want 5", len(pushed))
		}
	})
}

func TestQueueTakesALargeLetterAlone(t *testing.T) {
	q := newQueue(100)
	q.push(sized(1 << 20))
	q.tryPush(sized(1))
	if got := q.pop(t.Context(), 10, 100); len(got) != 1 || len(got[0].data) != 1<<20 {
		t.Fatalf("popped %d letters, want the large one alone", len(got))
	}
	if !q.tryPush(sized(1)) {
		t.Fatal("there must be room again")
	}
}

func TestQueuePopKeepsToItsBounds(t *testing.T) {
	q := newQueue(1 << 20)
	for range 10 {
		q.push(sized(1000))
	}
	if got := q.pop(t.Context(), 100, 3*(letterBytes+1000)); len(got) != 3 {
		t.Errorf("popped %d by bytes, want 3", len(got))
	}
	if got := q.pop(t.Context(), 4, 1<<20); len(got) != 4 {
		t.Errorf("popped %d by number, want 4", len(got))
	}
}

func TestQueueLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		q.push(sized(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		freed := make(chan struct{})
		go func() {
			q.push(sized(1))
			q.push(sized(1))
			close(freed)
		}()
		synctest.Wait()
		q.close()
		<-freed
		if got := q.pop(ctx, 1, 1); got != nil {
			t.Fatal("a closed queue must be empty")
		}
	})
}
