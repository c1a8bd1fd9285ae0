package ssetest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// payload is what a filter goes by.
type payload struct {
	Source, Lang, Country, Body, Name, Username string
	Lat, Lon                                    *float64
}

// facts reads what a filter goes by.
func facts(x exam, e Event) (p payload) {
	x.t.Helper()
	if err := json.Unmarshal([]byte(e.Data), &p); err != nil {
		x.t.Fatalf("%v: %s", err, e.Data)
	}
	return p
}

// removal reports whether an event passes every filter.
func removal(e Event) bool { return e.Name == "post_removed" || e.Name == "geo_removed" }

// sample is two events as they come.
func sample(x exam, query string) []Event {
	x.t.Helper()
	s := open(x.t, x.target, query, nil)
	hello(x.t, s)
	x.target.Emit(x.t)
	return collect(x.t, s, 2)
}

// matching reads events of a filter, and checks each.
func matching(x exam, query string, match func(payload) bool) {
	x.t.Helper()
	s := open(x.t, x.target, query, nil)
	hello(x.t, s)
	x.target.Emit(x.t)
	for _, e := range collect(x.t, s, 2) {
		if !removal(e) && !match(facts(x, e)) {
			x.t.Errorf("%s lets through %s %s", query, e.Name, e.Data)
		}
	}
}

// nothing opens a stream of a filter that nothing matches, and sees only
// heartbeats while others get events.
func nothing(x exam, query string) {
	x.t.Helper()
	s := open(x.t, x.target, query, nil)
	hello(x.t, s)
	sample(x, "")
	for beats := 0; beats < 2; {
		e := next(x.t, s)
		if e.Name == "hb" {
			beats++
		} else if !removal(e) {
			x.t.Errorf("%s lets through %+v", query, e)
		}
	}
}

// checkFilters filters by what events that came before have told.
func checkFilters(x exam) {
	field := map[string]func(payload) string{
		"source":  func(p payload) string { return p.Source },
		"lang":    func(p payload) string { return p.Lang },
		"country": func(p payload) string { return p.Country },
	}
	seen := sample(x, "?kind=simple_tweet,geo_blip")
	for name, of := range field {
		i := slices.IndexFunc(seen, func(e Event) bool { return of(facts(x, e)) != "" })
		if i < 0 {
			x.t.Logf("no event tells a %s", name)
			continue
		}
		want := of(facts(x, seen[i]))
		matching(x, "?"+name+"="+url.QueryEscape(want), func(p payload) bool {
			return of(p) == want || name == "lang" && strings.HasPrefix(of(p), want+"-")
		})
	}
	nothing(x, "?source=no_source_is_named_so")
}

// checkWords filters by a word of a post.
func checkWords(x exam) {
	word := ""
	for _, e := range sample(x, "?kind=simple_tweet") {
		for w := range strings.FieldsSeq(facts(x, e).Body) {
			if plain := strings.IndexFunc(w, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) < 0; plain {
				word = strings.ToLower(w)
			}
		}
	}
	if word == "" {
		x.t.Log("no post has a word of letters")
		return
	}
	s := open(x.t, x.target, "?kind=simple_tweet&q="+word, nil)
	hello(x.t, s)
	for range 3 { // a word may be rare
		x.target.Emit(x.t)
	}
	e := collect(x.t, s, 1)[0]
	if p := facts(x, e); !strings.Contains(strings.ToLower(p.Body+" "+p.Name+" "+p.Username), word) {
		x.t.Errorf("q=%s lets through %s", word, e.Data)
	}
}

// checkBox filters by half of the world: the one where a blip was, and the
// other across the antimeridian.
func checkBox(x exam) {
	east := func(p payload) bool { return p.Lon != nil && *p.Lon >= 0 }
	var seen []Event
	for _, e := range sample(x, "?kind=geo_blip") {
		if facts(x, e).Lon != nil {
			seen = append(seen, e)
		}
	}
	if len(seen) == 0 {
		x.t.Log("no blip tells where it is")
		return
	}
	if east(facts(x, seen[0])) {
		matching(x, "?bbox=0,-90,180,90", east)
		return
	}
	matching(x, "?bbox=180,-90,0,90", func(p payload) bool { return p.Lon != nil && *p.Lon <= 0 })
}

// checkRate asks for less than there is, and is told what is left out.
func checkRate(x exam) {
	s := open(x.t, x.target, "?rate=1", nil)
	hello(x.t, s)
	for range 5 {
		x.target.Emit(x.t)
	}
	for {
		e := next(x.t, s)
		if e.Name != "thinned" {
			continue
		}
		var told struct {
			Count, FromSeq, ToSeq uint64 `json:",string"`
		}
		if err := json.Unmarshal([]byte(e.Data), &told); err != nil || told.Count == 0 || told.ToSeq < told.FromSeq {
			x.t.Errorf("thinned tells %s, %v", e.Data, err)
		}
		return
	}
}

// checkForgery: no payload can end a field, or make another.
func checkForgery(x exam) {
	if x.target.Forge == nil {
		x.t.Log("the server cannot be made to send that")
		return
	}
	s := open(x.t, x.target, "?kind=simple_tweet", nil)
	hello(x.t, s)
	for i, forged := range []string{
		"{\"a\":\n\n1}", "{}\n\nevent: forged\ndata: {}\n\n", "{}\r\rid: stolen-1\rdata: {}\r\r", "{}\r\n\r\nretry: 1\r\n\r\n",
		"{}\x00\nid: stolen\x00-2\n\n", "\n\n\n", "\ndata", ":\nevent: bye\ndata: {}",
	} {
		x.target.Forge(x.t, []byte(forged))
		mark := fmt.Sprintf(`{"id":"mark-%d","source":"mark"}`, i)
		x.target.Forge(x.t, []byte(mark))
		for done := false; !done; {
			e := next(x.t, s)
			switch {
			case e.Name == "hb":
				continue
			case e.Name != "simple_tweet" || e.Retry >= 0 || strings.HasPrefix(e.ID, "stolen"):
				x.t.Errorf("%q forged %+v", forged, e)
			}
			done = e.Data == mark
		}
	}
}
