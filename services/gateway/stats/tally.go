package stats

import (
	"cmp"
	"iter"
	"slices"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

// What is counted by.
const (
	byKind = iota
	bySource
	byLang
	byCountry
	byTag
	dimensions
)

// maxNames bounds the names a bucket tells apart in each dimension, so that a
// source of nonsense cannot fill the memory. What comes later in a bucket that
// is full is counted in the total alone.
const maxNames = 500

// tally is counts by name, in each dimension.
type tally struct {
	events uint64
	names  [dimensions]counts
}

// counts is how often each name occurred. They are pointers so that counting a
// name again allocates nothing.
type counts map[string]*uint64

// reset empties it.
func (t *tally) reset() {
	t.events = 0
	for i := range t.names {
		clear(t.names[i])
	}
}

// remove takes other's counts away, which are part of t's.
func (t *tally) remove(other *tally) {
	t.events -= other.events
	for i, names := range other.names {
		for name, count := range names {
			if left := t.names[i][name]; *left == *count {
				delete(t.names[i], name)
			} else {
				*left -= *count
			}
		}
	}
}

// add counts one name, unless it would be one more than most names.
func (t *tally) add(dimension int, name []byte, most int) bool {
	names := t.names[dimension]
	if n, ok := names[string(name)]; ok {
		*n++
		return true
	}
	if len(names) >= most {
		return false
	}
	if names == nil {
		names = counts{}
		t.names[dimension] = names
	}
	one := uint64(1)
	names[string(name)] = &one
	return true
}

// names iterates over what an event is counted by: posts tell languages and
// hashtags, positions tell countries, so that none counts twice for one post.
func names(kind string, f *filter.Facts) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		if !yield(byKind, []byte(kind)) || filter.Removal(kind) {
			return
		}
		if len(f.Source) > 0 && !yield(bySource, f.Source) {
			return
		}
		switch feed.Kind(kind) {
		case feed.KindSimpleTweet:
			postNames(f, yield)
		case feed.KindGeoBlip:
			if len(f.Country) > 0 {
				yield(byCountry, f.Country)
			}
		default:
		}
	}
}

// postNames yields what a post alone is counted by.
func postNames(f *filter.Facts, yield func(int, []byte) bool) {
	if len(f.Lang) > 0 && !yield(byLang, f.Lang) {
		return
	}
	for tag := range tags(f.Body) {
		if !yield(byTag, tag) {
			return
		}
	}
}

// named is a name and its count.
type named struct {
	name  string
	count uint64
}

// top returns the n names that occur most, the first the most.
func top(names counts, n int) []named {
	all := make([]named, 0, len(names))
	for name, count := range names {
		all = append(all, named{name, *count})
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	return all[:min(n, len(all))]
}

// leading returns the n names that occur most.
func leading(names counts, n int) map[string]uint64 {
	m := make(map[string]uint64, min(len(names), n))
	for _, n := range top(names, n) {
		m[n.name] = n.count
	}
	return m
}
