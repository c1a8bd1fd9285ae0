package decode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
)

// read decodes text without saying its format.
func read(text string) (feed.Record, error) {
	return decode.Decode(feed.Item{Source: "test", Data: []byte(text)})
}

// reasonOf is why err says an item is malformed; "" if it does not.
func reasonOf(err error) decode.Reason {
	if bad, ok := errors.AsType[*decode.MalformedError](err); ok {
		return bad.Reason
	}
	return ""
}

func TestMalformed(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	for name, c := range map[string]struct {
		text string
		want decode.Reason
	}{
		"cut short":                {`{"id_str":"1","text":"x"`, decode.ReasonJSON},
		"cut in a string":          {`{"id_str":"1","text":"x`, decode.ReasonJSON},
		"trailing garbage":         {`{"id_str":"1","text":"x"}}`, decode.ReasonJSON},
		"two objects":              {`{"id_str":"1","text":"x"} {"id_str":"2"}`, decode.ReasonJSON},
		"no JSON":                  {`not json`, decode.ReasonJSON},
		"nearly null":              {`nul`, decode.ReasonJSON},
		"open array":               {`[1,2`, decode.ReasonJSON},
		"integer and more":         {`2834 {"id_str":"1"}`, decode.ReasonJSON},
		"NaN":                      {`{"id_str":"1","text":"x","n":NaN}`, decode.ReasonJSON},
		"single quotes":            {`{'text':'x'}`, decode.ReasonJSON},
		"name twice":               {`{"id_str":"1","text":"x","text":"y"}`, decode.ReasonJSON},
		"name twice, unread":       {`{"id_str":"1","text":"x","z":{"a":1,"a":2}}`, decode.ReasonJSON},
		"byte order mark":          {"\ufeff" + `{"id_str":"1","text":"x"}`, decode.ReasonJSON},
		"raw newline":              {"{\"id_str\":\"1\",\"text\":\"a\nb\"}", decode.ReasonJSON},
		"invalid UTF-8":            {"{\"id_str\":\"1\",\"text\":\"\xff\xfe\"}", decode.ReasonUTF8},
		"invalid, unread":          {"{\"id_str\":\"1\",\"text\":\"x\",\"z\":\"\xc3\"}", decode.ReasonUTF8},
		"invalid string":           {"\"\xff\"", decode.ReasonUTF8},
		"1,000 levels":             {deep, decode.ReasonDepth},
		"1,000 arrays":             {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), decode.ReasonDepth},
		"deep and unread":          {`{"id_str":"1","text":"x","z":` + deep + `}`, decode.ReasonDepth},
		"5 MB":                     {`{"id_str":"1","text":"` + strings.Repeat("x", 5<<20) + `"}`, decode.ReasonSize},
		"5 MB of blanks":           {strings.Repeat(" ", 5<<20), decode.ReasonSize},
		"unknown object":           {`{"hello":"world"}`, decode.ReasonShape},
		"empty object":             {`{}`, decode.ReasonShape},
		"mastodon without content": {`{"id":"1","uri":"https://a/1","account":{}}`, decode.ReasonShape},
		"mastodon, empty event":    {`{"event":"update","payload":""}`, decode.ReasonShape},
		"mastodon, bad payload":    {`{"event":"update","payload":"{"}`, decode.ReasonJSON},
		"mastodon, no id deleted":  {`{"event":"delete","payload":"a b"}`, decode.ReasonShape},
		"usgs without anything":    {`{"type":"Feature","id":"a","properties":{},"geometry":{}}`, decode.ReasonShape},
		"usgs, nothing deleted":    {`{"type":"Feature","properties":{"status":"deleted"},"geometry":{}}`, decode.ReasonShape},
		"emsc without anything":    {`{"action":"create","data":{}}`, decode.ReasonShape},
		"wikimedia of no wiki":     {`{"meta":{"id":"1"},"wiki":""}`, decode.ReasonShape},
		"post without id removed":  {`{"removed":true}`, decode.ReasonShape},
		"post with nothing in it":  {`{"lat":"x","lon":5}`, decode.ReasonShape},
		"delete without id":        {`{"delete":{"status":{}}}`, decode.ReasonShape},
		"delete of a number":       {`{"delete":5}`, decode.ReasonShape},
		"scrub without end":        {`{"scrub_geo":{"user_id_str":"1"}}`, decode.ReasonShape},
		"scrub up to a word":       {`{"scrub_geo":{"user_id_str":"1","up_to_status_id_str":"x"}}`, decode.ReasonShape},
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := read(c.text)
			if got := reasonOf(err); got != c.want {
				t.Errorf("reason %q (%v, %+v), want %q", got, err, rec, c.want)
			}
		})
	}
}

func TestFormatNobodyKnows(t *testing.T) {
	_, err := decode.Decode(feed.Item{Format: "gopher", Data: []byte(`{"text":"x"}`)})
	for _, f := range feed.Formats() {
		if _, err := decode.Decode(feed.Item{Format: f, Data: []byte("{}")}); reasonOf(err) == decode.ReasonUnsupported {
			t.Errorf("format %s has no decoder", f)
		}
	}
	if reasonOf(err) != decode.ReasonUnsupported || !strings.Contains(err.Error(), `format "gopher" is not supported yet`) {
		t.Errorf("error %v", err)
	}
	_, err = decode.Decode(feed.Item{Format: feed.FormatTwitterV1, Data: []byte(`{"hello":"world"}`)})
	if reasonOf(err) != decode.ReasonShape {
		t.Errorf("an object that is no tweet: error %v", err)
	}
}

