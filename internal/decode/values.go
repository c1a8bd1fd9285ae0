package decode

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxID is the longest id that is taken, in bytes. Twitter's have 19 digits;
// ids become part of message headers and of other ids.
const maxID = 128

// usableID returns s if it may be an id: printable ASCII without spaces, since
// it becomes part of headers; else "".
func usableID(s string) string {
	if len(s) > maxID {
		return ""
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return s
}

// firstID is s, or else the digits of number, if one of them is usable.
func firstID(s numeral, number jsontext.Value) string {
	if id := usableID(string(s)); id != "" {
		return id
	}
	if id := string(number); digits(id) {
		return usableID(id)
	}
	return ""
}

// digits reports whether s is a whole number without sign.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// maxTimeMS is the last moment that RFC 3339 can write, whose years have four
// digits: the end of 9999, in milliseconds since 1970.
const maxTimeMS = 253402300799999

// twitterTime reads timestamp_ms (milliseconds since 1970, in a string), or
// else created_at ("Mon Jan 02 15:04:05 -0700 2006"), which lacks the
// milliseconds. What cannot be read is the zero time: unknown.
func twitterTime(ms numeral, created string) time.Time {
	if n, err := strconv.ParseInt(string(ms), 10, 64); err == nil && n >= 0 && n <= maxTimeMS {
		return time.UnixMilli(n).UTC()
	}
	if t, err := time.Parse(time.RubyDate, created); err == nil && t.Year() > 0 {
		return t.UTC()
	}
	return time.Time{}
}

// language turns Twitter's language into BCP 47: it writes three languages by
// codes that have been replaced long ago, "und" for unknown, and private codes
// that start with q for what is no language (only links, only hashtags).
func language(lang string) string {
	switch {
	case lang == "und", lang == "zxx", len(lang) == 3 && lang[0] == 'q':
		return ""
	case lang == "in":
		return "id"
	case lang == "iw":
		return "he"
	case lang == "ji":
		return "yi"
	default:
		return lang
	}
}

// rfc3339 reads a time as RFC 3339 writes it, without a zone as UTC; what
// cannot be read is the zero time: unknown.
func rfc3339(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// unixMilli is a time told in milliseconds since 1970; 0 and what RFC 3339
// cannot write is the zero time: unknown.
func unixMilli(ms int64) time.Time {
	if ms <= 0 || ms > maxTimeMS {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// first is the first string that is not empty.
func first(of ...string) string {
	for _, s := range of {
		if s != "" {
			return s
		}
	}
	return ""
}
