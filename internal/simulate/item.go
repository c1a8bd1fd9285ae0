package simulate

import "time"

// Append appends the item at a position, posted at Time, and returns the
// extended slice. It is one line of JSON without an end of line, except for a
// malformed item, which may be anything.
func (w *World) Append(b []byte, position uint64) []byte {
	n := w.original(w.item(position))
	return w.append(b, n, w.Time(n))
}

// AppendAt is Append for an item posted at another time.
func (w *World) AppendAt(b []byte, position uint64, at time.Time) []byte {
	return w.append(b, w.original(w.item(position)), at)
}

// append writes item n, which must not be a duplicate.
func (w *World) append(b []byte, n uint64, at time.Time) []byte {
	e := encoder{b: b}
	switch w.sortOf(n) {
	case sortDelete:
		w.delete(&e, n, at)
	case sortScrub:
		w.scrub(&e, n, at)
	case sortLimit:
		e.lit(`{"limit":{"track":`).num(n / block).lit(`,"timestamp_ms":"`).int(int(at.UnixMilli())).lit(`"}`)
		e.simulated()
	case sortMalformed:
		d := w.dice(n, saltMalformed)
		sorts := MalformedSorts()
		return w.AppendMalformed(b, sorts[d.N(len(sorts)-1)], n) // the last is Huge
	default:
		e.status(w.post(n, at))
	}
	return e.b
}

// delete asks that a post disappears.
func (w *World) delete(e *encoder, n uint64, at time.Time) {
	t := w.post(w.target(n), at)
	e.lit(`{"delete":{"status":{"id":`).num(t.id).lit(`,"id_str":"`).num(t.id)
	e.lit(`","user_id":`).num(t.author.id).lit(`,"user_id_str":"`).num(t.author.id)
	e.lit(`"},"timestamp_ms":"`).int(int(at.UnixMilli())).lit(`"}`)
	e.simulated()
}

// scrub asks that the positions of an author disappear, up to a post.
func (w *World) scrub(e *encoder, n uint64, at time.Time) {
	t := w.post(w.target(n), at)
	e.lit(`{"scrub_geo":{"user_id":`).num(t.author.id).lit(`,"user_id_str":"`).num(t.author.id)
	e.lit(`","up_to_status_id":`).num(t.id).lit(`,"up_to_status_id_str":"`).num(t.id).lit(`"}`)
	e.simulated()
}