func TestIgnored(t *testing.T) {
	for text, want := range map[string]string{
		"": "blank", "\r": "blank", " \r\n\t": "blank",
		"2834\r": "number", "-1.5e3": "number",
		"null": "null", "true": "true", " false\n": "false",
		`"just a string"`: "string", `"\ud800"`: "string",
		`[1, {"text":"x"}]`: "array", "[]": "array",
	} {
		_, err := read(text)
		var ignored *decode.IgnoredError
		if !errors.As(err, &ignored) || ignored.What != want {
			t.Errorf("%q: error %v, want it ignored as %s", text, err, want)
		}
	}
}

// The bound counts levels, not brackets, and none within strings.
func TestDepthCountsLevels(t *testing.T) {
	nested := func(levels int) string {
		return `{"id_str":"1","text":"x","z":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	for name, c := range map[string]struct {
		text string
		want decode.Reason
	}{
		"at the bound":       {nested(decode.MaxDepth), ""},
		"one deeper":         {nested(decode.MaxDepth + 1), decode.ReasonDepth},
		"side by side":       {`{"id_str":"1","text":"x","z":[` + strings.Repeat("[],", 500) + `[]]}`, ""},
		"in a string":        {`{"id_str":"1","text":"` + strings.Repeat("[{", 500) + `"}`, ""},
		"behind a quote":     {`{"id_str":"1","text":"\"` + strings.Repeat("[{", 500) + `"}`, ""},
		"behind a backslash": {`{"id_str":"1","text":"\\","z":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, decode.ReasonDepth},
	} {
		_, err := read(c.text)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: reason %q (%v), want %q", name, got, err, c.want)
		}
	}
}

// seeds are texts that lead a fuzzer to all parts of the decoders.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "\r", "2834", "null", `"x"`, "[1]", "{}", `{"a":`, "{\"a\":\"\xff\"}",
		plainTweet, oddTweet, pointTweet, retweet,
		`{"delete":{"status":{"id":1,"user_id":2},"timestamp_ms":"1432228155593"}}`,
		`{"scrub_geo":{"user_id":1,"up_to_status_id":2}}`,
		`{"limit":{"track":1234}}`, `{"warning":{"code":"FALLING_BEHIND"}}`,
		`{"status_withheld":{"id":1,"user_id":2,"withheld_in_countries":["XX"]}}`,
		`{"data":{"id":"1"}}`, `{"did":"a","kind":"b"}`, `{"text":"\ud83d"}`,
	} {
		f.Add([]byte(s))
	}
}

func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decode.Decode(feed.Item{Source: "fuzz", Data: data})
		var ignored *decode.IgnoredError
		switch {
		case err == nil:
			checkSound(t, data)
			checkRecord(t, &rec)
		case errors.As(err, &ignored):
			if len(bytes.TrimSpace(data)) > 0 {
				checkSound(t, data)
			}
		case reasonOf(err) == "":
			t.Errorf("error %v is of neither sort", err)
		}
	})
}

// FuzzTwitterV1 goes past the recognition of formats.
func FuzzTwitterV1(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decode.Decode(feed.Item{Source: "fuzz", Format: feed.FormatTwitterV1, Data: data})
		if err != nil {
			return
		}
		checkSound(t, data)
		checkRecord(t, &rec)
		var other struct {
			ID any `json:"id_str"`
		}
		if json.Unmarshal(data, &other) != nil || rec.Change != feed.ChangePost {
			return
		}
		if id, ok := other.ID.(string); ok && rec.ID != "" && rec.ID != id && strings.Contains(string(data), `"id_str":"`+rec.ID) {
			t.Errorf("id %q, want %q", rec.ID, id)
		}
	})
}

// checkSound fails for data that no strict reader would take.
func checkSound(t *testing.T, data []byte) {
	t.Helper()
	if !json.Valid(data) || !utf8.Valid(data) {
		t.Errorf("took %q", data)
	}
}

// checkRecord fails for what no record may hold.
func checkRecord(t *testing.T, rec *feed.Record) {
	t.Helper()
	for _, s := range append(rec.Upstream.Texts, rec.Upstream.Author.Name, rec.Upstream.Author.Username, rec.Lang) {
		if !utf8.ValidString(s) {
			t.Errorf("string %q is not UTF-8", s)
		}
	}
	for _, id := range []string{rec.ID, rec.UpToID, rec.Upstream.Author.ID} {
		if strings.ContainsAny(id, " \r\n\x00") || len(id) > 300 {
			t.Errorf("id %q is unfit for a header", id)
		}
	}
	if y := rec.Time.Year(); y < 1 || y > 9999 {
		t.Errorf("time %v has no RFC 3339 form", rec.Time)
	}
	switch rec.Change {
	case feed.ChangeRemovePost, feed.ChangeRemoveGeo:
		if rec.ID == "" {
			t.Error("a removal of nothing")
		}
	case feed.ChangeNotice:
		if rec.Notice == "" {
			t.Error("a notice without a name")
		}
	case feed.ChangePost:
	}
}
