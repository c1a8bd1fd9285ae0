package simulate

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// The most that Jetstream takes to filter by.
const (
	skyMaxCollections = 100
	skyMaxDIDs        = 10_000
)

// skyFilter is which events a connection is sent. The zero value is all.
type skyFilter struct {
	collections []string // of commits; nil: any
	dids        map[string]bool
}

// skyFilterOf reads the filter of a request, on either wire.
func skyFilterOf(q url.Values, second bool) (*skyFilter, error) {
	if second {
		return newSkyFilter(q["collections"], q["dids"])
	}
	return newSkyFilter(q["wantedCollections"], q["wantedDids"])
}

// newSkyFilter makes a filter. Its error is one that Jetstream refuses.
func newSkyFilter(collections, dids []string) (*skyFilter, error) {
	if len(collections) > skyMaxCollections || len(dids) > skyMaxDIDs {
		return nil, fmt.Errorf("%d collections and %d accounts are more than %d and %d", len(collections), len(dids), skyMaxCollections, skyMaxDIDs)
	}
	for _, c := range collections {
		if bare := strings.TrimSuffix(c, ".*"); strings.Contains(bare, "*") || !strings.Contains(bare, ".") {
			return nil, fmt.Errorf("%.80q is no collection", c)
		}
	}
	f := &skyFilter{collections: collections}
	if len(dids) > 0 {
		f.dids = make(map[string]bool, len(dids))
	}
	for _, d := range dids {
		if !strings.HasPrefix(d, "did:") {
			return nil, fmt.Errorf("%.80q is no DID", d)
		}
		f.dids[d] = true
	}
	return f, nil
}

// skyUpdate reads the message by which a client of the first wire changes its
// filter; nil if it is no such message.
func skyUpdate(message []byte) (*skyFilter, error) {
	var m struct {
		Type    string `json:"type"`
		Payload struct {
			Collections []string `json:"wantedCollections"`
			DIDs        []string `json:"wantedDids"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(message, &m); err != nil || m.Type != "options_update" {
		return nil, nil //nolint:nilnil,nilerr // what is said otherwise changes nothing
	}
	return newSkyFilter(m.Payload.Collections, m.Payload.DIDs)
}

// takes reports whether the filter lets an event pass. What happens to an
// account does not depend on collections.
func (f *skyFilter) takes(e *skyEvent) bool {
	if f.dids != nil && !f.dids[e.DID] {
		return false
	}
	if e.Commit == nil || len(f.collections) == 0 {
		return true
	}
	for _, c := range f.collections {
		prefix, open := strings.CutSuffix(c, "*")
		if c == e.Commit.Collection || open && strings.HasPrefix(e.Commit.Collection, prefix) {
			return true
		}
	}
	return false
}
