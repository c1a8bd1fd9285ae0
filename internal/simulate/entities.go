package simulate

import (
	"strconv"
	"strings"
)

// entity is a run of a text that means something.
type entity struct {
	kind  byte // '#', '@' or 'h' for a link
	text  string
	start int // in code points of the text on the wire
	end   int
}

// entitiesOf finds hashtags, mentions and links. The texts of this world put a
// space before each and after each, so a word's first letter decides.
func entitiesOf(s string) []entity {
	if !strings.ContainsAny(s, "#@") && !strings.Contains(s, "https://") {
		return nil
	}
	var out []entity
	at := 0
	for word := range strings.SplitAfterSeq(s, " ") {
		bare := strings.TrimRight(word, " \n:")
		if e, ok := entityOf(bare); ok {
			e.start, e.end = at, at+wireLength(bare)
			out = append(out, e)
		}
		at += wireLength(word)
	}
	return out
}

func entityOf(word string) (entity, bool) {
	switch {
	case len(word) > 1 && (word[0] == '#' || word[0] == '@'):
		return entity{kind: word[0], text: word[1:]}, true
	case strings.HasPrefix(word, "https://t.co/") && len(word) == linkLength:
		return entity{kind: 'h', text: word}, true
	}
	return entity{}, false
}

// entities writes the entities object of a text.
func (e *encoder) entities(s string, p *post) {
	found := entitiesOf(s)
	e.lit(`"entities":{"hashtags":[`)
	e.each(found, '#', func(x entity) {
		e.lit(`{"text":`).str(x.text).indices(x)
	})
	e.lit(`],"urls":[`)
	e.each(found, 'h', func(x entity) {
		e.lit(`{"url":`).str(x.text).lit(`,"expanded_url":"https://simulated.example/read/`).str0(x.text[len("https://t.co/"):])
		e.lit(`","display_url":"simulated.example/read/`).str0(x.text[len("https://t.co/"):]).lit(`"`).indices(x)
	})
	e.lit(`],"user_mentions":[`)
	e.each(found, '@', func(x entity) { e.mention(x, p) })
	e.lit(`],"symbols":[]}`)
}

// each writes the entities of a kind with commas between them.
func (e *encoder) each(all []entity, kind byte, write func(entity)) {
	first := true
	for _, x := range all {
		if x.kind != kind {
			continue
		}
		if !first {
			e.lit(",")
		}
		first = false
		write(x)
	}
}

// mention writes whom a reply or a repost is about.
func (e *encoder) mention(x entity, p *post) {
	e.lit(`{"screen_name":`).str(x.text)
	if about := p.about(); about != nil && about.author.username == x.text {
		e.lit(`,"name":`).str(about.author.name).lit(`,"id":`).num(about.author.id)
		e.lit(`,"id_str":"`).num(about.author.id).lit(`"`)
	} else {
		e.lit(`,"name":null,"id":null,"id_str":null`)
	}
	e.indices(x)
}

func (e *encoder) indices(x entity) {
	e.b = append(e.b, `,"indices":[`...)
	e.b = strconv.AppendInt(e.b, int64(x.start), 10)
	e.b = append(e.b, ',')
	e.b = strconv.AppendInt(e.b, int64(x.end), 10)
	e.b = append(e.b, `]}`...)
}
