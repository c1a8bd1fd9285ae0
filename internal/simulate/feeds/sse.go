package feeds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
)

// openEvents answers a request for an event stream.
func openEvents(hello string) func(l *wire, r *http.Request) error {
	return func(l *wire, _ *http.Request) error {
		return l.write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + hello))
	}
}

// event writes an event; id and name may be empty.
func event(name, id string, data []byte) []byte {
	var b bytes.Buffer
	if name != "" {
		b.WriteString("event: " + name + "\n")
	}
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("data: ")
	b.Write(bytes.ReplaceAll(data, []byte{'\n'}, []byte("\ndata: ")))
	b.WriteString("\n\n")
	return b.Bytes()
}

// resumed is the item a connection begins with that may name the last one it
// had; number reads that one's number.
func (s *Server) resumed(p Protocol, number func(id string) (uint64, bool)) func(r *http.Request) uint64 {
	return func(r *http.Request) uint64 {
		id := r.Header.Get("Last-Event-ID")
		if n, ok := number(id); ok {
			return n + 1 - min(n+1, s.o.Rewind)
		}
		return s.live(p)
	}
}

// wikimedia is the dialect of EventStreams, whose ids are lists of times.
func (s *Server) wikimedia() dialect {
	const topic = "sim.mediawiki.recentchange"
	id := func(n uint64) string {
		return fmt.Sprintf(`[{"topic":%q,"partition":0,"timestamp":%d,"offset":%d}]`, topic, s.at(n).UnixMilli(), n)
	}
	return dialect{
		name: Wikimedia, open: openEvents(":ok\n\n"), heed: discard, alive: []byte(":\n\n"),
		start: s.since(s.resumed(Wikimedia, func(id string) (uint64, bool) {
			var at []struct{ Offset uint64 }
			err := json.Unmarshal([]byte(id), &at)
			return at0(at), err == nil && len(at) > 0
		})),
		frame: func(n uint64) []byte { return event("message", id(n), s.change(n)) },
		other: func(data []byte) []byte { return event("message", "", data) },
	}
}

// since is resumed for a client that may name a moment instead of an item.
func (s *Server) since(resumed func(r *http.Request) uint64) func(r *http.Request) uint64 {
	return func(r *http.Request) uint64 {
		told := r.URL.Query().Get("since")
		t, err := time.Parse(time.RFC3339, told)
		if ms, wrong := strconv.ParseInt(told, 10, 64); wrong == nil {
			t, err = time.UnixMilli(ms), nil
		}
		if err != nil || r.Header.Get("Last-Event-ID") != "" {
			return resumed(r)
		}
		return uint64(sort.Search(int(s.due()), func(n int) bool { return !s.at(uint64(n)).Before(t) }))
	}
}

// at0 is the first offset of a list, 0 of an empty one.
func at0(at []struct{ Offset uint64 }) uint64 {
	if len(at) == 0 {
		return 0
	}
	return at[0].Offset
}

// events is the dialect of an ordinary event stream.
func (s *Server) events() dialect {
	return dialect{
		name: Events, open: openEvents("retry: 250\n\n"), heed: discard, alive: []byte(": alive\n\n"),
		start: s.resumed(Events, func(id string) (uint64, bool) {
			n, err := strconv.ParseUint(id, 10, 63)
			return n, err == nil
		}),
		frame: func(n uint64) []byte { return event("", strconv.FormatUint(n, 10), s.post(n)) },
		other: func(data []byte) []byte { return event("", "", data) },
	}
}

// plan is what somebody posts as item n: the next post of the world that is an
// ordinary one, and its position if it tells one.
func (s *Server) plan(n uint64) (post simulate.Want, blip *simulate.Want) {
	const block = 8 // far more than stand in a row that are no posts
	for i := n * block; ; i++ {
		wants := s.world.WantAt(i, s.at(n))
		if len(wants) == 0 || wants[0].Kind != feed.KindSimpleTweet || wants[0].Type == feed.TypeRepost {
			continue
		}
		if len(wants) > 1 {
			blip = &wants[1]
		}
		return wants[0], blip
	}
}

// object writes a JSON object, marked as simulated.
func object(fields map[string]any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(fields); err != nil {
		panic("feeds: what is made here can be written: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// change is item n of Wikimedia: somebody edits the page of the city they are in.
func (s *Server) change(n uint64) []byte {
	p, _ := s.plan(n)
	lang, city := p.Lang, s.city(n)
	domain := lang + ".wikipedia.org"
	page := "https://" + domain + "/wiki/" + strings.ReplaceAll(city.Name, " ", "_")
	return object(map[string]any{
		"$schema": "/mediawiki/recentchange/1.0.0", "blipstream_simulated": true,
		"meta": map[string]any{
			"id": fmt.Sprintf("00000000-0000-4000-8000-%012x", n), "dt": s.at(n).UTC().Format("2006-01-02T15:04:05.000Z"),
			"domain": domain, "uri": page, "stream": "mediawiki.recentchange",
		},
		"type": "edit", "namespace": 0, "title": city.Name, "title_url": page, "comment": p.Body, "user": p.Name, "bot": false,
		"timestamp": s.at(n).Unix(), "notify_url": page + "?diff=" + strconv.FormatUint(n+1, 10), "wiki": strings.ReplaceAll(lang, "-", "_") + "wiki",
		"server_name": domain, "length": map[string]any{"old": 100, "new": 120},
	})
}

// post is item n in Blipstream's own shape.
func (s *Server) post(n uint64) []byte {
	p, blip := s.plan(n)
	fields := map[string]any{
		"id": "e" + strconv.FormatUint(n, 10), "time": s.at(n).UTC().Format(time.RFC3339Nano), "userId": p.UserID,
		"username": p.Username, "name": p.Name, "body": p.Body, "lang": p.Lang, "simulated": true,
	}
	if blip != nil {
		fields["lat"], fields["lon"] = blip.Lat, blip.Lon
	}
	return object(fields)
}
