package feeds

import (
	"bytes"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// mastodon is the dialect of one of a Mastodon server's streams.
func (s *Server) mastodon(t timeline) dialect {
	return dialect{
		name: Mastodon, open: openEvents(":)\n"), heed: discard, alive: []byte(":thump\n"),
		start: func(*http.Request) uint64 { return s.live(Mastodon) },
		frame: func(n uint64) []byte {
			if !t.takes(s, n) {
				return nil
			}
			name, data := s.toot(n)
			return event(name, "", data)
		},
		other: func(data []byte) []byte { return event("update", "", data) },
	}
}

// Where removals stand among Mastodon's posts, and how far back they refer.
const (
	tootBlock, tootDeleted, tootEdited = 16, 7, 11
	back                               = 3
)

// toot is item n: a status, or what became of an earlier one.
func (s *Server) toot(n uint64) (name string, data []byte) {
	switch of := s.tootOf(n); {
	case of == n:
		return "update", s.status(n, nil)
	case n%tootBlock == tootDeleted:
		return "delete", []byte(s.tootID(of))
	default:
		return "status.update", s.status(of, s.at(n).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}

// tootOf is the number of the status that item n is about.
func (s *Server) tootOf(n uint64) uint64 {
	if s.o.Removals && (n%tootBlock == tootDeleted || n%tootBlock == tootEdited) {
		return n - back
	}
	return n
}

// tootID is the id of status n, which grows with n.
func (s *Server) tootID(n uint64) string {
	const sequence = 16 // bits
	return strconv.FormatUint(uint64(s.at(0).UnixMilli())<<sequence+n, 10)
}

// status is what somebody posts as item n.
func (s *Server) status(n uint64, edited any) []byte {
	p, _ := s.plan(n)
	id, host, acct := s.tootID(n), "far.sim.example", p.Username+"@far.sim.example"
	if isLocal(p) {
		host, acct = "sim.example", p.Username
	}
	tags, media := []any{}, []any{}
	for _, tag := range tagsOf(p.Body) {
		tags = append(tags, map[string]any{"name": strings.ToLower(tag), "url": "https://sim.example/tags/" + tag})
	}
	if hasMedia(n) {
		media = append(media, map[string]any{"id": id, "type": "image", "url": "https://" + host + "/media/" + id + ".jpg"})
	}
	content := "<p>" + strings.ReplaceAll(html.EscapeString(p.Body), "\n", "<br />") + "</p>"
	if edited != nil {
		content = strings.TrimSuffix(content, "</p>") + " (edited)</p>"
	}
	return object(map[string]any{
		"id": id, "uri": "https://" + host + "/users/" + p.Username + "/statuses/" + id, "url": "https://" + host + "/@" + p.Username + "/" + id,
		"created_at": s.at(n).UTC().Format("2006-01-02T15:04:05.000Z"), "edited_at": edited, "language": p.Lang, "content": content,
		"spoiler_text": "", "sensitive": false, "visibility": "public", "in_reply_to_id": nil, "reblog": nil, "blipstream_simulated": true,
		"account":           map[string]any{"id": p.UserID, "username": p.Username, "acct": acct, "display_name": p.Name},
		"media_attachments": media, "mentions": []any{}, "tags": tags,
	})
}

// serveInstance tells where the streams are: here.
func (s *Server) serveInstance(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(object(map[string]any{
		"domain": "sim.example", "version": "4.5.0",
		"configuration": map[string]any{"urls": map[string]any{"streaming": "ws://" + r.Host}},
	}))
}

// serveToots serves a stream.
func (s *Server) serveToots(w http.ResponseWriter, r *http.Request) {
	t, ok := channel(r)
	if !ok {
		s.refuse(w, http.StatusBadRequest, 0)
		return
	}
	s.serveStream(w, r, s.mastodon(t))
}

// serveTimeline answers with the statuses that follow min_id, the newest first.
func (s *Server) serveTimeline(w http.ResponseWriter, r *http.Request) {
	t, ok := restTimeline(r)
	if !ok {
		s.refuse(w, http.StatusNotFound, 0)
		return
	}
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 40 {
		limit = 20
	}
	after := uint64(0)
	if id, err := strconv.ParseUint(q.Get("min_id"), 10, 63); err == nil {
		first, _ := strconv.ParseUint(s.tootID(0), 10, 63)
		after = id + 1 - min(id+1, first)
	}
	var page [][]byte
	for n, end := after, s.shown(Mastodon); n < end && len(page) < limit; n++ {
		if s.tootOf(n) == n && t.takes(s, n) {
			page = append(page, s.status(n, nil))
		}
	}
	slices.Reverse(page)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(slices.Concat([]byte{'['}, bytes.Join(page, []byte{','}), []byte{']'}))
}

// Raw is what item n of a protocol must be in the stream RAW.
func (s *Server) Raw(p Protocol, n uint64) []byte {
	switch p {
	case Wikimedia:
		return s.change(n)
	case Events:
		return s.post(n)
	case EMSC:
		return s.message(n)
	case USGS:
		return s.feature(s.quakeStep(n))
	default:
		name, data := s.toot(n)
		if name != "delete" {
			return data
		}
		return []byte(`{"event":"delete","payload":"` + string(data) + `"}`)
	}
}
