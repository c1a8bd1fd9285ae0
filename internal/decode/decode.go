package decode

import (
	"bytes"

	"github.com/blipstream/blipstream/internal/feed"
)

const (
	// MaxSize is the longest item that is read, in bytes. It is what a NATS
	// server takes by default (max_payload), and some 60 times the longest
	// tweet known, so that longer ones are no tweets.
	MaxSize = 1 << 20
	// MaxDepth is how deep objects and arrays may be nested. A retweet of a
	// quote with media, the deepest known item, needs 11; Python, in which the
	// old line's readers are written, gives up near 1000.
	MaxDepth = 128
)

// decoder reads a sound JSON object of one format into rec, whose Source,
// Format and Received are set. Its errors are *MalformedError.
type decoder func(data []byte, rec *feed.Record) error

// decoderOf is the registry of formats.
func decoderOf(f feed.Format) (decoder, bool) {
	switch f {
	case feed.FormatTwitterV1:
		return twitterV1, true
	case feed.FormatXV2:
		return xV2, true
	case feed.FormatBluesky:
		return bluesky, true
	case feed.FormatMastodon:
		return mastodon, true
	case feed.FormatWikimedia:
		return wikimedia, true
	case feed.FormatUSGS:
		return usgs, true
	case feed.FormatEMSC:
		return emsc, true
	case feed.FormatPost:
		return post, true
	default:
		return nil, false
	}
}

// Decode reads an item's Data by its Format. The Record owns all it holds:
// Data may be used again. An error is a *MalformedError or an *IgnoredError.
func Decode(it feed.Item) (feed.Record, error) {
	if err := check(it.Data); err != nil {
		return feed.Record{}, err
	}
	format := it.Format
	if format == "" {
		f, err := recognise(it.Data)
		if err != nil {
			return feed.Record{}, err
		}
		format = f
	}
	decode, ok := decoderOf(format)
	if !ok {
		return feed.Record{}, malformed(ReasonUnsupported, "format %.40q is not supported yet", format)
	}
	rec := feed.Record{Source: it.Source, Format: format, Received: it.Received}
	if err := decode(it.Data, &rec); err != nil {
		return feed.Record{}, err
	}
	return rec, nil
}

// check finds what is wrong with data before it is looked at as an object of
// some format.
func check(data []byte) error {
	if len(data) > MaxSize {
		return malformed(ReasonSize, "%d bytes are more than %d", len(data), MaxSize)
	}
	text := bytes.TrimLeft(data, " \t\r\n")
	if len(text) == 0 {
		return &IgnoredError{What: "blank"}
	}
	if deeper(text, MaxDepth) {
		return malformed(ReasonDepth, "nested deeper than %d", MaxDepth)
	}
	if text[0] == '{' {
		return nil
	}
	return checkValue(text)
}

// deeper reports whether brackets in data are nested deeper than limit. It
// never says so of sound JSON that is not; of unsound text it may say either.
func deeper(data []byte, limit int) bool {
	// No text is nested deeper than it has opening brackets, which can be
	// counted many bytes at a time. Ordinary items end here.
	if bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte{'['}) <= limit {
		return false
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			i += quoted(data[i:])
		}
	}
	return false
}

// quoted is the offset of the last byte of the string that s starts with.
func quoted(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s) - 1
}
