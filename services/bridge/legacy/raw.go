package legacy

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// blank is what stands around payloads.
const blank = " \t\r\n"

// Item is a message of twitter_raw that is an object.
type Item struct {
	// ID is the message's own, by the rules of Twitter's streams: a tweet's
	// id, del-<id> of a deletion, scrub-<user>-<id> of a scrubbed position,
	// else sha-<hash of the bytes>.
	ID string
	// Format is twitter-v1 where a name tells it, else empty: other programs
	// may have put other things on the channel.
	Format feed.Format
	// Data is the payload without the blanks around it.
	Data []byte
}

// ParseRaw reads one payload of twitter_raw; Data of the result shares its
// bytes. The error is a *decode.IgnoredError for what the old readers pass
// over (a blank, a JSON value that is no object), or a *decode.MalformedError.
func ParseRaw(payload []byte) (Item, error) {
	data := bytes.Trim(payload, blank)
	if len(data) == 0 {
		return Item{}, &decode.IgnoredError{What: "blank"}
	}
	if !utf8.Valid(data) {
		return Item{}, malformed(decode.ReasonUTF8, "not UTF-8")
	}
	if data[0] != '{' {
		return Item{}, checkValue(data)
	}
	it := Item{Data: data}
	if err := it.identify(); err != nil {
		return Item{}, malformed(decode.ReasonJSON, "%w", err)
	}
	return it, nil
}

// checkValue tells a sound value, to be passed over, from garbage.
func checkValue(data []byte) error {
	v := jsontext.Value(data)
	if !v.IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)) {
		return malformed(decode.ReasonJSON, "neither an object nor any other JSON value: %.20q", data)
	}
	names := map[jsontext.Kind]string{'"': "string", '[': "array", '0': "number", 'n': "null", 't': "true", 'f': "false"}
	return &decode.IgnoredError{What: names[v.Kind()]}
}

// identify reads the whole of it.Data, and sets ID and Format.
func (it *Item) identify() error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(it.Data), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	number := ""
	for dec.PeekKind() == '"' {
		if err := it.member(dec, &number); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("more text after the object")
	}
	if it.ID == "" {
		it.ID = number
	}
	if it.ID == "" {
		it.ID = hashed(it.Data)
	}
	return nil
}

// member reads one name and its value. number takes the digits of "id", which
// count only where there is no id_str.
func (it *Item) member(dec *jsontext.Decoder, number *string) error {
	name, err := dec.ReadToken()
	if err != nil {
		return err
	}
	read := reader(name.String())
	if read == nil && name.String() != "id" {
		return dec.SkipValue()
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if read == nil {
		*number = digits(value)
		return nil
	}
	it.Format = feed.FormatTwitterV1
	if it.ID == "" {
		it.ID = read(value)
	}
	return nil
}

// reader returns what makes an id of the value under a name, for the names
// that only Twitter's v1.1 streams have at their top level. A "" leaves the id
// to the others.
func reader(name string) func(jsontext.Value) string {
	switch name {
	case "id_str":
		return digits
	case "delete":
		return deletion
	case "scrub_geo":
		return scrub
	case "limit", "warning", "disconnect", "status_withheld", "user_withheld":
		return nothing
	default:
		return nil
	}
}

func nothing(jsontext.Value) string { return "" }
