package simulate

import (
	"bytes"
	"strings"
)

// Malformed names a sort of item that breaks what the API promises.
type Malformed string

// The sorts of malformed items.
const (
	Blank       Malformed = "blank"        // spaces alone
	Integer     Malformed = "integer"      // a number, as a length line read as an item
	Null        Malformed = "null"         // JSON null
	Array       Malformed = "array"        // a JSON array
	String      Malformed = "string"       // a JSON string
	NotJSON     Malformed = "not-json"     // an HTML error page
	Truncated   Malformed = "truncated"    // the first half of a post
	Trailing    Malformed = "trailing"     // a post and something behind it
	Deep        Malformed = "deep"         // arrays in arrays, 1,000 levels
	InvalidUTF8 Malformed = "invalid-utf8" // bytes that are no UTF-8 in the text
	NoID        Malformed = "no-id"        // a post without id
	UserNull    Malformed = "user-null"    // a post with a null user
	UserString  Malformed = "user-string"  // a post whose user is a string
	TextNumber  Malformed = "text-number"  // a post whose text is a number
	GeoNoType   Malformed = "geo-no-type"  // geo whose type is null
	GeoString   Malformed = "geo-string"   // geo that is a string
	GeoShort    Malformed = "geo-short"    // a point of one number
	GeoRange    Malformed = "geo-range"    // a point at 95 degrees north
	GeoInfinite Malformed = "geo-infinite" // a point with a number beyond float64
	GeoWords    Malformed = "geo-words"    // a point of strings
	PlaceString Malformed = "place-string" // a place that is a string
	BoxEmpty    Malformed = "box-empty"    // a bounding box without corners
	Huge        Malformed = "huge"         // a post of 5 MB
)

// HugeSize is how long the text of a Huge item is, in bytes.
const HugeSize = 5 << 20

// deepLevels is how many arrays a Deep item has in one another.
const deepLevels = 1000

// MalformedSorts lists all sorts; Huge is the last.
func MalformedSorts() []Malformed {
	return []Malformed{
		Blank, Integer, Null, Array, String, NotJSON, Truncated, Trailing, Deep, InvalidUTF8, NoID,
		UserNull, UserString, TextNumber, GeoNoType, GeoString, GeoShort, GeoRange, GeoInfinite,
		GeoWords, PlaceString, BoxEmpty, Huge,
	}
}

// AppendMalformed appends a malformed item of a sort with the id of item n. It
// never holds an end of line.
func (w *World) AppendMalformed(b []byte, sort Malformed, n uint64) []byte {
	if whole, ok := wholes()[sort]; ok {
		return append(b, whole...)
	}
	good := w.plain(n)
	switch sort {
	case Truncated:
		return append(b, good[:len(good)/2]...)
	case Trailing:
		return append(append(b, good...), `{"id":`...)
	case Deep:
		return append(b, replaced(good, `"geo":null`, `"geo":`+strings.Repeat("[", deepLevels)+strings.Repeat("]", deepLevels))...)
	case Huge:
		return append(b, replaced(good, `"text":"`, `"text":"`+strings.Repeat("blip ", HugeSize/5))...)
	default:
		part := parts()[sort]
		return append(b, replaced(good, part[0], part[1])...)
	}
}

// wholes are the malformed items that are no post at all.
func wholes() map[Malformed]string {
	return map[Malformed]string{
		Blank: "   ", Integer: "2834", Null: "null", Array: `[{"id":1},{"id":2}]`, String: `"a string"`,
		NotJSON: "<html><body>502 Bad Gateway</body></html>",
	}
}

// parts say for the other sorts which field of a plain post becomes what.
func parts() map[Malformed][2]string {
	const geo, box = `"geo":null,"coordinates":null`, `"place":null`
	return map[Malformed][2]string{
		InvalidUTF8: {`"text":"`, `"text":"` + "\xff\xfe\xc3("},
		NoID:        {`"id":`, `"unid":`},
		UserNull:    {`"user":{`, `"user":null,"was":{`},
		UserString:  {`"user":{`, `"user":"somebody","was":{`},
		TextNumber:  {`"text":"`, `"text":7,"was":"`},
		GeoNoType:   {geo, `"geo":{"type":null,"coordinates":[1.5,2.5]},"coordinates":null`},
		GeoString:   {geo, `"geo":"here","coordinates":null`},
		GeoShort:    {geo, `"geo":{"type":"Point","coordinates":[1.5]},"coordinates":null`},
		GeoRange:    {geo, `"geo":{"type":"Point","coordinates":[95.0,190.0]},"coordinates":null`},
		GeoInfinite: {geo, `"geo":null,"coordinates":{"type":"Point","coordinates":[1e999,2.5]}`},
		GeoWords:    {geo, `"geo":{"type":"Point","coordinates":["1.5","2.5"]},"coordinates":null`},
		PlaceString: {box, `"place":"somewhere"`},
		BoxEmpty:    {box, `"place":{"id":"0","bounding_box":{"type":"Polygon","coordinates":[[]]}}`},
	}
}

// plain is item n as a post with neither position nor relations, on which one
// field can be changed by its name.
func (w *World) plain(n uint64) []byte {
	p := w.post(n, w.Time(n))
	p.point, p.place, p.reply, p.quote, p.repost = nil, nil, nil, nil, nil
	e := encoder{}
	e.status(p)
	return e.b
}

// replaced changes the first field that reads old. The texts of this world
// cannot hold old: in them quotes are escaped.
func replaced(good []byte, old, with string) []byte {
	return bytes.Replace(good, []byte(old), []byte(with), 1)
}
