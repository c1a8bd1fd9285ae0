package simulate

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// The paths that Bluesky serves, those of the real service.
const (
	skyPathV1         = "/subscribe"
	skyPathV2         = "/xrpc/network.bsky.jetstream.subscribeEvents"
	skyPathDictionary = "/xrpc/network.bsky.jetstream.getZstdDictionary"
	skyPathProfiles   = "/xrpc/app.bsky.actor.getProfiles"
	skySubprotocol    = "xrpc.v1.json"
)

// Bluesky is a server that speaks Jetstream's two wires and the service that
// tells who somebody is. It heeds cursor, compression and filters; what is no
// event passes every filter. A cursor below 10^15 is a sequence, one above a time
// in microseconds, and one beyond the newest item stands for it. Besides, a
// request may have the parameters of a Fault.
type Bluesky struct {
	o      Options
	began  time.Time
	packer func() (*skyZip, error) // made when it is first needed

	mu     sync.Mutex
	stats  BlueskyStats
	script []Fault
	closed chan struct{}
	once   sync.Once
	ends   map[*skySession]func()
}

// BlueskyStats is what the server has seen so far.
type BlueskyStats struct {
	Stats
	// Profiles is how many times profiles were asked for.
	Profiles int
	// Cursors are those of the connections that were let in, "" for none.
	Cursors []string
}

// NewBluesky makes a server. Its error is an option that cannot be meant. Of
// the options Resume, Rewind and Newlines mean nothing here; Secrets neither,
// since Jetstream asks for no credentials. KeepAlive is how often it pings.
func NewBluesky(o Options) (*Bluesky, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Bluesky{
		o: o, began: time.Now(), packer: sync.OnceValues(func() (*skyZip, error) { return newSkyZip(o.World) }), script: o.Script,
		closed: make(chan struct{}), ends: map[*skySession]func(){},
	}, nil
}

// World is what is served.
func (s *Bluesky) World() *World { return s.o.World }

// Stats returns what the server has seen so far.
func (s *Bluesky) Stats() BlueskyStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Cursors = slices.Clone(stats.Cursors)
	return stats
}

