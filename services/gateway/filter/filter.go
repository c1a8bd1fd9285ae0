package filter

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/blipstream/blipstream/internal/feed"
)

// The query parameters that make a filter.
const (
	ParamSource  = "source"
	ParamLang    = "lang"
	ParamCountry = "country"
	ParamQ       = "q"
	ParamBBox    = "bbox"
	ParamUser    = "user"
	ParamType    = "type"
)

const (
	// maxValues is how many sources, languages or countries may be named.
	maxValues = 64
	// maxWords and maxQuery bound q, in words and in bytes.
	maxWords = 8
	maxQuery = 200
	// maxLang is the longest tag BCP 47 (RFC 5646, section 4.4.1) asks to take.
	maxLang = 35
	// maxUser is the longest handle, in bytes: the longest name of a host, as
	// handles of some sources are.
	maxUser = 253
)

// Filter is a set of conditions. All that are set must hold; of several values
// of one condition one must. The zero value matches everything.
type Filter struct {
	// Sources, Langs and Countries are values to choose from, sorted. A
	// language includes its regional forms: en matches en-GB.
	Sources, Langs, Countries []string
	// Users are handles of authors in lower case, without @; Types are sorts of
	// post. Both to choose from, sorted.
	Users, Types []string
	// Words are looked for in the text, the name and the handle, all of them,
	// in any case; a word of letters as a whole word.
	Words []string
	// Box is where the position must be. An event without a position is
	// nowhere.
	Box *Box
}

var (
	errTwice   = errors.New("is given more than once")
	errMany    = errors.New("names more than 64 values")
	errSource  = errors.New("names a source: lower-case letters, digits, _ and -")
	errLang    = errors.New("is a language tag such as en or pt-BR")
	errCountry = errors.New("is a country code of two letters, such as JP")
	errUser    = errors.New("is the handle of an author, without spaces")
	errType    = errors.New("is a sort of post: lower-case letters and _, such as reply")
	errQ       = errors.New("is one to eight words, 200 bytes at most")
)

// Known reports whether name is a parameter that makes a filter.
func Known(name string) bool {
	switch name {
	case ParamSource, ParamLang, ParamCountry, ParamQ, ParamBBox, ParamUser, ParamType:
		return true
	}
	return false
}

// Set takes the values of one parameter. The error is what the parameter
// should have been, to be read after its name.
func (f *Filter) Set(name string, values []string) (err error) {
	switch name {
	case ParamSource:
		f.Sources, err = list(values, strings.Clone, feed.ValidSource, errSource)
	case ParamLang:
		f.Langs, err = list(values, strings.ToLower, validLang, errLang)
	case ParamCountry:
		f.Countries, err = list(values, strings.ToUpper, validCountry, errCountry)
	case ParamUser:
		f.Users, err = list(values, handle, validUser, errUser)
	case ParamType:
		f.Types, err = list(values, strings.Clone, validType, errType)
	case ParamQ:
		f.Words, err = words(values)
	case ParamBBox:
		if len(values) != 1 {
			return errTwice
		}
		f.Box, err = parseBox(values[0])
	}
	return err
}

// list reads values that may be repeated and separated by commas.
func list(values []string, form func(string) string, valid func(string) bool, bad error) (all []string, err error) {
	for _, value := range values {
		for v := range strings.SplitSeq(value, ",") {
			if v = form(v); !valid(v) {
				return nil, bad
			}
			all = append(all, v)
		}
	}
	if len(all) > maxValues {
		return nil, errMany
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// words reads q.
func words(values []string) ([]string, error) {
	if len(values) != 1 {
		return nil, errTwice
	}
	all := strings.Fields(strings.ToLower(values[0]))
	if len(values[0]) > maxQuery || len(all) == 0 || len(all) > maxWords {
		return nil, errQ
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// validLang reports whether s is in the form of a lower-case language tag.
func validLang(s string) bool {
	if len(s) < 2 || len(s) > maxLang {
		return false
	}
	for i, part := range strings.Split(s, "-") {
		if len(part) == 0 || len(part) > 8 || !lowerAlnum(part, i > 0) {
			return false
		}
	}
	return true
}

// lowerAlnum reports whether s is lower-case letters, and digits if allowed.
func lowerAlnum(s string, digits bool) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (!digits || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// handle is the form in which handles are compared.
func handle(s string) string { return strings.ToLower(strings.TrimPrefix(s, "@")) }

// validUser reports whether s may be a handle.
func validUser(s string) bool {
	return s != "" && len(s) <= maxUser && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// validType reports whether s is in the form of a sort of post.
func validType(s string) bool {
	return s != "" && len(s) <= maxLang && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// validCountry reports whether s is two upper-case letters.
func validCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// Empty reports whether everything matches.
func (f *Filter) Empty() bool {
	return len(f.Sources)+len(f.Langs)+len(f.Countries)+len(f.Users)+len(f.Types)+len(f.Words) == 0 && f.Box == nil
}

// OfPosts reports whether it asks for what only posts tell: a position must be
// joined with its post to match.
func (f *Filter) OfPosts() bool { return len(f.Words)+len(f.Users) > 0 }

// Key is the canonical form, the same for all filters that mean the same: a
// query string. It is empty for the empty filter.
func (f *Filter) Key() string {
	q := url.Values{}
	for name, values := range map[string][]string{
		ParamSource: f.Sources, ParamLang: f.Langs, ParamCountry: f.Countries, ParamUser: f.Users, ParamType: f.Types,
	} {
		if len(values) > 0 {
			q.Set(name, strings.Join(values, ","))
		}
	}
	if len(f.Words) > 0 {
		q.Set(ParamQ, strings.Join(f.Words, " "))
	}
	if f.Box != nil {
		q.Set(ParamBBox, f.Box.String())
	}
	return q.Encode()
}

// Match reports whether an event matches.
func (f *Filter) Match(kind string, facts *Facts) bool {
	if f.Empty() || Removal(kind) {
		return true
	}
	return one(f.Sources, facts.Source) && f.lang(facts.Lang) && one(f.Countries, facts.Country) &&
		one(f.Types, facts.Type) && f.user(facts.Username) &&
		(f.Box == nil || facts.Placed && f.Box.contains(facts.Lat, facts.Lon)) && f.words(facts)
}

// one reports whether value is one of values, or nothing is asked.
func one(values []string, value []byte) bool {
	return len(values) == 0 || slices.Contains(values, string(value))
}

// lang reports whether a language is one of those asked for, or a form of it.
func (f *Filter) lang(lang []byte) bool {
	if len(f.Langs) == 0 {
		return true
	}
	for _, want := range f.Langs {
		if len(lang) >= len(want) && strings.EqualFold(want, string(lang[:len(want)])) &&
			(len(lang) == len(want) || lang[len(want)] == '-') {
			return true
		}
	}
	return false
}

// user reports whether an author is one of those asked for, in any case.
func (f *Filter) user(name []byte) bool {
	return len(f.Users) == 0 || slices.Contains(f.Users, strings.ToLower(string(name)))
}

// words reports whether all words are in the text.
func (f *Filter) words(facts *Facts) bool {
	if len(f.Words) == 0 {
		return true
	}
	text := facts.words()
	for _, w := range f.Words {
		if !hasWord(text, w) {
			return false
		}
	}
	return true
}
