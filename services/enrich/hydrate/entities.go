package hydrate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
)

// Entities sets the hashtags, mentions and links: those the source tells, else
// those the text holds. Each is there once, at most 50 of a sort, and links are
// of the web: nothing else is safe to offer for a click.
type Entities struct{}

// maxEntities bounds each sort. A post of 500 characters has no more.
const maxEntities = 50

// Name implements Hydrator.
func (Entities) Name() string { return "entities" }

// Hydrate implements Hydrator.
func (Entities) Hydrate(rec *feed.Record) {
	if rec.Change != feed.ChangePost {
		return
	}
	up := &rec.Upstream
	rec.Tags = distinct(up.Tags, func(s string) string { return strings.TrimPrefix(s, "#") })
	rec.Mentions = distinct(up.Mentions, func(s string) string { return strings.TrimPrefix(s, "@") })
	rec.Links = distinct(up.Links, webLink)
	if up.Tags == nil && strings.ContainsAny(rec.Body, "#＃") {
		rec.Tags = distinct(found(rec.Body, hashtag), keep)
	}
	if up.Mentions == nil && strings.Contains(rec.Body, "@") {
		rec.Mentions = distinct(found(rec.Body, mention), keep)
	}
	if up.Links == nil && strings.Contains(rec.Body, "://") {
		rec.Links = distinct(found(rec.Body, address), webLink)
	}
}

func keep(s string) string { return s }

// webLink is s if it is an address of the web, else "".
func webLink(s string) string {
	const scheme = len("https://")
	if len(s) > scheme && (strings.EqualFold(s[:scheme], "https://") || strings.EqualFold(s[:scheme-1], "http://")) {
		return s
	}
	return ""
}

// distinct is what trim leaves of each of list, without the empty ones and
// without repeats, of which letters' case makes no other.
func distinct(list []string, trim func(string) string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, 0, min(len(list), maxEntities))
	for _, s := range list {
		s = trim(strings.TrimSpace(s))
		same := func(t string) bool { return strings.EqualFold(s, t) }
		if s != "" && len(out) < maxEntities && !slices.ContainsFunc(out, same) {
			out = append(out, s)
		}
	}
	return out
}

// found is what a sort of entity finds in a text. It is called where one may
// begin, and returns its text and how many bytes it takes there.
func found(text string, entity func(string) (string, int)) []string {
	var all []string
	free := true // nothing before it ties it to a word
	for at := 0; at < len(text) && len(all) < 2*maxEntities; {
		r, size := utf8.DecodeRuneInString(text[at:])
		if free {
			if s, n := entity(text[at:]); n > 0 {
				all = append(all, s)
				at += n
				free = false
				continue
			}
		}
		free = !wordRune(r) && r != '/' && r != '&'
		at += size
	}
	return all
}

// wordRune reports whether r is part of a word or of a hashtag.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '_'
}

// hashtag is one that s begins with: # and letters, not digits alone.
func hashtag(s string) (string, int) {
	sign, size := utf8.DecodeRuneInString(s)
	if sign != '#' && sign != '＃' {
		return "", 0
	}
	end := len(s)
	letters := false
	for i, r := range s[size:] {
		if !wordRune(r) {
			end = size + i
			break
		}
		letters = letters || unicode.IsLetter(r)
	}
	if !letters {
		return "", 0
	}
	return s[size:end], end
}

// mention is one that s begins with: @ and a handle, which may be one of
// another server ("ann@example.org") or a domain ("ann.example.org").
func mention(s string) (string, int) {
	if len(s) < 2 || s[0] != '@' || !handleByte(s[1]) {
		return "", 0
	}
	end := 1
	for end < len(s) && (handleByte(s[end]) || strings.IndexByte(".-@", s[end]) >= 0) {
		end++
	}
	handle := strings.TrimRight(s[1:end], ".-@")
	return handle, 1 + len(handle)
}

// handleByte reports whether c may be in the first part of a handle.
func handleByte(c byte) bool { return letter(c) || '0' <= c && c <= '9' || c == '_' }

// letter reports whether c is one of ASCII.
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// address is one that s begins with, up to a space, without the punctuation of
// the sentence around it.
func address(s string) (string, int) {
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		return "", 0
	}
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>"“”`, r) })
	if end < 0 {
		end = len(s)
	}
	link := strings.TrimRight(s[:end], ".,;:!?'…")
	if strings.HasSuffix(link, ")") && !strings.Contains(link, "(") {
		link = link[:len(link)-1]
	}
	return link, len(link)
}
