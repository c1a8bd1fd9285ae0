package legacy

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// truthy is what Python's `if value:` says of a value that was decoded from v;
// an absent one is false.
func truthy(v jsontext.Value) bool {
	if len(v) == 0 {
		return false
	}
	switch v.Kind() {
	case 'n', 'f':
		return false
	case '"':
		return string(v) != `""`
	case '0':
		mantissa, _, _ := strings.Cut(strings.ToLower(string(v)), "e")
		return strings.Trim(mantissa, "-0.") != ""
	case '[', '{':
		inner := v[1 : len(v)-1]
		return strings.Trim(string(inner), blank) != ""
	default:
		return true
	}
}

// lenient reads strings that hold half a surrogate pair.
func lenient() jsontext.Options { return jsontext.AllowInvalidUTF8(true) }

// checkGeo refuses a geo that the old enrich step cannot take apart.
func checkGeo(v jsontext.Value) error {
	var geo struct {
		Type        jsontext.Value `json:"type"`
		Coordinates jsontext.Value `json:"coordinates"`
	}
	if json.Unmarshal(v, &geo, lenient()) != nil {
		return unsafe("geo", "geo is no object: %.20s", v)
	}
	var kind string
	if len(geo.Type) == 0 || geo.Type.Kind() != '"' || json.Unmarshal(geo.Type, &kind, lenient()) != nil {
		return unsafe("geo", "geo has no type: %.40s", v)
	}
	if strings.EqualFold(kind, "point") && items(geo.Coordinates) != 2 {
		return unsafe("geo", "geo has not two coordinates: %.40s", v)
	}
	return nil
}

// checkPlace refuses a place whose bounding box it cannot take apart.
func checkPlace(v jsontext.Value) error {
	var place struct {
		Box jsontext.Value `json:"bounding_box"`
	}
	if json.Unmarshal(v, &place, lenient()) != nil {
		return unsafe("place", "place is no object: %.20s", v)
	}
	if !truthy(place.Box) {
		return nil
	}
	var box struct {
		Coordinates jsontext.Value `json:"coordinates"`
	}
	if json.Unmarshal(place.Box, &box, lenient()) != nil {
		return unsafe("place", "bounding_box is no object: %.20s", place.Box)
	}
	if truthy(box.Coordinates) && items(first(first(box.Coordinates))) != 2 {
		return unsafe("place", "bounding_box has no first corner: %.40s", box.Coordinates)
	}
	return nil
}

// items is how many items the array v has; -1 if it is none.
func items(v jsontext.Value) int {
	var list []jsontext.Value
	if len(v) == 0 || v.Kind() != '[' || json.Unmarshal(v, &list, lenient()) != nil {
		return -1
	}
	return len(list)
}

// first is the first item of the array v; nil if there is none.
func first(v jsontext.Value) jsontext.Value {
	var list []jsontext.Value
	if len(v) == 0 || v.Kind() != '[' || json.Unmarshal(v, &list, lenient()) != nil || len(list) == 0 {
		return nil
	}
	return list[0]
}
