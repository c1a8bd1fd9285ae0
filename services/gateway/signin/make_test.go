package signin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// TestMadeTokens: what is made here is let in here, for as long as it says.
func TestMadeTokens(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Secret, cfg.Audience, cfg.Issuer = testSecret, "blipstream", "https://issuer.example"
	g := newGate(t, cfg)
	for _, kinds := range [][]string{nil, {"geo_blip"}} {
		token, err := MakeToken(cfg, kinds, noon, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/live", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		grant, _, err := g.Admit(r, noon.Add(59*time.Minute))
		if err != nil || grant.Limited() != (kinds != nil) || kinds != nil && !slices.Contains(grant.Kinds, "geo_blip") ||
			!grant.Until.Equal(noon.Add(time.Hour)) {
			t.Errorf("%v: %+v, %v", kinds, grant, err)
		}
		if _, _, err := g.Admit(r, noon.Add(time.Hour)); !errors.Is(err, ErrExpired) {
			t.Errorf("after its end: %v", err)
		}
	}
}

func TestTokensThatAreNotMade(t *testing.T) {
	good := DefaultConfig()
	good.Secret = testSecret
	short, keys := good, good
	short.Secret, keys.Secret, keys.JWKS, keys.Audience = "short", "", "https://issuer.example/keys", "a"
	for name, tc := range map[string]struct {
		cfg   Config
		kinds []string
		last  time.Duration
	}{
		"no secret": {DefaultConfig(), nil, time.Hour}, "a short one": {short, nil, time.Hour}, "keys of others": {keys, nil, time.Hour},
		"no kind": {good, []string{"No!"}, time.Hour}, "no time": {good, nil, 0},
	} {
		if token, err := MakeToken(tc.cfg, tc.kinds, noon, tc.last); err == nil {
			t.Errorf("%s: %q", name, token)
		}
	}
}
