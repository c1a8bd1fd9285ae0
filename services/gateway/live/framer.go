package live

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

// maxPost is the size from which a post is not shown: a frame must stay small.
// Posts of the built-in sources are below 4 KiB.
const maxPost = 16 << 10

// post is a post that may be shown.
type post struct {
	seq        uint64
	source, id []byte
	payload    []byte
}

// Framer collects events for a frame. It is for one goroutine at a time.
type Framer struct {
	sample []post
	seen   int
	grid   grid
	totals map[string]uint64
	// posts and geo are the payloads of removals.
	posts, geo [][]byte
	first, to  uint64
}

// NewFramer makes one for a frame without events.
func NewFramer() *Framer { return &Framer{grid: newGrid(), totals: map[string]uint64{}} }

// Add takes an event into the frame that shows at most most posts. payload is
// kept until the frame is made.
func (f *Framer) Add(seq uint64, kind string, payload []byte, facts *filter.Facts, most int) {
	if f.first == 0 {
		f.first = seq
	}
	f.to = max(f.to, seq)
	f.totals[kind]++
	switch feed.Kind(kind) {
	case feed.KindSimpleTweet:
		f.addPost(post{seq, facts.Source, facts.ID, payload}, most)
	case feed.KindGeoBlip:
		if facts.Placed {
			f.grid.add(facts)
		}
	default:
		f.Remove(kind, payload, facts)
	}
}

// addPost samples: each post of the frame has the same chance to be shown.
func (f *Framer) addPost(p post, most int) {
	if len(p.payload) > maxPost {
		return
	}
	f.seen++
	if len(f.sample) < most {
		f.sample = append(f.sample, p)
	} else if i := rand.IntN(f.seen); i < most {
		f.sample[i] = p
	}
}

// Remove takes a removal without counting it; other kinds are passed over.
func (f *Framer) Remove(kind string, payload []byte, facts *filter.Facts) {
	switch feed.Kind(kind) {
	case feed.KindPostRemoved:
		f.posts = append(f.posts, payload)
		f.sample = slices.DeleteFunc(f.sample, func(p post) bool {
			return bytes.Equal(p.id, facts.ID) && bytes.Equal(p.source, facts.Source)
		})
	case feed.KindGeoRemoved:
		f.geo = append(f.geo, payload)
	default:
	}
}

// Newest keeps the newest n posts instead of a sample; for what a page begins
// with, when everything has been added with a large enough most.
func (f *Framer) Newest(n int) {
	f.order()
	f.sample = f.sample[max(0, len(f.sample)-n):]
}

// order puts the sample in the order of the stream.
func (f *Framer) order() {
	slices.SortFunc(f.sample, func(a, b post) int { return cmp.Compare(a.seq, b.seq) })
}

// Empty reports whether there is nothing to tell.
func (f *Framer) Empty() bool { return len(f.totals)+len(f.posts)+len(f.geo) == 0 }

// Shown is how many posts the frame shows by now.
func (f *Framer) Shown() int { return len(f.sample) }

// To is the sequence of the last event taken; 0 if none was.
func (f *Framer) To() uint64 { return f.to }

// Append appends the frame as a ProtoJSON object, and begins the next.
func (f *Framer) Append(dst []byte, now time.Time) []byte {
	f.order()
	dst = append(dst, `{"fromSeq":"`...)
	dst = strconv.AppendUint(dst, f.first, 10)
	dst = strconv.AppendUint(append(dst, `","toSeq":"`...), f.to, 10)
	dst = now.UTC().AppendFormat(append(dst, `","time":"`...), time.RFC3339Nano)
	dst = append(dst, '"')
	payloads := make([][]byte, len(f.sample))
	for i, p := range f.sample {
		payloads[i] = p.payload
	}
	dst = appendObjects(dst, "posts", payloads)
	if len(f.grid.cells) > 0 {
		dst = f.grid.append(append(dst, `,"cells":`...))
	}
	dst = f.appendTotals(dst)
	dst = appendObjects(dst, "postsRemoved", f.posts)
	dst = appendObjects(dst, "geoRemoved", f.geo)
	*f = *NewFramer()
	return append(dst, '}')
}

// appendTotals appends the totals.
func (f *Framer) appendTotals(dst []byte) []byte {
	for i, kind := range slices.Sorted(maps.Keys(f.totals)) {
		if i == 0 {
			dst = append(dst, `,"totals":{`...)
		} else {
			dst = append(dst, ',')
		}
		dst = strconv.AppendQuote(dst, kind) // kinds are letters, digits and _
		dst = append(strconv.AppendUint(append(dst, ':', '"'), f.totals[kind], 10), '"')
	}
	if len(f.totals) > 0 {
		dst = append(dst, '}')
	}
	return dst
}

// appendObjects appends an array of payloads, those that are whole objects.
func appendObjects(dst []byte, name string, payloads [][]byte) []byte {
	begun := false
	for _, payload := range payloads {
		payload = bytes.TrimSpace(payload)
		if len(payload) == 0 || payload[0] != '{' || !json.Valid(payload) {
			continue
		}
		if begun {
			dst = append(dst, ',')
		} else {
			dst = append(append(append(dst, ',', '"'), name...), '"', ':', '[')
			begun = true
		}
		dst = appendLine(dst, payload)
	}
	if begun {
		dst = append(dst, ']')
	}
	return dst
}

// appendLine appends JSON on one line: within strings it has no line breaks.
func appendLine(dst, payload []byte) []byte {
	if !bytes.ContainsAny(payload, "\r\n") {
		return append(dst, payload...)
	}
	for _, c := range payload {
		if c != '\r' && c != '\n' {
			dst = append(dst, c)
		}
	}
	return dst
}
