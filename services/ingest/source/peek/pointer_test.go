package peek

import (
	"strings"
	"testing"
)

func TestPointer(t *testing.T) {
	const data = ` {"id":"a","meta":{"id":7,"x/y":{"~":true}},"list":[{"id":"first"}, [1,2,"three"] ],"0":"zero"}`
	for pointer, want := range map[string]string{
		"/id": `"a"`, "/meta/id": "7", "/meta/x~1y/~0": "true", "/list/0/id": `"first"`,
		"/list/1/2": `"three"`, "/0": `"zero"`,
		"/list/2": "", "/list/id": "", "/nothing": "", "/id/more": "", "/": "",
	} {
		p, err := ParsePointer(pointer)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.In([]byte(data))); got != want {
			t.Errorf("%s names %q, want %q", pointer, got, want)
		}
	}
	for _, bad := range []string{"", "id", "meta/id"} {
		if _, err := ParsePointer(bad); err == nil {
			t.Errorf("pointer %q was taken", bad)
		}
	}
}

func TestElements(t *testing.T) {
	for data, c := range map[string]struct {
		want  string
		whole bool
	}{
		"[]": {"", true}, " [ 1 , {\"a\":[2,3]} ,\"x,]\"] ": {`1|{"a":[2,3]}|"x,]"`, true},
		"[1,2": {"1|2", false}, "[1,]": {"1", false}, "{}": {"", false}, "": {"", false}, "[": {"", false},
	} {
		var got []string
		whole := Elements([]byte(data), func(e []byte) bool { got = append(got, string(e)); return true })
		if strings.Join(got, "|") != c.want || whole != c.whole {
			t.Errorf("%q: elements %q, whole %v", data, got, whole)
		}
	}
}

func FuzzPointer(f *testing.F) {
	f.Add("/a/0/b", []byte(`{"a":[{"b":1}]}`))
	f.Add("/0", []byte(`[[1,2],3]`))
	f.Fuzz(func(t *testing.T, pointer string, data []byte) {
		p, err := ParsePointer(pointer)
		if err != nil {
			return
		}
		if found := p.In(data); len(found) > len(data) {
			t.Errorf("found more than there is: %q", found)
		}
	})
}
