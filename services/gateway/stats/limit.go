package stats

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// Limit returns m as it may be told to who is allowed only these kinds; nil
// stands for all. What is counted over all kinds alike, as languages, tags and
// sources are, is left out; sums are those of the kinds that are left.
func Limit(m *feedv1.Stats, kinds []string) *feedv1.Stats {
	if kinds == nil {
		return m
	}
	told, ok := proto.Clone(m).(*feedv1.Stats)
	if !ok { // a clone is of its original's type
		return &feedv1.Stats{}
	}
	told.Events = limit(told.Kinds, kinds)
	rates := &feedv1.Rates{Kinds: told.GetRates().GetKinds()}
	told.Rate = limit(rates.Kinds, kinds)
	told.Rates, told.Sources = rates, nil
	for i, w := range told.GetWindows() {
		told.Windows[i] = &feedv1.Window{
			Minutes: w.GetMinutes(), Complete: w.GetComplete(), Kinds: w.GetKinds(), Events: limit(w.GetKinds(), kinds),
		}
	}
	return told
}

// limit removes the counts of all other kinds, and sums up the rest.
func limit[N uint64 | float64](counts map[string]N, kinds []string) (sum N) {
	maps.DeleteFunc(counts, func(kind string, _ N) bool { return !slices.Contains(kinds, kind) })
	for _, n := range counts {
		sum += n
	}
	return sum
}