// Close ends all connections, half-open ones too, and refuses new ones.
func (s *Bluesky) Close() {
	s.once.Do(func() { close(s.closed) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, end := range s.ends {
		end()
	}
}

// ServeHTTP implements http.Handler.
func (s *Bluesky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case skyPathV1, skyPathV2:
		s.subscribe(w, r)
	case skyPathDictionary:
		s.dictionary(w)
	case skyPathProfiles:
		s.profiles(w, r)
	default:
		http.NotFound(w, r)
	}
}

// dictionary hands out the dictionary.
func (s *Bluesky) dictionary(w http.ResponseWriter) {
	zip, err := s.packer()
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, "InternalServerError", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(zip.dictionary) // the client may be gone
}

// refuse answers as XRPC services do.
func (s *Bluesky) refuse(w http.ResponseWriter, status int, name, message string) {
	s.mu.Lock()
	s.stats.Refused++
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": name, "message": message}) // the client may be gone
}

// skyRequest is what a client asks for.
type skyRequest struct {
	second bool
	zip    *skyZip // nil: not compressed
	cursor string
	first  uint64
	fault  Fault
	filter *skyFilter
	hello  bool // it is sent nothing before it has told its filter
}

// subscribe lets a connection in, and serves it until it ends.
func (s *Bluesky) subscribe(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	req := skyRequest{second: r.URL.Path == skyPathV2, cursor: q.Get("cursor")}
	var err error
	if req.fault, err = faultOf(q); err != nil {
		s.refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	if req.fault.Kind == FaultNone {
		req.fault = s.scripted()
	}
	if name, message := s.read(&req, q); name != "" {
		s.refuse(w, http.StatusBadRequest, name, message)
		return
	}
	if f := req.fault; f.Kind == FaultStatus {
		if f.Status == http.StatusTooManyRequests || f.Status == statusEnhanceYourCalm {
			w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(time.Now().Add(f.Reset).Unix(), 10))
		}
		s.refuse(w, f.Status, http.StatusText(f.Status), "as asked for")
		return
	}
	s.accept(w, r, req)
}

// read reads the parameters of a request, and tells what is wrong with them.
func (s *Bluesky) read(req *skyRequest, q url.Values) (name, message string) {
	if req.second && (q.Has("wantedCollections") || q.Has("wantedDids")) {
		return "InvalidRequest", "wantedCollections and wantedDids are the other wire's"
	}
	var err error
	if req.filter, err = skyFilterOf(q, req.second); err != nil {
		return "InvalidRequest", err.Error()
	}
	req.hello = !req.second && q.Get("requireHello") == "true"
	if id := q.Get("zstdDictionary"); id != "" {
		zip, err := s.packer()
		if err != nil || id != strconv.Itoa(skyDictionary) || !req.second {
			return "UnknownZstdDictionary", "the dictionary is " + strconv.Itoa(skyDictionary)
		}
		req.zip = zip
	}
	if req.cursor == "" {
		req.first = s.newest()
		return "", ""
	}
	n, err := strconv.ParseUint(req.cursor, 10, 63)
	if err != nil {
		return "InvalidRequest", "cursor is not a number"
	}
	req.first = s.at(n)
	if req.fault.Kind == FaultClamp {
		req.first += req.fault.After
		req.fault = Fault{}
	}
	return "", ""
}

// newest is the first item that is not due yet. Without a rate that is the
// first of all: then everything is there from the beginning, and whoever does
// not ask for a place wants all of it.
func (s *Bluesky) newest() uint64 {
	if s.o.Rate == 0 {
		return 0
	}
	return s.due(time.Now())
}

// due is the first item that is not due at a moment.
func (s *Bluesky) due(now time.Time) uint64 {
	due := uint64(now.Sub(s.began).Seconds() * s.o.Rate)
	if s.o.Items > 0 {
		due = min(due, s.o.Items)
	}
	return due
}

// at is the first item that a cursor asks for.
func (s *Bluesky) at(cursor uint64) uint64 {
	const firstTime = 1_000_000_000_000_000
	if cursor < firstTime {
		return max(cursor, 1) - 1
	}
	w, t := s.o.World, time.UnixMicro(int64(cursor))
	// An item is posted at most one gap after its turn.
	n := uint64(max(0, t.Sub(w.o.Epoch)/w.o.Gap-1))
	for w.Time(n).UnixMicro() < t.UnixMicro() {
		n++
	}
	return n
}

// scripted takes the next fault of the script.
func (s *Bluesky) scripted() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.script) == 0 {
		return Fault{}
	}
	f := s.script[0]
	s.script = s.script[1:]
	return f
}

// accept completes the handshake and serves the connection.
func (s *Bluesky) accept(w http.ResponseWriter, r *http.Request, req skyRequest) {
	tap := &wiretap{ResponseWriter: w}
	opts := &websocket.AcceptOptions{InsecureSkipVerify: true} // anybody may read a simulator
	if req.second {
		opts.Subprotocols = []string{skySubprotocol}
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.refuse(w, http.StatusUpgradeRequired, "InvalidRequest", "this is a websocket")
		return
	}
	conn, err := websocket.Accept(tap, r, opts)
	if err != nil {
		return // it has answered
	}
	const mostSent = 10_000_000 // what the real one takes as a list of filters
	conn.SetReadLimit(mostSent)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	sess := &skySession{Bluesky: s, skyRequest: req, conn: conn, wire: tap.wire, said: make(chan *skyFilter)}
	if !s.enter(sess, func() { cancel(); _ = tap.wire.Close() }) {
		_ = conn.CloseNow()
		return
	}
	defer s.leave(sess)
	defer func() { _ = conn.CloseNow() }()
	sess.run(sess.listen(ctx, cancel))
}

// enter counts a connection, unless the server is closed.
func (s *Bluesky) enter(sess *skySession, end func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return false
	default:
	}
	s.ends[sess] = end
	s.stats.Connections++
	s.stats.Cursors = append(s.stats.Cursors, sess.cursor)
	s.stats.Open++
	s.stats.MaxOpen = max(s.stats.MaxOpen, s.stats.Open)
	return true
}

// leave forgets a connection.
func (s *Bluesky) leave(sess *skySession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, sess)
	s.stats.Open--
}

// wrote notes that items were written.
func (s *Bluesky) wrote(items uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Items += items
}
