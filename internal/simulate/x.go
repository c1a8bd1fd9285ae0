package simulate

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The paths of X's API v2 that X serves.
const (
	xPathSearch     = "/2/tweets/search/stream"
	xPathSample     = "/2/tweets/sample/stream"
	xPathRules      = "/2/tweets/search/stream/rules"
	xPathConnection = "/2/connections/"
)

// xMaxRules is how many rules an application may have.
const xMaxRules = 1000

// X is a server that speaks X's API v2: the filtered and the sampled stream,
// one connection of which a credential may have (a second one is refused), the
// rules, which are kept and not applied, and the ending of connections. Without
// rules the filtered stream is refused.
type X struct {
	*Twitter

	mu    sync.Mutex
	rules map[string][]XRule // of each credential
	last  int
	ended int
}

// XRule is a rule of the filtered stream.
type XRule struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Tag   string `json:"tag,omitempty"`
}

// NewX makes a server; see NewServer for the options.
func NewX(o Options) (*X, error) {
	t, err := NewServer(o)
	if err != nil {
		return nil, err
	}
	if o.KeepAlive <= 0 {
		t.o.KeepAlive = 20 * time.Second // as the API has it
	}
	t.dialect = dialect{
		paths:   []string{xPathSearch, xPathSample},
		item:    func(w *World, b []byte, position uint64) []byte { return w.AppendX(b, position, false) },
		goodbye: xGoodbye,
		drift:   func(w *World, position uint64) []byte { return w.AppendX(nil, position|1<<20, true) },
		single:  true,
		tooMany: func(w http.ResponseWriter) {
			xProblem(w, http.StatusTooManyRequests, map[string]any{
				"title": "ConnectionException", "detail": "This stream is currently at the maximum allowed connection limit.",
				"connection_issue": "TooManyConnections", "type": "https://api.x.com/2/problems/streaming-connection",
			})
		},
	}
	return &X{Twitter: t, rules: map[string][]XRule{}}, nil
}

// xGoodbye is the message before a connection's end.
func xGoodbye(_ int, reason string) string {
	b, err := json.Marshal(map[string]any{"errors": []map[string]any{{
		"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect", "detail": reason,
		"type": "https://api.x.com/2/problems/operational-disconnect",
	}}})
	if err != nil {
		panic("simulate: strings are always JSON: " + err.Error())
	}
	return string(b)
}

// xProblem answers as the API does.
func xProblem(w http.ResponseWriter, status int, problem map[string]any) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem) // the client may be gone
}

// Rules returns the rules of a credential, as bearer:<token>.
func (x *X) Rules(secret string) []XRule {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.rules[header(secret)])
}

// Ended is how many times connections were ended by request.
func (x *X) Ended() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ended
}

// ServeHTTP implements http.Handler.
func (x *X) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	credential, ok := x.o.admit(r)
	switch {
	case !ok:
		xProblem(w, http.StatusUnauthorized, map[string]any{"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank"})
	case r.URL.Path == xPathRules && r.Method == http.MethodGet:
		x.list(w, credential)
	case r.URL.Path == xPathRules && r.Method == http.MethodPost:
		x.change(w, r, credential)
	case strings.HasPrefix(r.URL.Path, xPathConnection) && r.Method == http.MethodDelete:
		x.end(w, credential)
	case r.URL.Path == xPathSearch && len(x.of(credential)) == 0:
		xProblem(w, http.StatusConflict, map[string]any{
			"title": "ConnectionException", "detail": "Rules must be configured before connecting.",
			"connection_issue": "RuleConfigurationIssue", "type": "https://api.x.com/2/problems/streaming-connection",
		})
	default:
		x.Twitter.ServeHTTP(w, r)
	}
}

func (x *X) of(credential string) []XRule {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rules[credential]
}

// list answers with the rules.
func (x *X) list(w http.ResponseWriter, credential string) {
	answer := map[string]any{"meta": map[string]any{"sent": xTime(time.Now())}}
	if rules := x.of(credential); len(rules) > 0 {
		answer["data"] = rules
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// xChange is what is asked of the rules; one of its parts is set.
type xChange struct {
	Add    []XRule `json:"add"`
	Delete struct {
		IDs []string `json:"ids"`
	} `json:"delete"`
}

// change adds and removes rules. Those that are wrong do not keep the others
// from being added.
func (x *X) change(w http.ResponseWriter, r *http.Request, credential string) {
	const most = 1 << 20
	var c xChange
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(&c); err != nil {
		xProblem(w, http.StatusBadRequest, map[string]any{"title": "Invalid Request", "detail": err.Error(), "type": "https://api.x.com/2/problems/invalid-request"})
		return
	}
	x.mu.Lock()
	rules := slices.DeleteFunc(slices.Clone(x.rules[credential]), func(r XRule) bool { return slices.Contains(c.Delete.IDs, r.ID) })
	var added []XRule
	var problems []map[string]any
	for _, rule := range c.Add {
		same := slices.IndexFunc(rules, func(r XRule) bool { return r.Value == rule.Value })
		switch {
		case same >= 0:
			problems = append(problems, map[string]any{"title": "DuplicateRule", "value": rule.Value, "id": rules[same].ID, "type": "https://api.x.com/2/problems/duplicate-rules"})
		case strings.TrimSpace(rule.Value) == "" || strings.Contains(rule.Value, "(("):
			problems = append(problems, map[string]any{"title": "UnprocessableEntity", "value": rule.Value, "type": "https://api.x.com/2/problems/invalid-rules"})
		case len(rules) >= xMaxRules:
			problems = append(problems, map[string]any{"title": "RulesCapExceeded", "value": rule.Value, "type": "https://api.x.com/2/problems/rule-cap"})
		default:
			x.last++
			rule.ID = strconv.Itoa(x.last)
			rules, added = append(rules, rule), append(added, rule)
		}
	}
	x.rules[credential] = rules
	x.mu.Unlock()
	answer := map[string]any{"meta": map[string]any{"sent": xTime(time.Now()), "summary": map[string]int{"created": len(added), "not_created": len(problems)}}}
	if len(added) > 0 {
		answer["data"] = added
	}
	if len(problems) > 0 {
		answer["errors"] = problems
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// end ends the credential's connections.
func (x *X) end(w http.ResponseWriter, credential string) {
	x.mu.Lock()
	x.ended++
	x.mu.Unlock()
	x.kick(credential)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{}}) // the client may be gone
}

// kick ends the connections of a credential, and waits until they are gone.
func (t *Twitter) kick(credential string) {
	t.mu.Lock()
	var last *session
	if a := t.accounts[credential]; a != nil && a.newest != nil {
		last = a.newest
		last.end(errShutdown)
		t.stats.Kicked++
	}
	t.mu.Unlock()
	if last != nil {
		<-last.left
	}
}
