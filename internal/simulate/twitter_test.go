package simulate_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/simulate"
)

const filter = "/1.1/statuses/filter.json"

// serve starts a server on a real port.
func serve(t *testing.T, o simulate.Options) (*simulate.Twitter, string) {
	t.Helper()
	if o.World == nil {
		o.World = newWorld(t, simulate.DefaultWorld(1))
	}
	tw, err := simulate.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(tw)
	t.Cleanup(func() { tw.Close(); srv.Close() })
	return tw, srv.URL
}

// request makes a request that the test's end cuts off.
func request(t *testing.T, address string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// response is a stream that the test's end closes.
type response struct {
	status int
	header http.Header
	body   io.Reader
}

// connect reads a stream, uncompressed if the headers do not say otherwise.
func connect(t *testing.T, address string, header ...string) response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Do(request(t, address, header...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return response{resp.StatusCode, resp.Header, resp.Body}
}

// frames reads n messages that end in \r\n, keep-alives left out.
func frames(t *testing.T, r io.Reader, n int) (out []string) {
	t.Helper()
	in := bufio.NewReader(r)
	for len(out) < n {
		f, err := frame(in)
		if err != nil {
			t.Fatalf("after %d messages of %d: %v", len(out), n, err)
		}
		out = append(out, f)
	}
	return out
}

func frame(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return b.String(), err
		}
		if text, ends := strings.CutSuffix(b.String(), "\r\n"); ends {
			if text != "" {
				return text, nil
			}
			b.Reset()
		}
	}
}

// wantItems checks that messages are the world's items from one on.
func wantItems(t *testing.T, w *simulate.World, got []string, from uint64) {
	t.Helper()
	for i, f := range got {
		if want := string(w.Append(nil, from+uint64(i))); f != want {
			t.Fatalf("message %d is %.120q, want item %d: %.120q", i, f, from+uint64(i), want)
		}
	}
}

func TestFraming(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 100})
	wantItems(t, tw.World(), frames(t, connect(t, base+filter).body, 100), 0)
}

func TestNewlinesWithinMessages(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 10, Newlines: true})
	for n, f := range frames(t, connect(t, base+filter).body, 10) {
		if !strings.HasPrefix(f, "{\n") || !json.Valid([]byte(f)) {
			t.Fatalf("message %d has no bare line break: %.40q", n, f)
		}
		if want := string(tw.World().Append(nil, uint64(n))); strings.Replace(f, "\n", "", 1) != want {
			t.Fatalf("message %d differs by more than the line break", n)
		}
	}
}

func TestDelimited(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 50, Newlines: true})
	in := bufio.NewReader(connect(t, base+filter+"?delimited=length").body)
	for n := range uint64(50) {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("length of message %d is %q", n, line)
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(in, message); err != nil {
			t.Fatal(err)
		}
		want := append([]byte("{\n"), tw.World().Append(nil, n)[1:]...)
		if !bytes.Equal(message, append(want, "\r\n"...)) {
			t.Fatalf("message %d: %.60q", n, message)
		}
	}
}

func TestGzip(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 30})
	resp := connect(t, base+filter+"?fault=eof&after=20", "Accept-Encoding", "gzip")
	if resp.header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	zip, err := gzip.NewReader(resp.body)
	if err != nil {
		t.Fatal(err)
	}
	wantItems(t, tw.World(), frames(t, zip, 20), 0)
	if rest, err := io.ReadAll(zip); err != nil || len(rest) != 0 {
		t.Errorf("after the last message: %d bytes, %v", len(rest), err)
	}
}

// TestCutCompressed: a broken compressed stream has no proper end either.
func TestCutCompressed(t *testing.T) {
	_, base := serve(t, simulate.Options{Items: 30})
	zip, err := gzip.NewReader(connect(t, base+filter+"?fault=cut&after=3", "Accept-Encoding", "gzip").body)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(zip); err == nil || len(rest) == 0 {
		t.Errorf("%d bytes, and the stream ends as if nothing had happened: %v", len(rest), err)
	}
}

func TestFrom(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 1000})
	wantItems(t, tw.World(), frames(t, connect(t, base+filter+"?from=900").body, 100), 900)
}

