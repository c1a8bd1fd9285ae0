package legacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// errDies is what ends the old enrich step.
var errDies = errors.New("dies")

// oldEnrich goes through a payload as the old enrich step does, and tells
// whether it survives. It is written from the list of what kills it and shares
// nothing with the code under test.
func oldEnrich(payload []byte) error {
	var v any
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	refused := dec.Decode(&v) != nil || dec.More()
	obj, ok := v.(map[string]any)
	if refused || !ok {
		return nil // passed over
	}
	if depth(v) >= 900 {
		return errDies
	}
	if user, has := obj["user"]; has {
		if _, ok := user.(map[string]any); !ok {
			return errDies
		}
	}
	return errors.Join(oldGeo(obj["geo"]), oldPlace(obj["place"]))
}

func oldGeo(v any) error {
	if !truth(v) {
		return nil
	}
	geo, ok := v.(map[string]any)
	if !ok {
		return errDies
	}
	kind, ok := geo["type"].(string)
	if !ok {
		return errDies
	}
	if strings.EqualFold(kind, "point") && !pair(geo["coordinates"]) {
		return errDies
	}
	return nil
}

func oldPlace(v any) error {
	for _, name := range []string{"bounding_box", "coordinates"} {
		if !truth(v) {
			return nil
		}
		obj, ok := v.(map[string]any)
		if !ok {
			return errDies
		}
		v = obj[name]
	}
	if !truth(v) {
		return nil
	}
	for range 2 {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return errDies
		}
		v = list[0]
	}
	if !pair(v) {
		return errDies
	}
	return nil
}

func pair(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 2
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		return strings.Trim(strings.SplitN(strings.ToLower(v.String()), "e", 2)[0], "-0.") != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	default:
		return true
	}
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			deepest = max(deepest, depth(item))
		}
	case map[string]any:
		for _, item := range v {
			deepest = max(deepest, depth(item))
		}
	default:
		return 0
	}
	return deepest + 1
}
