package gateway

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/part"
	feedv1 "github.com/blipstream/blipstream/proto/gen/blipstream/feed/v1"
)

// readStats asks for the statistics as a page does.
func readStats(t *testing.T, url string) *feedv1.Stats {
	t.Helper()
	resp, err := http.Get(url + "/api/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	var m feedv1.Stats
	if err := protojson.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &m
}

func TestStatsTellTheParts(t *testing.T) {
	w := newWorld(t, nil)
	if got := readStats(t, w.url()).GetParts(); len(got) != 0 {
		t.Errorf("parts of nobody: %v", got)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, s := range map[string]any{
		"ingest.x": part.Status{State: "backoff", Detail: "network", Time: at, RetryTime: at.Add(time.Minute), ItemTime: at.Add(-time.Minute)},
		"bridge":   map[string]string{"state": "working", "name": "somebody else", "mood": "of a later version"},
		"silent":   part.Status{},
		"odd":      []int{1},
	} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.conn.ReportStatus(t.Context(), name, data); err != nil {
			t.Fatal(err)
		}
	}
	var got []*feedv1.PartStatus
	bustest.WaitFor(t, "the parts are told", func() bool {
		got = readStats(t, w.url()).GetParts()
		return len(got) == 2
	})
	if got[0].GetName() != "bridge" || got[0].GetState() != "working" {
		t.Errorf("first %v", got[0])
	}
	x := got[1]
	if x.GetName() != "ingest.x" || x.GetState() != "backoff" || x.GetDetail() != "network" || !x.GetTime().AsTime().Equal(at) ||
		!x.GetRetryTime().AsTime().Equal(at.Add(time.Minute)) || !x.GetItemTime().AsTime().Equal(at.Add(-time.Minute)) {
		t.Errorf("second %v", x)
	}
	w.server.Stop()
	bustest.WaitFor(t, "nothing is known", func() bool { return len(readStats(t, w.url()).GetParts()) == 0 })
}

// readRules asks which rules are in force.
func readRules(t *testing.T, url string) *feedv1.Rules {
	t.Helper()
	resp, err := http.Get(url + "/api/rules")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	var m feedv1.Rules
	if err := protojson.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &m
}

func TestRulesInForceAreTold(t *testing.T) {
	w := newWorld(t, nil)
	if got := readRules(t, w.url()).GetReplicas(); len(got) != 0 {
		t.Errorf("rules of nobody: %v", got)
	}
	for name, state := range map[string]string{
		"rules.b":  `{"replica":"somebody else","generation":"7","hash":"abc","rules":2,"kinds":["coffee","quake"],"later":1}`,
		"rules.a":  `{"generation":"6","refusedGeneration":"7","refusal":"rule \"coffee\": when: nonsense"}`,
		"rules.no": `[]`,
		"bridge":   `{"state":"working"}`,
	} {
		if err := w.conn.ReportStatus(t.Context(), name, []byte(state)); err != nil {
			t.Fatal(err)
		}
	}
	var got []*feedv1.RulesState
	bustest.WaitFor(t, "the rules are told", func() bool {
		got = readRules(t, w.url()).GetReplicas()
		return len(got) == 2
	})
	if a := got[0]; a.GetReplica() != "a" || a.GetGeneration() != 6 || a.GetRefusedGeneration() != 7 || a.GetRefusal() == "" {
		t.Errorf("the first is %v", a)
	}
	if b := got[1]; b.GetReplica() != "b" || b.GetHash() != "abc" || len(b.GetKinds()) != 2 {
		t.Errorf("the second is %v", b)
	}
	if parts := readStats(t, w.url()).GetParts(); len(parts) != 1 {
		t.Errorf("parts %v: a set of rules is none", parts)
	}
}
