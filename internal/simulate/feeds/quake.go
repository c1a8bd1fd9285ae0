package feeds

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/simulate/atlas"
	"github.com/blipstream/blipstream/internal/simulate/dice"
)

// Salts tell apart what dice are thrown for.
const (
	saltCity = 1000 + iota
	saltQuake
)

// city is where item n happens.
func (s *Server) city(n uint64) *atlas.City {
	d := dice.Of(s.o.Seed, n, saltCity)
	return s.world.Atlas().PickAnywhere(&d)
}

// step is what becomes known as item n: an earthquake, or a correction or the
// deletion of an earlier one.
type step struct {
	quake   uint64 // its number
	updated time.Time
	changed bool
	deleted bool
}

// Where corrections and deletions stand among the earthquakes.
const quakeBlock, quakeChanged, quakeDeleted = 10, 6, 9

func (s *Server) quakeStep(n uint64) step {
	switch {
	case s.o.Removals && n%quakeBlock == quakeChanged:
		return step{quake: n - back, updated: s.at(n), changed: true}
	case s.o.Removals && n%quakeBlock == quakeDeleted:
		return step{quake: n - back - 1, updated: s.at(n), deleted: true}
	default:
		return step{quake: n, updated: s.at(n)}
	}
}

// numbers are where an earthquake was, how strong and how deep.
func (s *Server) numbers(st step) (lat, lon, mag, depth string) {
	city, d := s.city(st.quake), dice.Of(s.o.Seed, st.quake, saltQuake)
	size := 1.5 + 3.5*d.Float()*d.Float()
	if st.changed {
		size += 0.1
	}
	f := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	return f(max(-89, min(89, city.Lat+d.Float()-0.5)), 4), f(max(-180, min(180, city.Lon+d.Float()-0.5)), 4), f(size, 1), f(5+60*d.Float(), 1)
}

// magnitude is how strong an earthquake was, as it is told.
func (s *Server) magnitude(st step) float64 {
	_, _, mag, _ := s.numbers(st)
	size, err := strconv.ParseFloat(mag, 64)
	if err != nil {
		panic("feeds: a number that was written can be read: " + err.Error())
	}
	return size
}

// feature is a step as USGS's feeds show it.
func (s *Server) feature(st step) []byte {
	lat, lon, mag, depth := s.numbers(st)
	place := "near " + s.city(st.quake).Name
	return fmt.Appendf(nil, `{"type":"Feature","properties":{"mag":%s,"place":%q,"time":%d,"updated":%d,"url":"https://sim.example/quake/%d","status":"automatic","net":"si","type":"earthquake","title":"M %s - %s"},"geometry":{"type":"Point","coordinates":[%s,%s,%s]},"id":"si%d","blipstream_simulated":true}`,
		mag, place, s.at(st.quake).UnixMilli(), st.updated.UnixMilli(), st.quake, mag, place, lon, lat, depth, st.quake)
}

