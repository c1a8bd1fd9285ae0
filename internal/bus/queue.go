package bus

// queue is a first-in-first-out queue whose elements keep a number: the first
// ever pushed has 0, the next 1, and so on. The zero value is ready.
type queue[T any] struct {
	ring []T // its length is 0 or a power of two
	head uint64
	tail uint64
}

// push appends v and returns its number.
func (q *queue[T]) push(v T) uint64 {
	if q.len() == len(q.ring) {
		q.grow()
	}
	n := q.tail
	*q.slot(n) = v
	q.tail++
	return n
}

// at is the element of number n; nil if it has left or was never there. The
// pointer is good until the next push.
func (q *queue[T]) at(n uint64) *T {
	if n < q.head || n >= q.tail {
		return nil
	}
	return q.slot(n)
}

// drop removes the first n elements.
func (q *queue[T]) drop(n int) {
	var zero T
	for range min(n, q.len()) {
		*q.slot(q.head) = zero
		q.head++
	}
}

func (q *queue[T]) len() int { return int(q.tail - q.head) }

func (q *queue[T]) slot(n uint64) *T { return &q.ring[n&uint64(len(q.ring)-1)] }

func (q *queue[T]) grow() {
	const first = 64
	bigger := queue[T]{ring: make([]T, max(first, 2*len(q.ring))), head: q.head, tail: q.tail}
	for n := q.head; n < q.tail; n++ {
		*bigger.slot(n) = *q.slot(n)
	}
	*q = bigger
}
