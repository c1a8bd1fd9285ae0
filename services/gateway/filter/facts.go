package filter

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/feed"
)

// Facts are what an event says about itself. The slices point into the payload
// they were read from, unless they held escapes.
type Facts struct {
	// ID, Source and UserID name the post and its author; UpToID is the last
	// post of a geo_removed.
	ID, Source, UserID, UpToID []byte
	// Lang is BCP 47, Country ISO 3166-1 alpha-2, Type the sort of post.
	Lang, Country, Type []byte
	// Precision is how the position was known.
	Precision []byte
	// Body, Username and Name are what words are looked for in.
	Body, Username, Name []byte
	// Lat and Lon are degrees, and RadiusKm kilometres; only if Placed.
	Lat, Lon, RadiusKm float64
	// Magnitude is an earthquake's; only if Quake.
	Magnitude float64
	// Placed says that the event has a position on Earth.
	Placed bool
	// Quake says that the event tells a magnitude.
	Quake bool
	// Simulated says that a simulator made it up.
	Simulated bool

	// text is what words are looked for in, lower case; made when needed.
	text string
}

// Read reads the facts of a payload, one flat JSON object. Of what is no such
// object it knows nothing, and reports false.
func (f *Facts) Read(payload []byte) bool {
	*f = Facts{}
	lat, lon := unknown, unknown
	s := scanner{rest: payload}
	ok := s.object(func(name, value []byte) {
		switch string(name) {
		case "lat":
			lat = number(value)
		case "lon":
			lon = number(value)
		case "radiusKm":
			f.RadiusKm = max(0, number(value))
		case "magnitude":
			f.Magnitude = number(value)
			f.Quake = f.Magnitude != unknown
		case "simulated":
			f.Simulated = string(value) == "true"
		default:
			if field := f.field(name); field != nil {
				*field = text(value)
			}
		}
	})
	if !ok {
		*f = Facts{}
		return false
	}
	if f.Placed = lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180; f.Placed {
		f.Lat, f.Lon = lat, lon
	}
	return true
}

// unknown is a coordinate that is none.
const unknown = -1000.0

// field is where a text of that name belongs; nil if nobody asks for it.
func (f *Facts) field(name []byte) *[]byte {
	switch string(name) {
	case "id":
		return &f.ID
	case "source":
		return &f.Source
	case "userId":
		return &f.UserID
	case "upToId":
		return &f.UpToID
	case "lang":
		return &f.Lang
	case "country":
		return &f.Country
	case "type":
		return &f.Type
	case "precision":
		return &f.Precision
	case "body":
		return &f.Body
	case "username":
		return &f.Username
	case "name":
		return &f.Name
	default:
		return nil
	}
}

// words returns the text that words are looked for in.
func (f *Facts) words() string {
	if f.text == "" {
		f.text = strings.ToLower(string(f.Body) + " @" + string(f.Username) + " " + string(f.Name))
	}
	return f.text
}

// number is the value of a JSON number; unknown for anything else.
func number(value []byte) float64 {
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil || n != n {
		return unknown
	}
	return n
}

// text is the text of a JSON string, or a JSON number as it is written. What is
// no UTF-8 in it is replaced, as browsers do: it becomes a name in messages that
// must be UTF-8, and one event would cost all of them.
func text(value []byte) []byte {
	if len(value) == 0 || value[0] != '"' {
		if len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9') {
			return value
		}
		return nil
	}
	plain := value[1 : len(value)-1]
	for _, c := range plain {
		if c == '\\' {
			var s string
			if json.Unmarshal(value, &s) != nil {
				return nil
			}
			return []byte(s)
		}
	}
	if !utf8.Valid(plain) {
		return bytes.ToValidUTF8(plain, []byte(string(utf8.RuneError)))
	}
	return plain
}

// Removal reports whether events of kind say that something must disappear.
func Removal(kind string) bool {
	return kind == string(feed.KindPostRemoved) || kind == string(feed.KindGeoRemoved)
}
