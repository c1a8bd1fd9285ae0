package feeds

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/blipstream/blipstream/internal/simulate"
)

// timeline is which of a Mastodon server's posts are asked for.
type timeline struct {
	local, remote bool
	tag           string // in lower case; empty: any
	media         bool
}

// channel reads which stream a request is for; false if there is none such.
func channel(r *http.Request) (t timeline, ok bool) {
	q := r.URL.Query()
	name, where, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/streaming/"), "/")
	t = timeline{local: where == "local", remote: where == "remote", media: q.Get("only_media") == "true"}
	if where != "" && !t.local && !t.remote {
		return t, false
	}
	switch name {
	case "public":
		return t, true
	case "hashtag":
		t.tag = strings.ToLower(q.Get("tag"))
		return t, t.tag != "" && !t.remote
	case "list":
		return t, q.Get("list") != "" && where == ""
	case "user":
		return t, where == ""
	default:
		return t, false
	}
}

// restTimeline reads which timeline of the REST interface a request is for.
func restTimeline(r *http.Request) (t timeline, ok bool) {
	q := r.URL.Query()
	t = timeline{local: q.Get("local") == "true", remote: q.Get("remote") == "true", media: q.Get("only_media") == "true"}
	switch name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/timelines/"), "/"); name {
	case "public", "home":
		return t, rest == ""
	case "tag":
		t.tag = strings.ToLower(rest)
		return t, rest != ""
	case "list":
		return t, rest != ""
	default:
		return t, false
	}
}

// takes reports whether a timeline shows item n. What becomes of a post is told
// where the post was shown.
func (t timeline) takes(s *Server, n uint64) bool {
	n = s.tootOf(n)
	p, _ := s.plan(n)
	switch {
	case t.local && !isLocal(p), t.remote && isLocal(p), t.media && !hasMedia(n):
		return false
	case t.tag == "":
		return true
	}
	for _, tag := range tagsOf(p.Body) {
		if strings.EqualFold(tag, t.tag) {
			return true
		}
	}
	return false
}

// isLocal reports whether an author has their account on this server: every
// other one has.
func isLocal(p simulate.Want) bool {
	id, err := strconv.ParseUint(p.UserID, 10, 64)
	return err == nil && id%2 == 0
}

// hasMedia reports whether a picture is attached to post n.
func hasMedia(n uint64) bool {
	const everyFourth, third = 4, 2
	return n%everyFourth == third
}

// tagsOf are the hashtags of a text, without #.
func tagsOf(body string) (tags []string) {
	for word := range strings.FieldsSeq(body) {
		if tag, ok := strings.CutPrefix(word, "#"); ok && tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}
