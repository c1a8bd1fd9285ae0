package peek_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source/peek"
)

func TestField(t *testing.T) {
	const tweet = `{"created_at":"x\"}{","user":{"id_str":"1","a":[{"id_str":"2"}]}, "id" : 3 ,"id_str":"4","n":null}`
	for name, want := range map[string]string{"id_str": `"4"`, "id": "3", "created_at": `"x\"}{"`, "n": "null", "a": ""} {
		if got := string(peek.Field([]byte(tweet), name)); got != want {
			t.Errorf("Field(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	for in, want := range map[string]bool{
		`{}`: true, ` {"a"`: true, `{"a":}`: true, `{"a":"`: true, `[1]`: false, ``: false, `null`: false, `7`: false,
		strings.Repeat(`{"a":`, 1000): true,
	} {
		if got := peek.Object([]byte(in), func(_, _ []byte) bool { return true }); got != want {
			t.Errorf("Object(%.20q) = %v, want %v", in, got, want)
		}
	}
}

func TestDigits(t *testing.T) {
	for in, want := range map[string]string{
		`"123"`: "123", `123`: "123", `"18446744073709551615"`: "18446744073709551615",
		`""`: "", `"`: "", `-1`: "", `1.5`: "", `"1a"`: "", `null`: "", `"123456789012345678901"`: "",
	} {
		if got := peek.Digits([]byte(in)); got != want {
			t.Errorf("Digits(%s) = %q, want %q", in, got, want)
		}
	}
}

// TestID: what is no name is none, since items of one name are stored once.
func TestID(t *testing.T) {
	for in, want := range map[string]string{
		`"a-1"`: "a-1", `17`: "17", `01FBVD42CQ3Z`: "01FBVD42CQ3Z", `"null"`: "null",
		`null`: "", `true`: "", `false`: "", `""`: "", ``: "", `{"a":1}`: "", `[1]`: "", `"a b"`: "", `"\u0061"`: "", `"é"`: "",
		`"` + strings.Repeat("x", 129) + `"`: "",
	} {
		if got := peek.ID([]byte(in)); got != want {
			t.Errorf("ID(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestBalance(t *testing.T) {
	for in, want := range map[string]bool{
		`{}`: true, "[1,\"]\"]\r\n": true, ` {"a":"\"}"} `: true, "{\"a\":\"\n\"}": true,
		``: false, `{`: false, `7`: false, `{}{}`: false, `{} x`: false, `}{`: false, `{"a":"}`: false, `x{}`: false,
	} {
		var b peek.Balance
		for i := range len(in) {
			b.Feed([]byte{in[i]})
		}
		if b.Whole() != want {
			t.Errorf("Whole of %q = %v, want %v", in, !want, want)
		}
	}
}

// FuzzPeek: nothing makes it fail, and in valid JSON without repeated or
// escaped keys it finds what a decoder finds.
func FuzzPeek(f *testing.F) {
	f.Add([]byte(`{"id_str":"1","b":{"c":[1,2,"\\\""]},"d":-1e5}`))
	f.Add([]byte(`{"a":"`))
	f.Add([]byte("{\"a\"\n:\t[]}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var b peek.Balance
		b.Feed(in)
		var members map[string]json.RawMessage
		valid := json.Unmarshal(in, &members) == nil && members != nil
		if valid && !b.Whole() {
			t.Errorf("%q is an object, Balance says it is not whole", in)
		}
		seen := 0
		peek.Object(in, func(key, value []byte) bool {
			seen++
			if valid && !json.Valid(value) {
				t.Errorf("value of %q in %q is %q", key, in, value)
			}
			peek.Digits(value)
			return true
		})
		if valid && seen < len(members) {
			t.Errorf("%d members of %d seen in %q", seen, len(members), in)
		}
	})
}

func BenchmarkField(b *testing.B) {
	tweet := []byte(`{"created_at":"Wed Oct 10 20:19:24 +0000 2018","entities":{"a":"` + strings.Repeat("word ", 400) + `"},"id_str":"1050118621198921728"}`)
	b.SetBytes(int64(len(tweet)))
	for b.Loop() {
		if peek.Digits(peek.Field(tweet, "id_str")) == "" {
			b.Fatal("no id")
		}
	}
}
