package sse

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// parse parses a query and a Last-Event-ID header.
func parse(query, header string) (Request, *Problem) {
	r := httptest.NewRequest(http.MethodGet, "/events", nil)
	r.URL.RawQuery = query
	if header != "" {
		r.Header.Set("Last-Event-ID", header)
	}
	return ParseRequest(r, noon)
}

func TestParseRequest(t *testing.T) {
	id := func(epoch string, seq uint64) *ID { return &ID{epoch, seq} }
	for _, tc := range []struct {
		query, header string
		want          Request
	}{
		{"", "", Request{}},
		{"kind=geo_blip,simple_tweet&kind=geo_blip", "", Request{Kinds: []string{"geo_blip", "simple_tweet"}}},
		{"stream=simple_tweet&kind=geo_blip", "", Request{Kinds: []string{"geo_blip", "simple_tweet"}}},
		{"since=10m", "", Request{Since: noon.Add(-10 * time.Minute)}},
		{"since=2026-11-23T10:00:00%2B01:00", "", Request{Since: noon.Add(-3 * time.Hour)}},
		{"lastEventId=abc1-42", "", Request{Resume: id("abc1", 42)}},
		{"lastEventId=abc1-42", "abc1-50", Request{Resume: id("abc1", 50)}},
		{"", "1003", Request{Resume: id("", 0)}},
		{"source=a&q=Rain", "", Request{Filter: filter.Filter{Sources: []string{"a"}, Words: []string{"rain"}}}},
		{"rate=5&bbox=170,-20,-170,20", "", Request{Rate: 5, Filter: filter.Filter{Box: &filter.Box{West: 170, South: -20, East: -170, North: 20}}}},
		{"since=1m&speed=2.5", "", Request{Since: noon.Add(-time.Minute), Speed: 2.5}},
		{"run=r1&speed=100", "", Request{Run: "r1", Speed: 100}},
	} {
		got, problem := parse(tc.query, tc.header)
		if problem != nil {
			t.Errorf("%q: %v", tc.query, problem)
			continue
		}
		same := got.Since.Equal(tc.want.Since)
		got.Since, tc.want.Since = time.Time{}, time.Time{}
		if !same || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q, %q: got %+v, want %+v", tc.query, tc.header, got, tc.want)
		}
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	for query, name := range map[string]string{
		"kind=Bad":                           "kind",
		"kind=":                              "kind",
		"kind=error":                         "kind",
		"stream=a%20b":                       "stream",
		"since=yesterday":                    "since",
		"since=-5m":                          "since",
		"since=9000h&since=1h":               "since",
		"since=1999-01-01T00:00:00Z":         "since",
		"lastEventId=7":                      "lastEventId",
		"lastEventId=e-":                     "lastEventId",
		"lastEventId=e-18446744073709551615": "lastEventId",
		"lastEventId=E-1":                    "lastEventId",
		"colour=red":                         "colour",
		"source=":                            "source",
		"lang=x":                             "lang",
		"country=FIN":                        "country",
		"q=":                                 "q",
		"bbox=0,0,1":                         "bbox",
		"rate=0":                             "rate",
		"rate=1.5":                           "rate",
		"rate=10001":                         "rate",
		"since=1m&speed=0.5":                 "speed",
		"since=1m&speed=101":                 "speed",
		"since=1m&speed=NaN":                 "speed",
		"speed=2":                            "speed",
		"run=a.b":                            "run",
		"run=":                               "run",
		"run=a&since=1m":                     "since",
		"rate=1&rate=2":                      "rate",
		"%zz":                                "",
		"a;b":                                "",
	} {
		_, p := parse(query, "")
		if p == nil || p.Status != http.StatusBadRequest || p.Parameter != name {
			t.Errorf("%q: got %+v", query, p)
		}
	}
}

// FuzzParseRequest: no query and no header stops the parser, and what it lets
// through is in form.
func FuzzParseRequest(f *testing.F) {
	f.Add("kind=geo_blip&since=5m", "e-1")
	f.Add("lastEventId=e-18446744073709551614&stream=x,y", "")
	f.Add("since=2026-11-23T12:00:00Z&kind=%00", "-")
	f.Add("source=a,b&lang=en&country=FI&q=x+y&bbox=170,-10,-170,10&rate=9", "")
	f.Add("run=r&speed=1e1", "")
	f.Fuzz(func(t *testing.T, query, header string) {
		r := &http.Request{Header: http.Header{"Last-Event-Id": {header}}, URL: &url.URL{RawQuery: query}}
		req, problem := ParseRequest(r, noon)
		if problem != nil {
			if problem.Status != http.StatusBadRequest {
				t.Fatalf("status %d", problem.Status)
			}
			return
		}
		for _, kind := range req.Kinds {
			if !feed.Kind(kind).Valid() {
				t.Fatalf("kind %q let through", kind)
			}
		}
		if req.Rate < 0 || req.Rate > maxRate || req.Speed != 0 && !(req.Speed >= minSpeed && req.Speed <= maxSpeed) {
			t.Fatalf("rate %d, speed %v let through", req.Rate, req.Speed)
		}
		if req.Resume != nil && *req.Resume != (ID{}) {
			if again, err := ParseID(req.Resume.String()); err != nil || again != *req.Resume {
				t.Fatalf("id %v does not come back", req.Resume)
			}
		}
		if !req.Since.IsZero() && noon.Sub(req.Since) > maxSince {
			t.Fatalf("since %v let through", req.Since)
		}
	})
}

// FuzzParseID: an id that is read is written the same, but for leading zeros.
func FuzzParseID(f *testing.F) {
	f.Add("dwx1h2k3-123456")
	f.Add("--1")
	f.Add("e-00")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		if err != nil || again != id || len(id.String()) > len(s) {
			t.Fatalf("%q became %v, then %v, %v", s, id, again, err)
		}
	})
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"identity": false, "*": false, "br, GZIP;Q=0.1": true, "xgzip": false,
	} {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
