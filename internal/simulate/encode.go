package simulate

import (
	"strconv"
	"time"
)

// encoder writes posts in the shape of v1.1. Its methods return it, so that a
// run of fields reads as one line.
type encoder struct {
	b    []byte
	text textWriter
}

// lit writes JSON as it stands.
func (e *encoder) lit(s string) *encoder {
	e.b = append(e.b, s...)
	return e
}

// str writes a JSON string; & < > become HTML entities, as everywhere in v1.1.
func (e *encoder) str(s string) *encoder {
	e.b = append(e.b, '"')
	e.b = e.text.append(e.b, s)
	e.b = append(e.b, '"')
	return e
}

// str0 writes the inside of a JSON string.
func (e *encoder) str0(s string) *encoder {
	e.b = e.text.append(e.b, s)
	return e
}

func (e *encoder) num(n uint64) *encoder {
	e.b = strconv.AppendUint(e.b, n, 10)
	return e
}

func (e *encoder) int(n int) *encoder {
	e.b = strconv.AppendInt(e.b, int64(n), 10)
	return e
}

// hex writes 16 digits.
func (e *encoder) hex(n uint64) *encoder {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		e.b = append(e.b, digits[n>>shift&15])
	}
	return e
}

// micro writes degrees with six decimals.
func (e *encoder) micro(m micro) *encoder {
	if m < 0 {
		e.b = append(e.b, '-')
		m = -m
	}
	e.b = strconv.AppendInt(e.b, int64(m/degree), 10)
	e.b = append(e.b, '.')
	for unit := degree / 10; unit > 0; unit /= 10 {
		e.b = append(e.b, byte('0'+m/unit%10))
	}
	return e
}

// createdAt is v1.1's form of a time.
const createdAt = "Mon Jan 02 15:04:05 -0700 2006"

func (e *encoder) time(t time.Time) *encoder {
	e.b = append(e.b, '"')
	e.b = t.UTC().AppendFormat(e.b, createdAt)
	e.b = append(e.b, '"')
	return e
}

// simulated ends a top-level object with the mark of this world.
func (e *encoder) simulated() { e.lit(`,"blipstream_simulated":true}`) }

// status writes a post as a top-level message.
func (e *encoder) status(p *post) {
	e.text.ascii = p.ascii
	e.fields(p)
	e.lit(`,"timestamp_ms":"`).int(int(p.at.UnixMilli())).lit(`"`)
	e.simulated()
}

// fields writes a status object up to its last field, without the brace.
func (e *encoder) fields(p *post) {
	shown, full := p.texts()
	e.lit(`{"created_at":`).time(p.at).lit(`,"id":`).num(p.id).lit(`,"id_str":"`).num(p.id)
	e.lit(`","text":`).str(shown)
	e.lit(`,"source":"\u003ca href=\"https://simulated.example\" rel=\"nofollow\"\u003eBlipstream simulator\u003c/a\u003e","truncated":`)
	e.bool(full != "")
	e.replyTo(p.reply)
	e.user(&p.author)
	e.position(p)
	e.related(p)
	if full != "" {
		e.lit(`"extended_tweet":{"full_text":`).str(full).lit(`,"display_text_range":[0,`).int(wireLength(full)).lit(`],`)
		e.entities(full, p)
		e.lit(`},`)
	}
	e.lit(`"quote_count":0,"reply_count":0,"retweet_count":0,"favorite_count":0,`)
	e.entities(shown, p)
	e.lit(`,"favorited":false,"retweeted":false,"possibly_sensitive":false,"filter_level":"low","lang":`).str(p.author.lang)
}

func (e *encoder) bool(v bool) *encoder {
	e.b = strconv.AppendBool(e.b, v)
	return e
}

// related writes the posts that p repeats or quotes.
func (e *encoder) related(p *post) {
	if p.repost != nil {
		e.lit(`"retweeted_status":`)
		e.fields(p.repost)
		e.lit(`},`)
	}
	if q := p.quote; q != nil {
		e.lit(`"quoted_status_id":`).num(q.id).lit(`,"quoted_status_id_str":"`).num(q.id).lit(`","quoted_status":`)
		e.fields(q)
		e.lit(`},`)
	}
	e.lit(`"is_quote_status":`).bool(p.quote != nil).lit(`,`)
}

func (e *encoder) replyTo(r *post) {
	if r == nil {
		e.lit(`,"in_reply_to_status_id":null,"in_reply_to_status_id_str":null,"in_reply_to_user_id":null,"in_reply_to_user_id_str":null,"in_reply_to_screen_name":null,`)
		return
	}
	e.lit(`,"in_reply_to_status_id":`).num(r.id).lit(`,"in_reply_to_status_id_str":"`).num(r.id)
	e.lit(`","in_reply_to_user_id":`).num(r.author.id).lit(`,"in_reply_to_user_id_str":"`).num(r.author.id)
	e.lit(`","in_reply_to_screen_name":`).str(r.author.username).lit(`,`)
}

// texts are what stands in text and, for a post too long for it, the whole
// that stands in extended_tweet. A repost's text is cut without more ado: the
// whole is in the original.
func (p *post) texts() (shown, full string) {
	if p.repost != nil {
		s := p.reads()
		if wireLength(s) > compatLength {
			s = cut(s, compatLength-1) + "…"
		}
		return s, ""
	}
	if wireLength(p.body) <= compatLength {
		return p.body, ""
	}
	return string(appendLink([]byte(cut(p.body, compatLength-2-linkLength)+"… "), p.id+1)), p.body
}

// about is the post whose author p mentions.
func (p *post) about() *post {
	if p.repost != nil {
		return p.repost
	}
	return p.reply
}