// serveSummary answers with the feed as it is now.
func (s *Server) serveSummary(w http.ResponseWriter, r *http.Request) {
	least, span, ok := summaryOf(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	f, err := s.fault(r)
	switch {
	case err != nil:
		s.refuse(w, http.StatusBadRequest, 0)
		return
	case f.Kind == simulate.FaultStatus:
		s.refuse(w, f.Status, f.Reset)
		return
	}
	if !s.enter(USGS) {
		s.refuse(w, http.StatusTooManyRequests, time.Second)
		return
	}
	defer s.leave(USGS)
	due := s.due()
	etag := `"` + strconv.FormatUint(due, 10) + `"`
	if r.Header.Get("If-None-Match") == etag && f.Kind == simulate.FaultNone {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", "application/json")
	s.answer(w, r, f, s.summary(due, least, span))
	s.wrote(USGS, due, true)
}

// significant is the magnitude from which on an earthquake is called so here;
// stronger ones than 5 do not happen.
const significant = 4.7

// summaryOf reads from the path of a feed how strong the earthquakes are that it
// tells, and how far back it reaches; false if there is no such feed.
func summaryOf(path string) (least float64, span time.Duration, ok bool) {
	const day = 24 * time.Hour
	name := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".geojson")
	size, reach, _ := strings.Cut(name, "_")
	least, strong := map[string]float64{"all": 0, "1.0": 1, "2.5": 2.5, "4.5": 4.5, "significant": significant}[size]
	span, long := map[string]time.Duration{"hour": time.Hour, "day": day, "week": 7 * day, "month": 30 * day}[reach]
	return least, span, strong && long
}

// summary is a feed after so many steps.
func (s *Server) summary(due uint64, least float64, span time.Duration) []byte {
	oldest := time.Now().Add(-span)
	known := map[uint64]step{}
	for n := range due {
		st := s.quakeStep(n)
		if known[st.quake] = st; st.deleted {
			delete(known, st.quake)
		}
	}
	var features [][]byte
	for n := due; n > 0; n-- { // the newest first
		st, ok := known[n-1]
		if ok && s.at(st.quake).After(oldest) && s.magnitude(st) >= least {
			features = append(features, s.feature(st))
		}
	}
	head := fmt.Appendf(nil, `{"type":"FeatureCollection","metadata":{"generated":%d,"title":"Simulated earthquakes","count":%d},"features":[`, time.Now().UnixMilli(), len(features))
	return slices.Concat(head, bytes.Join(features, []byte{','}), []byte("]}"))
}

// answer writes a document as the fault wants it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, f simulate.Fault, body []byte) {
	out := http.NewResponseController(w)
	switch f.Kind {
	case simulate.FaultSilence, simulate.FaultHalfOpen, simulate.FaultKeepAlives:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		return
	case simulate.FaultEOF, simulate.FaultDisconnect:
		return // an answer with nothing in it
	case simulate.FaultCut:
		_, _ = w.Write(body[:len(body)/2])
		_ = out.Flush()
		panic(http.ErrAbortHandler) // the only way net/http offers to break off
	case simulate.FaultBytes:
		for i := range body {
			_, _ = w.Write(body[i : i+1])
			_ = out.Flush()
		}
		return
	case simulate.FaultHuge:
		body = bytes.Replace(body, []byte(`"features":[`), append(append([]byte(`"features":[`), huge()...), ','), 1)
	case simulate.FaultMalformed:
		body = malformed()[0]
	case simulate.FaultDrift:
		body = drifted()
	case simulate.FaultNone, simulate.FaultStatus, simulate.FaultClamp, simulate.FaultBomb: // an answer as it should be
	}
	_, _ = w.Write(body) // who is gone does not hear it
}

// emscTime is how EMSC writes times.
const emscTime = "2006-01-02T15:04:05.000Z"

// emscFeature is a step as EMSC shows it.
func (s *Server) emscFeature(st step) []byte {
	lat, lon, mag, depth := s.numbers(st)
	id := fmt.Sprintf("%s_%07d", s.at(st.quake).UTC().Format("20060102"), st.quake)
	return fmt.Appendf(nil, `{"type":"Feature","geometry":{"type":"Point","coordinates":[%s,%s,-%s]},"id":%q,"properties":{"lastupdate":%q,"time":%q,"flynn_region":%q,"lat":%s,"lon":%s,"depth":%s,"evtype":"ke","auth":"SIM","mag":%s,"magtype":"ml","unid":%q}}`,
		lon, lat, depth, id, st.updated.UTC().Format(emscTime), s.at(st.quake).UTC().Format(emscTime),
		strings.ToUpper(s.city(st.quake).Name), lat, lon, depth, mag, id)
}

// message is a step as EMSC's socket tells it.
func (s *Server) message(n uint64) []byte {
	st, action := s.quakeStep(n), "create"
	switch {
	case st.changed:
		action = "update"
	case st.deleted:
		action = "delete"
	}
	return fmt.Appendf(nil, `{"action":%q,"data":%s,"blipstream_simulated":true}`, action, s.emscFeature(st))
}

// serveQuery answers with the earthquakes since a time, the newest first unless
// they are asked for otherwise.
func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, err := time.Parse("2006-01-02T15:04:05", q.Get("starttime"))
	limit, wrong := number(q, "limit", "limit")
	least, odd := number(q, "minmag", "minmagnitude")
	if errors.Join(err, wrong, odd) != nil {
		s.refuse(w, http.StatusBadRequest, 0)
		return
	}
	var features [][]byte
	for n := range s.shown(EMSC) {
		if st := s.quakeStep(n); !st.deleted && s.at(st.quake).After(since) && s.magnitude(st) >= least {
			features = append(features, s.emscFeature(st))
		}
	}
	if q.Get("orderby") != "time-asc" {
		slices.Reverse(features)
	}
	if q.Has("limit") {
		features = features[:min(len(features), int(limit))]
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(slices.Concat([]byte(`{"type":"FeatureCollection","features":[`), bytes.Join(features, []byte{','}), []byte("]}")))
}

// number reads a parameter by either of its names; 0 without it.
func number(q url.Values, names ...string) (n float64, err error) {
	for _, name := range names {
		if q.Has(name) {
			n, err = strconv.ParseFloat(q.Get(name), 64)
		}
	}
	if err != nil || !(n >= 0 && n <= maxNumber) {
		return 0, fmt.Errorf("feeds: read parameter %s: it is no number of use", names[0])
	}
	return n, nil
}

// maxNumber is more than any parameter means.
const maxNumber = 1e9
