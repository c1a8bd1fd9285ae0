package signin

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// secretConfig asks for tokens signed with testSecret.
func secretConfig() Config {
	cfg := DefaultConfig()
	cfg.Secret, cfg.Issuer, cfg.Audience = testSecret, "https://issuer.example", "blipstream"
	return cfg
}

// admit shows a token in the Authorization header at noon.
func admit(g *Gate, token string) (Grant, error) {
	r := httptest.NewRequest(http.MethodGet, "/events", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	grant, _, err := g.Admit(r, noon)
	return grant, err
}

func TestClaims(t *testing.T) {
	g := newGate(t, secretConfig())
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, tc := range map[string]struct {
		change facts
		want   error
	}{
		"good":                {nil, nil},
		"one audience of two": {facts{"aud": []string{"other", "blipstream"}}, nil},
		"expired":             {facts{"exp": at(0)}, ErrExpired},
		"expired long ago":    {facts{"exp": 1}, ErrExpired},
		"ends in a second":    {facts{"exp": at(time.Second)}, nil},
		"not yet":             {facts{"nbf": at(time.Minute)}, ErrInvalid},
		"almost":              {facts{"nbf": at(10 * time.Second)}, nil},
		"from the future":     {facts{"iat": at(time.Minute)}, ErrInvalid},
		"another issuer":      {facts{"iss": "https://other.example"}, ErrInvalid},
		"another audience":    {facts{"aud": "other"}, ErrInvalid},
		"never ends":          {facts{"exp": nil}, ErrInvalid},
		"ends in words":       {facts{"exp": "tomorrow"}, ErrInvalid},
		"a kind":              {facts{"kinds": []string{"geo_blip"}}, nil},
		"no kinds":            {facts{"kinds": []string{}}, nil},
		"kinds lost":          {facts{"kinds": nil}, ErrInvalid},
		"kinds in words":      {facts{"kinds": "geo_blip"}, ErrInvalid},
		"a kind that is none": {facts{"kinds": []string{"*"}}, ErrInvalid},
		"too many kinds":      {facts{"kinds": slices.Repeat([]string{"geo_blip"}, maxKinds+1)}, ErrInvalid},
	} {
		got, err := admit(g, sign(t, jose.HS256, []byte(testSecret), "", good().with(tc.change)))
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if err == nil && (got.Until.IsZero() || got.Limited() != (tc.change["kinds"] != nil)) {
			t.Errorf("%s: granted %+v", name, got)
		}
	}
}

// A token made out to somebody is not ours if nobody says who we are.
func TestAudienceThatIsNobody(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Secret = testSecret
	g := newGate(t, cfg)
	key := []byte(testSecret)
	if _, err := admit(g, sign(t, jose.HS256, key, "", good())); !errors.Is(err, ErrInvalid) {
		t.Errorf("for somebody: %v", err)
	}
	if _, err := admit(g, sign(t, jose.HS256, key, "", facts{"exp": noon.Add(time.Hour).Unix()})); err != nil {
		t.Errorf("for nobody: %v", err)
	}
}

// unsigned makes a token by hand.
func unsigned(header, payload, signature string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + enc([]byte(signature))
}

// TestForgeries: no token is let in that our key did not sign, whatever it
// says of itself.
func TestForgeries(t *testing.T) {
	p := newPairs(t)
	remote, _ := published1(t, p)
	secret := newGate(t, secretConfig())
	der, err := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	payload := fmt.Sprintf(`{"exp":%d,"aud":"blipstream","iss":"https://issuer.example"}`, noon.Add(time.Hour).Unix())
	signed := sign(t, jose.HS256, []byte(testSecret), "", good())
	parts := strings.Split(signed, ".")
	stranger := newPairs(t)
	for name, token := range map[string]string{
		"none":               unsigned(`{"alg":"none"}`, payload, ""),
		"None":               unsigned(`{"alg":"None","typ":"JWT"}`, payload, ""),
		"no alg":             unsigned(`{"typ":"JWT"}`, payload, "x"),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"another payload":    parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload+" ")) + "." + parts[2],
		"two parts":          parts[0] + "." + parts[1],
		"another secret":     sign(t, jose.HS256, []byte("another"+testSecret), "", good()),
		"another hash":       sign(t, jose.HS512, []byte(testSecret+testSecret), "", good()),
		"the public key":     sign(t, jose.HS256, public, "rsa", good()),
		"the public key der": sign(t, jose.HS256, der, "rsa", good()),
		"a stranger's key":   sign(t, jose.RS256, stranger.rsa, "rsa", good()),
		"a key of its own":   sign(t, jose.ES256, stranger.ec, "other", good()),
		"a key confused":     sign(t, jose.ES256, p.ec, "rsa", good()),
		"crit":               unsigned(`{"alg":"HS256","crit":["exp"],"exp":1}`, payload, "x"),
		"empty":              "",
		"dots":               "..",
		"long":               strings.Repeat("a", maxToken+1),
	} {
		for which, g := range map[string]*Gate{"secret": secret, "jwks": remote} {
			if got, err := admit(g, token); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s, %s: %+v, %v", name, which, got, err)
			}
		}
	}
	if _, err := admit(remote, signed); !errors.Is(err, ErrInvalid) {
		t.Errorf("a token of a secret, where keys are published: %v", err)
	}
	if _, err := admit(secret, sign(t, jose.RS256, p.rsa, "rsa", good())); !errors.Is(err, ErrInvalid) {
		t.Errorf("a token of a key, where there is a secret: %v", err)
	}
}

