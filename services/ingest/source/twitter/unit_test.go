package twitter

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]string{
		"twitter+https://h/1.1/statuses/filter.json?track=go&stall=5s":     "POST https://h/1.1/statuses/filter.json track=go",
		"twitter+http://h:8/sample.json?a=1&framing=lf&max-frame=4096":     "GET http://h:8/sample.json a=1",
		"twitter+http://h/sample.json?method=post&locations=-180,-90,180,": "POST http://h/sample.json locations=-180%2C-90%2C180%2C",
		"twitter+http://h/filter.json?method=get&delimited=length":         "GET http://h/filter.json delimited=length",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		o, err := parse(u, "")
		if got := o.method + " " + o.endpoint.String() + " " + o.form.Encode(); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"twitter+http:", "twitter+http:///x", "twitter+http://h/?framing=cr", "twitter+http://h/?stall=90",
		"twitter+http://h/?stall=-1s", "twitter+http://h/?max-frame=1", "twitter+http://h/?method=put",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(u, ""); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", raw, err)
		}
	}
}

func TestAuthorization(t *testing.T) {
	for secret, want := range map[string]string{
		"": "", "bearer:abc\n": "Bearer abc", "Basic:me:pw:x": "Basic bWU6cHc6eA==",
	} {
		var o options
		if err := o.takeSecret(secret); err != nil || o.authorize(time.Now()) != want {
			t.Errorf("secret %q: %q, %v", secret, o.authorize(time.Now()), err)
		}
	}
	for _, secret := range []string{"hunter2", "basic:hunter2", "bearer:hunter2\nx: y", "oauth:hunter2", "oauth1:hunter2"} {
		var o options
		if err := o.takeSecret(secret); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("secret %q: %v, want an error without the secret", secret, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	for data, want := range map[string]string{
		`{"id":1,"id_str":"12"}`:          "12",
		`{"id_str":"12","id":1}`:          "12",
		`{"text":"no id_str","id":34}`:    "34",
		`{"user":{"id_str":"5"},"id":34}`: "34",
		`{"delete":{"status":{"id":303747490128207874,"id_str":"303747490128207873"}}}`: "del-303747490128207873",
		`{"scrub_geo":{"user_id":1,"user_id_str":"14","up_to_status_id_str":"23"}}`:     "scrub-14-23",
		`{"limit":{"track":7}}`: "notice", `{"disconnect":{"code":4}}`: "notice", `{"warning":{}}`: "notice",
	} {
		got, isNotice := identify([]byte(data))
		if isNotice {
			got = "notice"
		}
		if got != want {
			t.Errorf("identify(%s) = %q, want %q", data, got, want)
		}
	}
	for _, data := range []string{
		``, `null`, `1`, `[]`, `{"trunc`, `{"id_str":"x"}`, `{"id_str":12.5}`, `{"delete":null}`, `{"delete":{"status":{}}}`,
		`{"scrub_geo":{}}`, `{"status_withheld":{"id":1}}`, `{"friends":[]}`,
	} {
		got, isNotice := identify([]byte(data))
		if isNotice || !strings.HasPrefix(got, "sha-") {
			t.Errorf("identify(%s) = %q, want a hash", data, got)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add([]byte(`{"id":1,"id_str":"12"}`))
	f.Add([]byte(`{"delete":{"status":{"id_str":"3"}}}`))
	f.Add([]byte(`{"limit":{"track":7}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		id, isNotice := identify(data)
		again, _ := identify(data)
		if id != again || isNotice == (id != "") || len(id) > 60 || strings.ContainsAny(id, " \r\n") {
			t.Errorf("identify(%q) = %q, then %q, notice %v", data, id, again, isNotice)
		}
		_ = parseNotice(data).String()
	})
}

// inMemory is a source whose upstream is handler, without a network, so that a
// fake clock can run.
func inMemory(t *testing.T, params string, handler http.HandlerFunc) *twitterSource {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: handler}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	u, err := url.Parse("twitter+http://upstream/sample.json" + params)
	if err != nil {
		t.Fatal(err)
	}
	opts, err := parse(u, "")
	if err != nil {
		t.Fatal(err)
	}
	client := upstream.Client(func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return &twitterSource{"tw", opts, source.Config{}.Observe(), slog.New(slog.DiscardHandler), client}
}

// pipeListener hands in-memory connections to a server.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// stream runs a source until it ends, and tells how long that took.
func stream(t *testing.T, s *twitterSource, emit func(feed.Item) error) (time.Duration, *source.Error) {
	t.Helper()
	start := time.Now()
	err := s.Stream(t.Context(), "", emit)
	var told *source.Error
	if !errors.As(err, &told) {
		t.Fatalf("Stream = %v, want a source.Error", err)
	}
	return time.Since(start), told
}

// TestStall: keep-alives keep a connection alive, silence ends it, and a bus
// that takes nothing for long is not the upstream's silence.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := inMemory(t, "", func(w http.ResponseWriter, r *http.Request) {
			out := http.NewResponseController(w)
			_, _ = io.WriteString(w, "{\"id_str\":\"1\"}\r\n")
			_ = out.Flush()
			for range 20 { // ten minutes of keep-alives
				<-time.After(30 * time.Second)
				_, _ = io.WriteString(w, "\r\n")
				_ = out.Flush()
			}
			<-r.Context().Done()
		})
		const blocked = 5 * time.Minute
		took, told := stream(t, src, func(feed.Item) error {
			<-time.After(blocked) // as when NATS is away
			return nil
		})
		if !errors.Is(told, source.ErrStalled) || told.Cause != source.CauseClosed {
			t.Errorf("Stream = %v (%v), want a stall", told, told.Cause)
		}
		// The first keep-alive waits in the connection until emit returns.
		if want := blocked + 19*30*time.Second + defaultStall; took < want-time.Second || took > want+time.Second {
			t.Errorf("stalled after %v, want %v", took, want)
		}
	})
}

// TestNoAnswer: an upstream that takes the connection and says nothing at all.
func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := inMemory(t, "?stall=10s", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		took, told := stream(t, src, func(feed.Item) error { return nil })
		if !errors.Is(told, source.ErrStalled) || told.Cause != source.CauseNetwork || took != 10*time.Second {
			t.Errorf("Stream = %v (%v) after %v", told, told.Cause, took)
		}
	})
}

// TestSignature: the request of RFC 5849, section 1.2, with a version added, and
// one whose characters are encoded twice; both signed by other code, too.
func TestSignature(t *testing.T) {
	for secret, c := range map[string]struct {
		method, url, form, timestamp, nonce, want string
	}{
		"dpf43f3p2l4k3l03:kd94hf93k423kf44:nnch734d00sl2jdk:pfkkdhi9sl3r4s00": {
			"get", "HTTP://Photos.example.net:80/photos", "file=vacation.jpg&size=original", "137131202", "chapoH", "1IAE9RzK%2BDqSqVTdQ%2F0zWANXVzs%3D",
		},
		"k:s&:t:u=": {
			"POST", "https://stream.example.com/1.1/statuses/filter.json", "track=Gr%C3%BC%C3%9Fe%2C+a%2Bb+%26+c%3Dd", "1", "n", "u03s71ugDT6vKfUXtPLcAz0IYag%3D",
		},
	} {
		o, err := parseOAuth(secret)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		got := o.sign(c.method, *u, form, c.timestamp, c.nonce)
		if !strings.Contains(got, `oauth_signature="`+c.want+`"`) || !strings.HasPrefix(got, `OAuth oauth_consumer_key="`) {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	for _, secret := range []string{"hunter2", "a:b:c", "a:b:c:", "a:b:c:d:hunter2"} {
		if _, err := parseOAuth(secret); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// TestSigned: every connection is signed anew, and the secrets do not travel.
func TestSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		src := inMemory(t, "", func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Header.Get("Authorization")) })
		if err := src.opts.takeSecret("oauth1:key:csecret:token:tsecret"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, _ = stream(t, src, func(feed.Item) error { return nil })
		}
		if len(seen) != 2 || seen[0] == seen[1] || !strings.Contains(seen[0], `oauth_token="token"`) || strings.Contains(seen[0]+seen[1], "secret") {
			t.Errorf("signed %q", seen)
		}
	})
}
