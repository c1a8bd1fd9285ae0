package simulate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Twitter is a server that speaks Twitter's v1.1 streaming protocol. It serves
// /1.1/statuses/filter.json and /1.1/statuses/sample.json; what is filtered by
// is taken and ignored. Besides the API's own parameters a request may have
// from (the first item) and those of a Fault, for this connection alone.
type Twitter struct {
	dialect

	o     Options
	began time.Time

	mu       sync.Mutex
	accounts map[string]*account
	stats    Stats
	closed   bool
}

// dialect is what streams over HTTP differ in.
type dialect struct {
	// paths are where streams are.
	paths []string
	// item appends the item at a position.
	item func(w *World, b []byte, position uint64) []byte
	// goodbye is the message before the end of a connection.
	goodbye func(code int, reason string) string
	// drift is a message with what nobody knows.
	drift func(w *World, position uint64) []byte
	// single has a credential's second connection refused, and not its first
	// ended. tooMany answers it.
	single  bool
	tooMany func(w http.ResponseWriter)
}

// twitterV1 is the dialect of Twitter's v1.1.
func twitterV1() dialect {
	return dialect{
		paths: []string{"/1.1/statuses/filter.json", "/1.1/statuses/sample.json"},
		item:  (*World).Append,
		goodbye: func(code int, reason string) string {
			return `{"disconnect":{"code":` + strconv.Itoa(code) + `,"stream_name":"simulated","reason":` + strconv.Quote(reason) + `}}`
		},
		drift: func(*World, uint64) []byte { return []byte(`{"later":{"moon":[{}]}}`) },
	}
}

// Stats is what a server has seen so far.
type Stats struct {
	// Connections is how many were let in, Refused how many requests were not.
	Connections, Refused int
	// Open is how many there are at the moment, MaxOpen the most there ever
	// were at once.
	Open, MaxOpen int
	// Kicked is how many ended because the same credential connected again.
	Kicked int
	// Items is how many items were written to connections, repeats included.
	Items uint64
}

// account is what the server knows about a credential.
type account struct {
	newest *session
	next   uint64 // the first item not yet written, with Options.Resume
}

// Why a connection is ended by the server; Twitter's numbers.
const (
	codeShutdown    = 1
	codeAdminLogout = 7
)

var (
	errKicked   = errors.New("simulate: the same credential connected again")
	errShutdown = errors.New("simulate: server closed")
)

// NewServer makes a server. Its error is an option that cannot be meant.
func NewServer(o Options) (*Twitter, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Twitter{dialect: twitterV1(), o: o, began: time.Now(), accounts: map[string]*account{}}, nil
}

// World is what is served.
func (t *Twitter) World() *World { return t.o.World }

// Stats returns what the server has seen so far.
func (t *Twitter) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// Close ends all connections, half-open ones too, and refuses new ones.
func (t *Twitter) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, a := range t.accounts {
		for s := a.newest; s != nil; s = s.older {
			s.end(errShutdown)
		}
	}
}

// ServeHTTP implements http.Handler.
func (t *Twitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, status := t.read(w, r)
	if status != 0 {
		t.refuse(w, status, req.fault.Reset)
		return
	}
	s, busy := t.enter(w, r, req)
	if busy {
		t.tooMany(w)
		return
	}
	if s == nil {
		t.refuse(w, http.StatusServiceUnavailable, 0)
		return
	}
	defer t.leave(s)
	if s.waitForOlder() {
		s.run()
	}
	if s.broken {
		// The only way net/http offers to break off a response.
		panic(http.ErrAbortHandler)
	}
}

// request is what a client asks for.
type request struct {
	credential string
	fault      Fault
	from       uint64
	hasFrom    bool
	delimited  bool
}

// read reads a request; status is 0, or what it must be refused with.
func (t *Twitter) read(w http.ResponseWriter, r *http.Request) (req request, status int) {
	if !slices.Contains(t.paths, r.URL.Path) {
		return req, http.StatusNotFound
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return req, http.StatusMethodNotAllowed
	}
	credential, ok := t.o.admit(r)
	if !ok {
		return req, http.StatusUnauthorized
	}
	req.credential = credential
	// A form is at most what 400 words and 5,000 users make.
	const maxForm = 1 << 20
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || req.parse(r.Form) != nil {
		return req, http.StatusNotAcceptable
	}
	if req.fault.Kind == FaultNone {
		req.fault = t.scripted()
	}
	if req.fault.Kind == FaultStatus {
		return req, req.fault.Status
	}
	return req, 0
}

// parse reads the parameters of a request.
func (r *request) parse(form url.Values) (err error) {
	r.delimited = form.Get("delimited") == "length"
	if s := form.Get("from"); s != "" {
		if r.from, err = strconv.ParseUint(s, 10, 63); err != nil {
			return err
		}
		r.hasFrom = true
	}
	r.fault, err = faultOf(form)
	return err
}

// scripted takes the next fault of the script.
func (t *Twitter) scripted() Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.o.Script) == 0 {
		return Fault{}
	}
	f := t.o.Script[0]
	t.o.Script = t.o.Script[1:]
	return f
}

func (t *Twitter) refuse(w http.ResponseWriter, status int, reset time.Duration) {
	t.mu.Lock()
	t.stats.Refused++
	t.mu.Unlock()
	if status == http.StatusTooManyRequests || status == statusEnhanceYourCalm {
		w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(time.Now().Add(reset).Unix(), 10))
	}
	http.Error(w, http.StatusText(status), status)
}

// statusEnhanceYourCalm is what Twitter answered to who connected too often,
// before there was 429.
const statusEnhanceYourCalm = 420

// enter counts a connection and ends the older ones of its credential. It
// returns nil if the server is closed, or if there is an older one that may not
// be ended.
func (t *Twitter) enter(w http.ResponseWriter, r *http.Request, req request) (s *session, busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false
	}
	a := t.accounts[req.credential]
	if a == nil {
		a = &account{}
		t.accounts[req.credential] = a
	}
	if t.single && a.newest != nil {
		t.stats.Refused++
		return nil, true
	}
	ctx, end := context.WithCancelCause(r.Context())
	s = &session{
		server: t, request: req, account: a, older: a.newest,
		ctx: ctx, end: end, left: make(chan struct{}),
		out: newOutput(w, r),
	}
	if s.older != nil {
		s.older.end(errKicked)
		t.stats.Kicked++
	}
	a.newest = s
	t.stats.Connections++
	t.stats.Open++
	t.stats.MaxOpen = max(t.stats.MaxOpen, t.stats.Open)
	return s, false
}

// leave forgets a connection.
func (t *Twitter) leave(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.end(nil)
	close(s.left)
	t.stats.Open--
	if s.account.newest == s {
		s.account.newest = nil
	}
}

// first is the item a connection begins with.
func (t *Twitter) first(s *session) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case s.hasFrom:
		return s.from
	case t.o.Resume:
		return s.account.next - min(s.account.next, t.o.Rewind)
	default:
		return uint64(time.Since(t.began).Seconds() * t.o.Rate)
	}
}

// wrote notes that a connection has written the items before next.
func (t *Twitter) wrote(s *session, items, next uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Items += items
	s.account.next = max(next, s.account.next)
	if s.hasFrom {
		s.account.next = next
	}
}
