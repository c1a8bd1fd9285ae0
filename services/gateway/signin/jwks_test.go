package signin

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer publishes keys.
type issuer struct {
	*httptest.Server

	mu    sync.Mutex
	body  string
	code  int
	asked atomic.Int32
}

func newIssuer(tb testing.TB) *issuer {
	tb.Helper()
	i := &issuer{code: http.StatusOK}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		w.WriteHeader(i.code)
		_, _ = w.Write([]byte(i.body)) // whoever asked may be gone
	}))
	tb.Cleanup(i.Close)
	return i
}

// publish replaces what is published.
func (i *issuer) publish(tb testing.TB, code int, keys ...jose.JSONWebKey) {
	tb.Helper()
	body, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		tb.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.body, i.code = string(body), code
}

// jwksConfig asks for tokens signed with published keys.
func jwksConfig(url string) Config {
	cfg := DefaultConfig()
	cfg.JWKS, cfg.Audience = url, "blipstream"
	return cfg
}

// published1 is a gate that knows the keys of p, and who publishes them.
func published1(tb testing.TB, p pairs) (*Gate, *issuer) {
	tb.Helper()
	i := newIssuer(tb)
	i.publish(tb, http.StatusOK,
		jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "rsa", Use: "sig"},
		jose.JSONWebKey{Key: &p.ec.PublicKey, KeyID: "ec", Algorithm: "ES256"},
		jose.JSONWebKey{Key: p.ed.Public(), KeyID: "ed"})
	g := newGate(tb, jwksConfig(i.URL))
	if g.Ready() == nil {
		tb.Error("ready without keys")
	}
	if err := g.published.refresh(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := g.Ready(); err != nil {
		tb.Error(err)
	}
	return g, i
}

func TestPublishedKeys(t *testing.T) {
	p := newPairs(t)
	g, _ := published1(t, p)
	for _, tc := range []struct {
		alg  jose.SignatureAlgorithm
		key  any
		kid  string
		want error
	}{
		{jose.RS256, p.rsa, "rsa", nil},
		{jose.PS512, p.rsa, "rsa", nil},
		{jose.ES256, p.ec, "ec", nil},
		{jose.EdDSA, p.ed, "ed", nil},
		{jose.EdDSA, p.ed, "", ErrInvalid}, // which of them?
		{jose.RS256, p.rsa, "ec", ErrInvalid},
		{jose.EdDSA, p.ed, "nobody", ErrInvalid},
	} {
		if _, err := admit(g, sign(t, tc.alg, tc.key, tc.kid, good())); !errors.Is(err, tc.want) {
			t.Errorf("%s with %q: %v, want %v", tc.alg, tc.kid, err, tc.want)
		}
	}
}

// TestKeysAreReadAgain: a key that is new is found, but nobody can make us ask
// again and again; one that cannot be read any more costs nobody the entry.
func TestKeysAreReadAgain(t *testing.T) {
	old, fresh := newPairs(t), newPairs(t)
	g, i := published1(t, old)
	kept := sign(t, jose.EdDSA, old.ed, "ed", good())
	i.publish(t, http.StatusInternalServerError)
	if err := g.published.refresh(t.Context()); err == nil {
		t.Error("a failure is taken for keys")
	}
	if _, err := admit(g, kept); err != nil {
		t.Errorf("after a failed reading: %v", err)
	}
	i.publish(t, http.StatusOK, jose.JSONWebKey{Key: fresh.ed.Public(), KeyID: "new"})
	before := i.asked.Load()
	token := sign(t, jose.EdDSA, fresh.ed, "new", good())
	if _, err := admit(g, token); err != nil {
		t.Errorf("with a key that is new: %v", err)
	}
	if _, err := admit(g, kept); !errors.Is(err, ErrInvalid) {
		t.Errorf("with a key that was withdrawn: %v", err)
	}
	for n := range 20 {
		if _, err := admit(g, sign(t, jose.EdDSA, old.ed, fmt.Sprint("made-up-", n), good())); !errors.Is(err, ErrInvalid) {
			t.Errorf("with a key that nobody has: %v", err)
		}
	}
	if n := i.asked.Load() - before; n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestOneKeyNeedsNoName: where there is no choice, none has to be made.
func TestOneKeyNeedsNoName(t *testing.T) {
	p, i := newPairs(t), newIssuer(t)
	i.publish(t, http.StatusOK, jose.JSONWebKey{Key: p.ed.Public(), KeyID: "ed"})
	g := newGate(t, jwksConfig(i.URL))
	if _, err := admit(g, sign(t, jose.EdDSA, p.ed, "", good())); err != nil { // it reads the keys on its way
		t.Error(err)
	}
}

func TestNoKeysYet(t *testing.T) {
	p, i := newPairs(t), newIssuer(t)
	i.publish(t, http.StatusServiceUnavailable)
	g := newGate(t, jwksConfig(i.URL))
	if _, err := admit(g, sign(t, jose.EdDSA, p.ed, "ed", good())); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without keys: %v", err)
	}
}

