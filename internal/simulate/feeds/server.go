package feeds

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

// Protocol names what an upstream speaks.
type Protocol string

// The protocols.
const (
	Wikimedia Protocol = "wikimedia"
	Events    Protocol = "sse"
	Mastodon  Protocol = "mastodon"
	EMSC      Protocol = "emsc"
	USGS      Protocol = "usgs"
)

// Server is an upstream. It implements http.Handler.
type Server struct {
	o     Options
	world *simulate.World
	began time.Time

	closed    chan struct{}
	closeOnce sync.Once

	mu    sync.Mutex
	next  map[Protocol]uint64 // the first item that no connection was given
	open  map[Protocol]int
	stats simulate.Stats
}

// Stats returns what the server has seen so far. Questions that are answered
// at once (polls, the REST interface) count as connections, not as open ones.
func (s *Server) Stats() simulate.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Close ends all connections, half-open ones too.
func (s *Server) Close() { s.closeOnce.Do(func() { close(s.closed) }) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/v2/stream/"):
		s.serveStream(w, r, s.wikimedia())
	case path == "/events":
		s.serveStream(w, r, s.events())
	case strings.HasPrefix(path, "/api/v1/streaming/"):
		s.admitted(w, r, func() { s.serveToots(w, r) })
	case strings.HasPrefix(path, "/api/v1/timelines/"):
		s.admitted(w, r, func() { s.serveTimeline(w, r) })
	case path == "/api/v2/instance":
		s.serveInstance(w, r)
	case path == "/standing_order/websocket":
		s.serveStream(w, r, s.emsc())
	case path == "/fdsnws/event/1/query":
		s.serveQuery(w, r)
	case strings.HasPrefix(path, "/earthquakes/feed/v1.0/summary/"):
		s.serveSummary(w, r)
	default:
		http.NotFound(w, r)
	}
}

// admitted serves a request with a token that is let in.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request, serve func()) {
	if len(s.o.Tokens) == 0 {
		serve()
		return
	}
	for _, token := range s.o.Tokens {
		if r.Header.Get("Authorization") == "Bearer "+token {
			serve()
			return
		}
	}
	s.refuse(w, http.StatusUnauthorized, 0)
}

// refuse answers with an error; a limit says when it is over.
func (s *Server) refuse(w http.ResponseWriter, status int, reset time.Duration) {
	s.mu.Lock()
	s.stats.Refused++
	s.mu.Unlock()
	if reset > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(reset.Round(time.Second).Seconds())))
	}
	http.Error(w, `{"error":"`+http.StatusText(status)+`"}`, status)
}

// fault is what goes wrong on this connection: what the request asks for, or
// what is next in the script.
func (s *Server) fault(r *http.Request) (simulate.Fault, error) {
	f, err := simulate.ParseFault(r.URL.RawQuery)
	if err != nil || f.Kind != simulate.FaultNone {
		return f, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.o.Script) == 0 {
		return f, nil
	}
	f = s.o.Script[0]
	s.o.Script = s.o.Script[1:]
	return f, nil
}

// enter counts a connection; false if there are too many.
func (s *Server) enter(p Protocol) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.MaxOpen > 0 && s.open[p] >= s.o.MaxOpen {
		return false
	}
	s.open[p]++
	s.stats.Connections++
	s.stats.Open++
	s.stats.MaxOpen = max(s.stats.MaxOpen, s.stats.Open)
	return true
}

// leave counts a connection that has ended.
func (s *Server) leave(p Protocol) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[p]--
	s.stats.Open--
}

// wrote notes that a connection was given the last of the items before next, or
// does not want it.
func (s *Server) wrote(p Protocol, next uint64, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wanted {
		s.stats.Items++
	}
	s.next[p] = max(s.next[p], next)
}

// live is where a stream begins whose client does not say where.
func (s *Server) live(p Protocol) uint64 {
	s.mu.Lock()
	next := s.next[p]
	s.mu.Unlock()
	switch {
	case s.o.Live:
		return next
	case s.o.Rate > 0:
		return s.due()
	default:
		return 0
	}
}

// shown is how many items the interface beside a stream knows of.
func (s *Server) shown(p Protocol) uint64 {
	if !s.o.Live {
		return s.due()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next[p]
}