func TestWhereTokensAre(t *testing.T) {
	g := newGate(t, secretConfig())
	token := sign(t, jose.HS256, []byte(testSecret), "", good())
	for name, tc := range map[string]struct {
		header, cookie, query string
		want                  error
	}{
		"nowhere":        {"", "", "", ErrNone},
		"header":         {"Bearer " + token, "", "", nil},
		"header, small":  {"bearer " + token, "", "", nil},
		"cookie":         {"", defaultCookie + "=" + token, "", nil},
		"another cookie": {"", "session=" + token, "", ErrNone},
		"empty cookie":   {"", defaultCookie + "=", "", ErrNone},
		"basic":          {"Basic eDp5", defaultCookie + "=" + token, "", ErrInvalid},
		"header wins":    {"Bearer x", defaultCookie + "=" + token, "", ErrInvalid},
		"in the query":   {"", "", "access_token=" + token, ErrNone},
		"as a ticket":    {"", "", "ticket=" + token, ErrTicket},
		"ticket wins":    {"Bearer " + token, "", "ticket=x", ErrTicket},
		"two tickets":    {"Bearer " + token, "", "ticket=x&ticket=y", ErrTicket},
	} {
		r := httptest.NewRequest(http.MethodGet, "/events?"+tc.query, nil)
		if tc.header != "" {
			r.Header.Set("Authorization", tc.header)
		}
		if tc.cookie != "" {
			r.Header.Set("Cookie", tc.cookie)
		}
		if _, _, err := g.Admit(r, noon); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func TestChoose(t *testing.T) {
	all := Grant{}
	some, err := newGrant([]string{"simple_tweet"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	none, err := newGrant([]string{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		grant         Grant
		asked         []string
		want, refused string
		ok            bool
	}{
		"all, all":        {all, nil, "[]", "", true},
		"all, one":        {all, []string{"geo_blip"}, "[geo_blip]", "", true},
		"some, all":       {some, nil, "[geo_removed post_removed simple_tweet]", "", true},
		"some, one of it": {some, []string{"simple_tweet"}, "[simple_tweet]", "", true},
		"some, removals":  {some, []string{"post_removed"}, "[post_removed]", "", true},
		"some, another":   {some, []string{"geo_blip"}, "[]", "geo_blip", false},
		"some, and more":  {some, []string{"geo_blip", "simple_tweet"}, "[]", "geo_blip", false},
		"none, all":       {none, nil, "[]", "", false},
		"none, one":       {none, []string{"post_removed"}, "[]", "", false},
	} {
		kinds, refused, ok := tc.grant.Choose(tc.asked)
		if fmt.Sprint(kinds) != tc.want || refused != tc.refused || ok != tc.ok {
			t.Errorf("%s: %v, %q, %v", name, kinds, refused, ok)
		}
	}
}
