package twitter_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/twitter"
	"github.com/blipstream/blipstream/services/ingest/sourcetest"
)

// messages is what the test's upstream sends: tweets, one with a bare line
// break, a deletion, a scrub, and what no decoder will take.
func messages() (out [][]byte) {
	for i := range 40 {
		out = append(out, fmt.Appendf(nil, `{"created_at":"x","id":%d,"id_str":"%d","text":"tweet %d"}`, 1000+i, 1000+i, i))
	}
	return append(out,
		[]byte("{\"id_str\":\"2000\",\n\"text\":\"a\nb\"}"),
		[]byte(`{"delete":{"status":{"id":1,"id_str":"1000","user_id_str":"3"}}}`),
		[]byte(`{"scrub_geo":{"user_id_str":"3","up_to_status_id_str":"1001"}}`),
		[]byte(`null`), []byte(`[1]`), []byte(`{"user":null}`), []byte("{\"a\":\"\xff\"}"), []byte(`{"trunc`),
		[]byte(strings.Repeat(`{"a":`, 1000)), []byte(`{"id_str":"3000"}`),
	)
}

// upstream serves messages to every connection, then keeps it open.
func upstream(t *testing.T, write func(w io.Writer, message []byte), gz bool) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a server sees a client leave only once it has read the request
		out, flush := io.Writer(w), func() error { return nil }
		if gz {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			out, flush = z, z.Flush
		}
		for _, m := range messages() {
			write(out, m)
		}
		_ = flush()
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	return srv
}

// open makes a source that reads srv at path.
func open(tb testing.TB, server, path, secret string, obs source.Observer) source.Source {
	tb.Helper()
	u, err := url.Parse("twitter+" + server + path)
	if err != nil {
		tb.Fatal(err)
	}
	src, err := twitter.Open(source.Config{Name: "tw", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler), Observer: obs})
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

func TestConformance(t *testing.T) {
	crlf := func(w io.Writer, m []byte) { fmt.Fprintf(w, "%s\r\n\r\n", m) }
	delimited := func(w io.Writer, m []byte) {
		_, _ = io.WriteString(w, strconv.Itoa(len(m)+2)+"\r\n"+string(m)+"\r\n\n")
	}
	for name, c := range map[string]struct {
		write func(io.Writer, []byte)
		gz    bool
		path  string
	}{
		"auto":      {crlf, false, "/1.1/statuses/sample.json"},
		"crlf":      {crlf, false, "/1.1/statuses/filter.json?track=x&framing=crlf"},
		"gzip":      {crlf, true, "/"},
		"delimited": {delimited, false, "/?delimited=length"},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Upstream {
				t.Helper()
				srv := upstream(t, c.write, c.gz)
				return sourcetest.Upstream{
					Name: "tw", Want: messages(),
					Open: func(t *testing.T) source.Source { t.Helper(); return open(t, srv.URL, c.path, "", nil) },
				}
			})
		})
	}
}