func TestCredentials(t *testing.T) {
	_, base := serve(t, simulate.Options{Items: 1, Secrets: []string{"bearer:abc", "basic:me:my:word"}})
	basic := http.Header{}
	r := http.Request{Header: basic}
	r.SetBasicAuth("me", "my:word")
	for auth, want := range map[string]int{
		"": 401, "Bearer abd": 401, "Bearer ": 401, "Bearer abc": 200, basic.Get("Authorization"): 200,
	} {
		if resp := connect(t, base+filter, "Authorization", auth); resp.status != want {
			t.Errorf("Authorization %q: %d, want %d", auth, resp.status, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 1})
	for path, want := range map[string]int{
		"/": 404, "/1.1/statuses/other.json": 404, filter + "?from=x": 406, filter + "?fault=x": 406,
		filter + "?fault=eof&after=-1": 406, filter + "?fault=status&status=200": 406,
		filter + "?fault=status&status=503": 503, filter + "?fault=status&status=420&reset=1m": 420,
		filter + "?fault=status&status=429&reset=1m": 429,
	} {
		resp := connect(t, base+path)
		if resp.status != want {
			t.Errorf("%s: %d, want %d", path, resp.status, want)
		}
		reset, err := strconv.ParseInt(resp.header.Get("X-Rate-Limit-Reset"), 10, 64)
		if limited := want == 420 || want == 429; limited != (err == nil) {
			t.Errorf("%s: x-rate-limit-reset %q", path, resp.header.Get("X-Rate-Limit-Reset"))
		} else if limited && time.Until(time.Unix(reset, 0)) < 50*time.Second {
			t.Errorf("%s: resets in %v, want a minute", path, time.Until(time.Unix(reset, 0)))
		}
	}
	if s := tw.Stats(); s.Refused != 9 || s.Connections != 0 {
		t.Errorf("stats %+v, want 9 refused", s)
	}
}

// TestSecondConnectionKicksTheFirst: the oldest goes, with code 7.
func TestSecondConnectionKicksTheFirst(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 5})
	first := bufio.NewReader(connect(t, base+filter, "Authorization", "Bearer a").body)
	other := bufio.NewReader(connect(t, base+filter, "Authorization", "Bearer b").body)
	for range 5 {
		if _, err := frame(first); err != nil {
			t.Fatal(err)
		}
	}
	second := connect(t, base+filter, "Authorization", "Bearer a")
	goodbye, err := frame(first)
	if err != nil || !strings.HasPrefix(goodbye, `{"disconnect":{"code":7,`) {
		t.Errorf("the older connection was told %q, %v", goodbye, err)
	}
	if _, err := frame(first); !errors.Is(err, io.EOF) {
		t.Errorf("the older connection ends with %v, want EOF", err)
	}
	wantItems(t, tw.World(), frames(t, second.body, 5), 0)
	if f, err := frame(other); err != nil || f == "" {
		t.Errorf("another credential's connection: %q, %v", f, err)
	}
	if s := tw.Stats(); s.Kicked != 1 || s.MaxOpen != 3 || s.Connections != 3 {
		t.Errorf("stats %+v, want 1 kicked, 3 open at once", s)
	}
}

// TestResume: what was not written to one connection comes to the next, and
// nothing is left out.
func TestResume(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 300, Resume: true})
	next := uint64(0)
	for range 3 {
		resp := connect(t, base+filter+"?fault=eof&after=70")
		wantItems(t, tw.World(), frames(t, resp.body, 70), next)
		next += 70
		if rest, err := io.ReadAll(resp.body); err != nil || len(rest) > 0 {
			t.Fatalf("after the fault: %d bytes, %v", len(rest), err)
		}
	}
	wantItems(t, tw.World(), frames(t, connect(t, base+filter).body, 90), next)
}

func TestRewind(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 300, Resume: true, Rewind: 50})
	_, _ = io.ReadAll(connect(t, base+filter+"?fault=eof&after=70").body)
	wantItems(t, tw.World(), frames(t, connect(t, base+filter).body, 280), 20)
}

