package simulate

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// xFrame is a message of a stream of X's API v2.
type xFrame struct {
	Data      xPost     `json:"data"`
	Includes  xIncludes `json:"includes"`
	Rules     []xMatch  `json:"matching_rules,omitempty"`
	Simulated bool      `json:"blipstream_simulated"`
}

type xIncludes struct {
	Users  []xUser  `json:"users"`
	Places []xPlace `json:"places,omitempty"`
	Tweets []xPost  `json:"tweets,omitempty"`
	Posts  []xPost  `json:"posts,omitempty"`
}

type xPost struct {
	ID         string       `json:"id"`
	Text       string       `json:"text"`
	AuthorID   string       `json:"author_id"`
	CreatedAt  string       `json:"created_at"`
	Lang       string       `json:"lang"`
	Edits      []string     `json:"edit_history_tweet_ids,omitempty"`
	EditsLater []string     `json:"edit_history_post_ids,omitempty"`
	Note       *xNote       `json:"note_tweet,omitempty"`
	NoteLater  *xNote       `json:"note_post,omitempty"`
	References []xReference `json:"referenced_tweets,omitempty"`
	Geo        *xGeo        `json:"geo,omitempty"`
	Entities   *xEntities   `json:"entities,omitempty"`
}

type xNote struct {
	Text string `json:"text"`
}

type xReference struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type xGeo struct {
	PlaceID string  `json:"place_id,omitempty"`
	Point   *xPoint `json:"coordinates,omitempty"`
}

type xPoint struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

type xEntities struct {
	Hashtags []xTag     `json:"hashtags,omitempty"`
	Mentions []xMention `json:"mentions,omitempty"`
	URLs     []xURL     `json:"urls,omitempty"`
}

type xTag struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Tag   string `json:"tag"`
}

type xMention struct {
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Username string `json:"username"`
}

type xURL struct {
	Start    int    `json:"start"`
	End      int    `json:"end"`
	URL      string `json:"url"`
	Expanded string `json:"expanded_url"`
}

type xUser struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Location string `json:"location"`
}

type xPlace struct {
	ID          string `json:"id"`
	FullName    string `json:"full_name"`
	CountryCode string `json:"country_code"`
	Type        string `json:"place_type"`
	Geo         struct {
		Type string     `json:"type"`
		BBox [4]float64 `json:"bbox"`
	} `json:"geo"`
}

type xMatch struct {
	ID  string `json:"id"`
	Tag string `json:"tag"`
}

// AppendX appends the item at a position as a message of X's API v2, where
// there are no deletions: in their place stands a post. later has the names
// that the API's schema gives some fields since 2026.
func (w *World) AppendX(b []byte, position uint64, later bool) []byte {
	n := w.original(w.item(position))
	if w.sortOf(n) == sortMalformed {
		d := w.dice(n, saltMalformed)
		sorts := MalformedSorts()
		return w.AppendMalformed(b, sorts[d.N(len(sorts)-1)], n)
	}
	p := w.post(n, w.Time(n))
	f := xFrame{Data: p.x(), Simulated: true, Rules: []xMatch{{ID: "1", Tag: "simulated"}}}
	f.Includes.Users = []xUser{p.author.x()}
	if p.place != nil {
		f.Includes.Places = []xPlace{p.place.x()}
	}
	for _, other := range []*post{p.repost, p.reply, p.quote} {
		if other != nil {
			f.Includes.Tweets = append(f.Includes.Tweets, other.x())
			f.Includes.Users = append(f.Includes.Users, other.author.x())
		}
	}
	if later {
		f.rename()
	}
	out, err := json.Marshal(f)
	if err != nil {
		panic("simulate: strings and numbers are always JSON: " + err.Error())
	}
	return append(b, out...)
}

// rename gives fields the names of the schema of 2026.
func (f *xFrame) rename() {
	f.Includes.Posts, f.Includes.Tweets = f.Includes.Tweets, nil
	f.Data.EditsLater, f.Data.Edits = f.Data.Edits, nil
	f.Data.NoteLater, f.Data.Note = f.Data.Note, nil
	for i := range f.Includes.Posts {
		p := &f.Includes.Posts[i]
		p.NoteLater, p.Note = p.Note, nil
	}
}

// x is a post as the API tells it.
func (p *post) x() xPost {
	id := strconv.FormatUint(p.id, 10)
	shown, full := p.texts()
	out := xPost{
		ID: id, Text: escaped(shown), AuthorID: strconv.FormatUint(p.author.id, 10), Lang: p.author.lang,
		CreatedAt: p.at.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Edits: []string{id}, References: p.references(),
		Entities: xEntitiesOf(shown),
	}
	if full != "" {
		out.Note = &xNote{Text: escaped(full)}
	}
	if p.point != nil || p.place != nil {
		out.Geo = &xGeo{}
	}
	if p.point != nil {
		out.Geo.Point = &xPoint{Type: "Point", Coordinates: [2]float64{p.point.lon.degrees(), p.point.lat.degrees()}}
	}
	if p.place != nil {
		out.Geo.PlaceID = p.place.x().ID
	}
	return out
}

// escaped writes & < > as the API does in texts.
func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func (p *post) references() (out []xReference) {
	for how, other := range map[string]*post{"retweeted": p.repost, "replied_to": p.reply, "quoted": p.quote} {
		if other != nil {
			out = append(out, xReference{how, strconv.FormatUint(other.id, 10)})
		}
	}
	return out // one at most
}

func xEntitiesOf(text string) *xEntities {
	var out xEntities
	found := entitiesOf(text)
	for _, e := range found {
		switch e.kind {
		case '#':
			out.Hashtags = append(out.Hashtags, xTag{e.start, e.end, e.text})
		case '@':
			out.Mentions = append(out.Mentions, xMention{e.start, e.end, e.text})
		default:
			out.URLs = append(out.URLs, xURL{e.start, e.end, e.text, "https://simulated.example/read/" + e.text[len("https://t.co/"):]})
		}
	}
	if found == nil {
		return nil
	}
	return &out
}

func (a *author) x() xUser {
	return xUser{strconv.FormatUint(a.id, 10), a.username, a.name, a.city.Name + ", " + a.city.Country.Name}
}

func (p *place) x() xPlace {
	out := xPlace{ID: strconv.FormatUint(p.id, 16), FullName: p.name + ", " + p.country.Name, CountryCode: p.country.Code, Type: p.kind}
	out.Geo.Type = "Feature"
	out.Geo.BBox = [4]float64{p.west.degrees(), p.south.degrees(), p.east.degrees(), p.north.degrees()}
	return out
}

// xTime is when a rule was set, as the API writes it.
func xTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