func TestSetsThatAreRefused(t *testing.T) {
	p := newPairs(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	set := func(key jose.JSONWebKey) string {
		one, err := key.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return `{"keys":[` + string(one) + `]}`
	}
	for name, body := range map[string]string{
		"no JSON":     "<html>",
		"no keys":     `{"keys":[]}`,
		"no list":     `{"keys":{}}`,
		"unknown":     `{"keys":[{"kty":"new"},{"kty":1},null,[]]}`,
		"a secret":    set(jose.JSONWebKey{Key: []byte(testSecret), KeyID: "s"}),
		"private":     set(jose.JSONWebKey{Key: p.ec, KeyID: "p"}),
		"short":       set(jose.JSONWebKey{Key: &short.PublicKey, KeyID: "r"}),
		"for secrecy": set(jose.JSONWebKey{Key: &p.rsa.PublicKey, Use: "enc"}),
		"huge":        `{"keys":["` + strings.Repeat("x", maxSet) + `"]}`,
	} {
		if set, err := parseSet([]byte(body)); err == nil {
			t.Errorf("%s: %v", name, set)
		}
	}
	one := strings.TrimSuffix(strings.TrimPrefix(set(jose.JSONWebKey{Key: p.ed.Public(), KeyID: "k"}), `{"keys":[`), `]}`)
	body := `{"keys":[{"kty":"new"}` + strings.Repeat(","+one, 2*maxSetKeys) + `]}`
	if got, err := parseSet([]byte(body)); err != nil || len(got) >= maxSetKeys {
		t.Errorf("%d keys, %v", len(got), err)
	}
}

// TestRedirects: keys come only from where they are safe on their way.
func TestRedirects(t *testing.T) {
	p, good := newPairs(t), newIssuer(t)
	good.publish(t, http.StatusOK, jose.JSONWebKey{Key: p.ed.Public(), KeyID: "ed"})
	for to, fine := range map[string]bool{good.URL: true, "http://192.0.2.1/keys": false, "": false} {
		var self *httptest.Server
		self = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if to == "" {
				http.Redirect(w, r, self.URL, http.StatusFound)
				return
			}
			http.Redirect(w, r, to, http.StatusFound)
		}))
		g := newGate(t, jwksConfig(self.URL+"/?apikey=hush"))
		err := g.published.refresh(t.Context())
		if (err == nil) != fine || err != nil && !errors.Is(err, errRedirect) {
			t.Errorf("to %q: %v", to, err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("told %v", err)
		}
		self.Close()
	}
}

// stall never answers.
type stall struct{}

func (stall) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestReadingIsBoundedInTime: who publishes and does not answer holds up nobody
// for long, and is asked again.
func TestReadingIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, jwksConfig("https://issuer.example/keys"))
		g.published.client.Transport = stall{}
		began := time.Now()
		if err := g.published.refresh(t.Context()); err == nil || time.Since(began) > fetchTimeout {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		var failed atomic.Int32
		g.published.count = func(string) { failed.Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		<-time.After(time.Minute)
		if n := failed.Load(); n < 3 || n > 10 {
			t.Errorf("asked %d times in a minute", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