func TestFaults(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 20})
	huge := string(tw.World().AppendMalformed(nil, simulate.Huge, 3))
	for query, check := range map[string]func(t *testing.T, body io.Reader){
		"fault=cut": func(t *testing.T, body io.Reader) {
			t.Helper()
			rest, err := io.ReadAll(body)
			if err == nil || len(rest) == 0 || bytes.Contains(rest, []byte("\r\n")) {
				t.Errorf("%d bytes, %v; want half a message and an error", len(rest), err)
			}
		},
		"fault=disconnect&code=4": func(t *testing.T, body io.Reader) {
			t.Helper()
			rest, err := io.ReadAll(body)
			if err != nil || !strings.HasPrefix(string(rest), `{"disconnect":{"code":4,`) {
				t.Errorf("%q, %v", rest, err)
			}
		},
		"fault=huge": func(t *testing.T, body io.Reader) {
			t.Helper()
			got := frames(t, body, 18)
			if got[0] != huge || len(huge) < simulate.HugeSize {
				t.Errorf("a message of %d bytes, want %d", len(got[0]), len(huge))
			}
			wantItems(t, tw.World(), got[1:], 3)
		},
		"fault=malformed": func(t *testing.T, body io.Reader) {
			t.Helper()
			n := len(simulate.MalformedSorts()) - 1
			wantItems(t, tw.World(), frames(t, body, n+17)[n:], 3)
		},
		"fault=bytes": func(t *testing.T, body io.Reader) {
			t.Helper()
			wantItems(t, tw.World(), frames(t, body, 17), 3)
		},
	} {
		t.Run(query, func(t *testing.T) {
			body := bufio.NewReader(connect(t, base+filter+"?after=3&"+query).body)
			var head []string
			for range 3 {
				f, err := frame(body)
				if err != nil {
					t.Fatal(err)
				}
				head = append(head, f)
			}
			wantItems(t, tw.World(), head, 0)
			check(t, body)
		})
	}
}

// TestScript: the first connection gets the first fault, and so on.
func TestScript(t *testing.T) {
	_, base := serve(t, simulate.Options{Items: 1, Script: []simulate.Fault{
		{Kind: simulate.FaultStatus, Status: 503}, {}, {Kind: simulate.FaultStatus, Status: 401},
	}})
	for i, want := range []int{503, 200, 401, 200} {
		if got := connect(t, base+filter).status; got != want {
			t.Errorf("connection %d: %d, want %d", i, got, want)
		}
	}
}

// TestClose: closing the server ends connections of every sort.
func TestClose(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 1})
	told := connect(t, base+filter, "Authorization", "a")
	var silent []response
	for _, fault := range []string{"silence", "half-open"} {
		silent = append(silent, connect(t, base+filter+"?fault="+fault, "Authorization", fault))
	}
	if f := frames(t, told.body, 1); f[0] == "" {
		t.Fatal("no item")
	}
	tw.Close()
	if f := frames(t, told.body, 1); !strings.HasPrefix(f[0], `{"disconnect":{"code":1,`) {
		t.Errorf("told %q, want code 1", f[0])
	}
	for _, resp := range silent {
		if b, _ := io.ReadAll(resp.body); len(b) != 0 {
			t.Errorf("a silent connection got %q", b)
		}
	}
	if got := connect(t, base+filter).status; got != 503 {
		t.Errorf("after Close: %d, want 503", got)
	}
}

// TestForm: parameters may come as a form in the body, as they do to filter.
func TestForm(t *testing.T) {
	tw, base := serve(t, simulate.Options{Items: 10})
	form := url.Values{"from": {"7"}, "locations": {"-180,-90,180,90"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+filter, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	wantItems(t, tw.World(), frames(t, resp.Body, 3), 7)
}

func TestServerOptionsRefused(t *testing.T) {
	for _, o := range []simulate.Options{
		{Rate: -1},
		{Secrets: []string{"abc"}},
		{Secrets: []string{"basic:me"}},
		{Script: []simulate.Fault{{Kind: "odd"}}},
		{Script: []simulate.Fault{{Kind: simulate.FaultStatus}}},
	} {
		if _, err := simulate.NewServer(o); err == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("fault=eof&after=10")
	f.Add("fault=status&status=429&reset=30s")
	f.Add("fault=disconnect&code=4")
	f.Fuzz(func(t *testing.T, query string) {
		fault, err := simulate.ParseFault(query)
		if err != nil {
			return
		}
		if _, err := simulate.NewServer(simulate.Options{Script: []simulate.Fault{fault}}); err != nil {
			t.Errorf("ParseFault(%q) = %+v, which a server refuses: %v", query, fault, err)
		}
	})
}
