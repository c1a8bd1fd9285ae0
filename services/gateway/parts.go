package gateway

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

const (
	// partsEvery is how often the statuses are read: twice in the time in which
	// a service tells its own.
	partsEvery = 2500 * time.Millisecond
	// maxParts bounds how many are shown.
	maxParts = 100
)

// parts is what the parts of the line last said of themselves.
type parts struct {
	list  atomic.Pointer[[]*feedv1.PartStatus]
	rules atomic.Pointer[feedv1.Rules]
}

// now is the list by name; it is shared and not to be changed.
func (p *parts) now() []*feedv1.PartStatus {
	if l := p.list.Load(); l != nil {
		return *l
	}
	return nil
}

// set replaces the list by what was read.
func (p *parts) set(statuses map[string][]byte) {
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	list := make([]*feedv1.PartStatus, 0, len(statuses))
	for _, name := range slices.Sorted(maps.Keys(statuses)) {
		var s feedv1.PartStatus
		if lenient.Unmarshal(statuses[name], &s) != nil || s.GetState() == "" || len(list) == maxParts {
			continue // anybody may write there; a page shows what it can
		}
		s.Name = name // whoever wrote it
		list = append(list, &s)
	}
	p.list.Store(&list)
	p.setRules(statuses)
}

// rulesPrefix starts the names under which replicas of enrich tell which rules
// they have in force.
const rulesPrefix = "rules."

// setRules replaces what is known of rules by what was read.
func (p *parts) setRules(statuses map[string][]byte) {
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	var all feedv1.Rules
	for _, name := range slices.Sorted(maps.Keys(statuses)) {
		replica, ok := strings.CutPrefix(name, rulesPrefix)
		var s feedv1.RulesState
		if !ok || lenient.Unmarshal(statuses[name], &s) != nil || len(all.GetReplicas()) == maxParts {
			continue
		}
		s.Replica = replica // whoever wrote it
		all.Replicas = append(all.Replicas, &s)
	}
	p.rules.Store(&all)
}

// serveRules answers GET /api/rules.
func (s *Service) serveRules(w http.ResponseWriter, r *http.Request) {
	if grantOf(r).Limited() { // rules tell kinds, and who reads only some need not know the others
		s.refuse(w, r, "kinds", notAllowed("rules of all kinds", ""))
		return
	}
	m := s.parts.rules.Load()
	if m == nil {
		m = &feedv1.Rules{}
	}
	s.answer(w, r, m)
}

// watchParts reads the statuses again and again. While they cannot be read
// nothing is known of any part.
func (s *Service) watchParts(ctx context.Context) error {
	tick := time.NewTicker(partsEvery)
	defer tick.Stop()
	for {
		statuses, err := s.conn.Statuses(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Debug("read statuses of parts", slog.String("error", err.Error()))
		}
		s.parts.set(statuses)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
