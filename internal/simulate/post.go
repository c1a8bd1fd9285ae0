package simulate

import (
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate/dice"
)

// post is the plan of a post: what its author meant, before it is put into the
// shape of an API.
type post struct {
	n      uint64
	id     uint64
	at     time.Time
	author author
	// body is the text as typed: what a person shall read in the end. For a
	// repost it is the original's.
	body     string
	place    *place // nil: none told
	point    *point // nil: none told
	oldPoint bool   // the point is told by the deprecated field alone
	reply    *post  // what it answers
	quote    *post  // what it quotes
	repost   *post  // what it repeats
	ascii    bool   // written with \u escapes only
}

// Shares of posts, roughly as in the real stream.
const (
	shareRepost = 0.10
	shareReply  = 0.12
	shareQuote  = 0.05
	shareLong   = 0.12
	shareLink   = 0.12
	shareASCII  = 0.25
)

// compatLength is how many code points the text of a post may have in v1.1's
// compatibility mode; longer ones are truncated, with the whole beside them.
const compatLength = 140

// pastDistance is how far below those of items the ids of posts begin that
// others repeat, answer or quote: they were posted before this world began and
// are no items of it. It is half a millisecond of ids.
const pastDistance = 1 << (snowflakeShift - 1)

// post plans item n, which must be a post.
func (w *World) post(n uint64, at time.Time) *post {
	d := w.dice(n, saltPost)
	p := &post{n: n, id: w.base + n, at: at, author: w.author(&d, w.Time(n)), ascii: d.Chance(shareASCII)}
	switch r := d.Float(); {
	case r < shareRepost:
		p.repost = w.past(n, at, &d)
		p.body = p.repost.body
		return p
	case r < shareRepost+shareReply:
		p.reply = w.past(n, at, &d)
	case r < shareRepost+shareReply+shareQuote:
		p.quote = w.past(n, at, &d)
	}
	w.write(p, &d)
	w.locate(p, &d)
	return p
}

// past plans a post that item n refers to, some time before.
func (w *World) past(n uint64, at time.Time, outer *dice.Dice) *post {
	age := time.Duration(1+outer.N(7200)) * time.Second
	d := w.dice(n, saltPast)
	p := &post{n: n, id: w.base - pastDistance - n, at: at.Add(-age), author: w.author(&d, w.Time(n))}
	w.write(p, &d)
	w.locate(p, &d)
	return p
}

// write thinks of a text.
func (w *World) write(p *post, d *dice.Dice) {
	b := make([]byte, 0, 256)
	if p.reply != nil {
		b = append(b, '@')
		b = append(b, p.reply.author.username...)
		b = append(b, ' ')
	}
	b = w.book.Append(b, d, p.author.lang, p.author.city.Name)
	if d.Chance(shareLong) {
		b = w.lengthen(b, p, d)
	}
	if d.Chance(shareLink) || p.quote != nil {
		b = append(b, ' ')
		b = appendLink(b, p.id)
	}
	p.body = string(b)
}

// lengthen adds sentences until the text is too long for one post of old.
func (w *World) lengthen(b []byte, p *post, d *dice.Dice) []byte {
	for codePoints(b) <= compatLength {
		sep := byte(' ')
		if d.Chance(0.3) {
			sep = '\n'
		}
		b = append(b, sep)
		b = w.book.Append(b, d, p.author.lang, p.author.city.Name)
	}
	return b
}

// kind says what sort of post it is.
func (p *post) kind() feed.PostType {
	switch {
	case p.repost != nil:
		return feed.TypeRepost
	case p.reply != nil:
		return feed.TypeReply
	}
	return feed.TypePost
}
