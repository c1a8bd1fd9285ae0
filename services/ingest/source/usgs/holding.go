package usgs

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

// quake is when an earthquake happened and was last changed, in milliseconds
// since 1970.
type quake struct{ time, updated int64 }

// holding is what a feed held.
type holding struct {
	generated int64
	quakes    map[string]quake
	// doubted says that the last answer lacked so much that it was not believed.
	doubted bool
}

// feature is one earthquake of an answer.
type feature struct {
	quake
	id   string
	data []byte
}

// answer is one state of the feed, its features by their last change.
type answer struct {
	generated int64
	features  []feature
}

// readAnswer takes a feed apart; the features stay as they are.
func readAnswer(body []byte) (a answer, err error) {
	var b peek.Balance
	if b.Feed(body); !b.Whole() {
		return a, errors.New("usgs: read feed: it is no whole JSON object")
	}
	a.generated = number(peek.Field(peek.Field(body, "metadata"), "generated"))
	whole := peek.Elements(peek.Field(body, "features"), func(e []byte) bool {
		a.features = append(a.features, readFeature(e))
		return true
	})
	if !whole || a.generated == 0 {
		return a, errors.New("usgs: read feed: it lacks features or metadata.generated")
	}
	slices.SortStableFunc(a.features, func(x, y feature) int {
		return cmp.Or(cmp.Compare(x.updated, y.updated), cmp.Compare(x.time, y.time), cmp.Compare(x.id, y.id))
	})
	return a, nil
}

// readFeature reads what is needed of a feature. One without an id of its own
// is named by its bytes.
func readFeature(data []byte) feature {
	f := feature{id: peek.ID(peek.Field(data, "id")), data: data}
	props := peek.Field(data, "properties")
	f.time = number(peek.Field(props, "time"))
	f.updated = number(peek.Field(props, "updated"))
	if f.id == "" {
		f.id = peek.Hashed(data)
	}
	return f
}

// number reads a whole number; what is none is 0.
func number(value []byte) int64 {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// slack is how much longer than promised a feed may hold an earthquake, or
// shorter: it is made anew every minute.
const slack = 5 * time.Minute

// compare tells which earthquakes were deleted, and what is held after now. The
// loss of more than half of a feed is taken for its failure until the next answer
// says the same: what was removed by mistake would stay away, since nobody shows
// again what its source has deleted.
func (s *quakes) compare(held holding, now answer) (gone []string, next holding) {
	next = holding{generated: now.generated, quakes: make(map[string]quake, len(now.features))}
	for _, f := range now.features {
		next.quakes[f.id] = f.quake
	}
	floor := s.floor(now)
	for _, id := range slices.Sorted(maps.Keys(held.quakes)) {
		if _, still := next.quakes[id]; !still && held.quakes[id].time > floor {
			gone = append(gone, id)
		}
	}
	if len(gone) > len(held.quakes)/2 && !held.doubted {
		s.log.Warn("the feed lost most of what it held: not believed yet", slog.String("source", s.name), slog.Int("missing", len(gone)))
		for _, id := range gone {
			next.quakes[id] = held.quakes[id]
		}
		next.doubted = true
		return nil, next
	}
	return gone, next
}

// floor is the time up to which an earthquake is too old for the feed: what
// vanishes above it was deleted. Without a promise of how far back the feed
// reaches that is as far as it does.
func (s *quakes) floor(now answer) int64 {
	if s.window > 0 {
		return now.generated - (s.window - min(slack, s.window/2)).Milliseconds()
	}
	oldest := now.generated
	for _, f := range now.features {
		oldest = min(oldest, f.time)
	}
	return oldest
}

// base is that of the numbers in cursors.
const base = 36

// cursor writes what is held: a version and when it was, then a line an
// earthquake.
func (h holding) cursor() feed.Cursor {
	var b strings.Builder
	b.WriteString("1 " + strconv.FormatInt(h.generated, base))
	for _, id := range slices.Sorted(maps.Keys(h.quakes)) {
		q := h.quakes[id]
		b.WriteString("\n" + id + " " + strconv.FormatInt(q.time, base) + " " + strconv.FormatInt(q.updated, base))
	}
	return feed.Cursor(b.String())
}

// parseCursor reads a cursor; of the empty one nothing is held.
func parseCursor(c feed.Cursor) (h holding, err error) {
	if c == "" {
		return h, nil
	}
	broken := errors.New("usgs: read cursor: it is none of this source's; name the source otherwise to begin anew")
	head, lines, _ := strings.Cut(string(c), "\n")
	version, generated, _ := strings.Cut(head, " ")
	if h.generated, err = strconv.ParseInt(generated, base, 64); err != nil || version != "1" {
		return h, broken
	}
	h.quakes = map[string]quake{}
	for line := range strings.Lines(lines) {
		part := strings.Fields(line)
		if len(part) != 3 {
			return h, broken
		}
		at, atErr := strconv.ParseInt(part[1], base, 64)
		updated, updatedErr := strconv.ParseInt(part[2], base, 64)
		if atErr != nil || updatedErr != nil {
			return h, broken
		}
		h.quakes[part[0]] = quake{at, updated}
	}
	return h, nil
}
