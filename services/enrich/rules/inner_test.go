package rules

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestFieldsAreAllThere(t *testing.T) {
	all := fields()
	if len(all) != numFields {
		t.Errorf("there are %d fields, numFields is %d", len(all), numFields)
	}
	doc, err := os.ReadFile("../../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if !strings.Contains(string(doc), "| `post."+f.name+"` |") {
			t.Errorf("docs/rules.md does not tell post.%s", f.name)
		}
	}
	if n := strings.Count(string(doc), "| `post."); n < len(all) {
		t.Errorf("docs/rules.md tells %d fields, there are %d", n, len(all))
	}
}

// A name is found in the text of an object as a parser finds it.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"a":[2,"}"]},"c\"":"\\\"","d":null}`), "b")
	f.Add([]byte(`{ "a" : "x\\" , "b" : true }`), "b")
	f.Add([]byte(`{"a`), "a")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		value, ok := lookup(data, name)
		var all map[string]json.RawMessage
		if len(data) == 0 || data[0] != '{' || strings.ToValidUTF8(string(data), "") != string(data) || json.Unmarshal(data, &all) != nil {
			return // not sound: any answer will do
		}
		want, there := all[name]
		if strings.Count(string(data), `"`+name+`"`) > 1 || strings.Contains(string(data), `\`) {
			return // a name twice, or written in another way
		}
		if ok != there || ok && string(value) != string(want) {
			t.Errorf("%s: %s is %q (%v), want %q (%v)", data, name, value, ok, want, there)
		}
	})
}
