package decode

import (
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// wikiChange is what Blipstream needs of a message of Wikimedia's EventStreams:
// recentchange, and the streams of pages (page-create), which name the same
// things otherwise.
type wikiChange struct {
	Meta struct {
		ID     string `json:"id"`
		DT     string `json:"dt"`
		Domain string `json:"domain"`
		URI    string `json:"uri"`
	} `json:"meta"`
	Title     string `json:"title"`
	PageTitle string `json:"page_title"`
	Comment   string `json:"comment"`
	User      string `json:"user"`
	Performer struct {
		UserText string `json:"user_text"`
	} `json:"performer"`
	Timestamp int64  `json:"timestamp"`
	Wiki      string `json:"wiki"`
	Database  string `json:"database"`
	NotifyURL string `json:"notify_url"`
	Simulated bool   `json:"blipstream_simulated"`
}

// wikimedia reads one change of a wiki.
func wikimedia(data []byte, rec *feed.Record) error {
	var c wikiChange
	if err := parse(data, &c); err != nil {
		return err
	}
	rec.Simulated = c.Simulated
	if c.Meta.Domain == "canary" {
		rec.Change, rec.Notice = feed.ChangeNotice, "canary"
		return nil
	}
	title := first(c.Title, c.PageTitle)
	if c.Meta.ID == "" && title == "" || c.Wiki == "" && c.Database == "" {
		return malformed(ReasonShape, "no change of a wiki")
	}
	rec.ID, rec.Type = usableID(c.Meta.ID), feed.TypeEdit
	rec.Time = c.time()
	rec.Lang = wikiLanguage(c.Meta.Domain)
	rec.URL = first(c.NotifyURL, c.Meta.URI)
	user := first(c.User, c.Performer.UserText)
	rec.Upstream = feed.Upstream{Author: feed.Author{Username: user, Name: user}, Texts: appendSome(nil, join(title, c.Comment))}
	return nil
}

// time is when the change was made: to the millisecond if meta tells it.
func (c *wikiChange) time() time.Time {
	if t := rfc3339(c.Meta.DT); !t.IsZero() {
		return t
	}
	return unixMilli(c.Timestamp * 1000)
}

// join is what a change reads as: "title: comment".
func join(title, comment string) string {
	if title == "" || comment == "" {
		return title + comment
	}
	return title + ": " + comment
}

// wikiLanguage is the language of a wiki, which is the first part of its
// domain; projects that have no language of their own have another domain.
func wikiLanguage(domain string) string {
	name, project, _ := strings.Cut(domain, ".")
	switch project {
	case "wikipedia.org", "wiktionary.org", "wikibooks.org", "wikinews.org", "wikiquote.org",
		"wikisource.org", "wikiversity.org", "wikivoyage.org":
	default:
		return ""
	}
	switch name {
	case "www", "m", "test", "test2", "beta":
		return ""
	}
	return wikiCode(name)
}

// wikiCode is the BCP 47 code for a wiki whose domain is older than the
// standard's code for its language, as Wikimedia lists them under "special
// language codes"; all others are named by the code.
func wikiCode(name string) string {
	switch name {
	case "simple":
		return "en"
	case "als":
		return "gsw"
	case "bat-smg":
		return "sgs"
	case "be-x-old":
		return "be-tarask"
	case "fiu-vro":
		return "vro"
	case "roa-rup":
		return "rup"
	case "zh-classical":
		return "lzh"
	case "zh-min-nan":
		return "nan"
	case "zh-yue":
		return "yue"
	case "no":
		return "nb"
	case "cbk-zam":
		return "cbk"
	default:
		return name
	}
}
