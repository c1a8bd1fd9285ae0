package mastodon

import (
	"errors"
	"net/url"
	"strings"

	"github.com/blipstream/blipstream/services/ingest/source/param"
)

// timeline is which of a server's timelines is read.
type timeline struct {
	channel   string // the end of the stream's path
	tag, list string
	onlyMedia bool
}

// readTimeline takes the parameters that choose a timeline.
func readTimeline(q *param.Params) timeline {
	t := timeline{
		channel: q.OneOf("stream", "public", "public/local", "public/remote", "hashtag", "hashtag/local", "list", "user"),
		tag:     strings.TrimPrefix(q.Text("tag", ""), "#"), list: q.Text("list", ""), onlyMedia: q.Flag("only_media"),
	}
	if hashtag := strings.HasPrefix(t.channel, "hashtag"); hashtag != (t.tag != "") {
		q.Fail("tag", errors.New("it belongs to stream=hashtag, and that needs it"))
	}
	if (t.channel == "list") != (t.list != "") {
		q.Fail("list", errors.New("it belongs to stream=list, and that needs it"))
	}
	if t.onlyMedia && !strings.HasPrefix(t.channel, "public") {
		q.Fail("only_media", errors.New("it belongs to the public timelines"))
	}
	return t
}

// stream is the path and query of the stream.
func (t timeline) stream() string {
	q := url.Values{}
	if t.tag != "" {
		q.Set("tag", t.tag)
	}
	if t.list != "" {
		q.Set("list", t.list)
	}
	return "/api/v1/streaming/" + t.channel + t.query(q)
}

// rest is the path and query of the same timeline in the REST interface.
func (t timeline) rest(q url.Values) string {
	path := "public"
	switch {
	case t.tag != "":
		path = "tag/" + url.PathEscape(t.tag)
	case t.list != "":
		path = "list/" + url.PathEscape(t.list)
	case t.channel == "user":
		path = "home"
	}
	if _, where, ok := strings.Cut(t.channel, "/"); ok {
		q.Set(where, "true")
	}
	return "/api/v1/timelines/" + path + t.query(q)
}

func (t timeline) query(q url.Values) string {
	if t.onlyMedia {
		q.Set("only_media", "true")
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
