package hydrate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"

	"github.com/blipstream/blipstream/internal/feed"
)

// Language sets the language of the text: what the source tells, else the one
// language of its script, else what the frequency of its letters says, of the
// languages that are posted in most. A text too short to tell stays without.
// Guessing takes 100 µs and more, so it is done only where nothing else tells.
type Language struct{ options whatlanggo.Options }

// NewLanguage makes a Language. The list is short on purpose: with all the
// languages it knows, the library takes short posts for rare ones.
func NewLanguage() Language {
	l := Language{whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{}}}
	for _, lang := range [...]whatlanggo.Lang{
		whatlanggo.Eng, whatlanggo.Spa, whatlanggo.Por, whatlanggo.Fra, whatlanggo.Deu, whatlanggo.Ita, whatlanggo.Nld,
		whatlanggo.Pol, whatlanggo.Tur, whatlanggo.Ind, whatlanggo.Vie, whatlanggo.Ces, whatlanggo.Ron, whatlanggo.Swe,
		whatlanggo.Fin, whatlanggo.Dan, whatlanggo.Hun, whatlanggo.Tgl, whatlanggo.Rus, whatlanggo.Ukr, whatlanggo.Bul,
		whatlanggo.Srp, whatlanggo.Bel,
	} {
		l.options.Whitelist[lang] = true
	}
	return l
}

// Name implements Hydrator.
func (Language) Name() string { return "language" }

// Hydrate implements Hydrator.
func (l Language) Hydrate(rec *feed.Record) {
	if rec.Lang = told(rec.Lang); rec.Lang != "" || rec.Change != feed.ChangePost {
		return
	}
	rec.Lang = l.guess(rec.Body)
}

// told is a language tag if it tells a language.
func told(tag string) string {
	primary, rest, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	primary = strings.ToLower(primary)
	switch {
	case len(primary) < 2 || len(primary) > 3 || strings.Trim(primary, "abcdefghijklmnopqrstuvwxyz") != "":
		return "" // "", "undefined"
	case primary == "und", primary == "mul", primary == "zxx", primary == "mis", len(primary) == 3 && primary[0] == 'q':
		return ""
	case rest == "":
		return primary
	default:
		return primary + "-" + rest
	}
}

// How much is read of a text.
const (
	// guessBytes is enough for a post of 280 characters in most scripts.
	guessBytes = 400
	// fewLetters are too few to tell a language by their frequency.
	fewLetters = 12
	// sure is the confidence from which a guess is taken. Of 157 short texts in
	// Latin and Cyrillic letters 122 are guessed right then and 6 wrong; without
	// a bound 139 and 18.
	sure = 0.3
)

// guess is the language of a text; "" if it cannot be told.
func (l Language) guess(text string) string {
	words := prose(text)
	lang, letters := byScript(words)
	if lang != "" || letters < fewLetters {
		return lang
	}
	info := whatlanggo.DetectWithOptions(words, l.options)
	if info.Confidence < sure {
		return ""
	}
	return info.Lang.Iso6391()
}

// prose is the beginning of a text without what is in no language: hashtags,
// mentions and addresses.
func prose(text string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "#") || strings.HasPrefix(word, "@") || strings.Contains(word, "://") {
			continue
		}
		room := guessBytes - b.Len()
		b.WriteString(word[:boundary(word, room)]) // it may be long in a script without spaces
		if len(word) >= room {
			break
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// boundary is the last place at or before at where a character begins.
func boundary(text string, at int) int {
	if at >= len(text) {
		return len(text)
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// byScript is the language of the script that most letters are in, if there is
// only one that is posted in; and how many letters there are.
func byScript(text string) (lang string, letters int) {
	var counts [scriptCount]int
	hints := ""
	for _, r := range text {
		if r < utf8.RuneSelf && !letter(byte(r)) || r >= utf8.RuneSelf && !unicode.IsLetter(r) {
			continue
		}
		letters++
		counts[scriptOf(r)]++
		// Urdu has all the letters of Persian, and Belarusian of Russian.
		if hint := letterOf(r); hint != "" && (hints == "" || hint == "ur" || hint == "be") {
			hints = hint
		}
	}
	best := latin
	for s, n := range counts {
		if n > counts[best] {
			best = scriptID(s)
		}
	}
	switch {
	case counts[best]*2 < letters && counts[kana] == 0:
		return "", letters
	case best == han && counts[kana] > 0:
		return "ja", letters // a Japanese text has Han letters, a Chinese one no Kana
	case hints != "" && (best == arabic || best == cyrillic):
		return hints, letters
	}
	return languageOf(best), letters
}
