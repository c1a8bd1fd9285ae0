package signin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// show asks with a query at a time.
func show(g *Gate, query string, now time.Time) (Grant, *http.Request, error) {
	r := httptest.NewRequest(http.MethodGet, "/live?"+query, nil)
	return g.Admit(r, now)
}

func TestTicket(t *testing.T) {
	g := newGate(t, secretConfig())
	want, err := newGrant([]string{"geo_blip"}, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	give := func(until time.Time) string {
		t.Helper()
		grant := want
		grant.Until = until
		ticket, err := g.Issue(t.Context(), grant, noon)
		if err != nil || !validTicket(ticket) {
			t.Fatalf("%q, %v", ticket, err)
		}
		return ticket
	}
	ticket := give(want.Until)
	got, r, err := show(g, "kind=geo_blip&ticket="+ticket, noon)
	if err != nil || !got.Until.Equal(want.Until) || strings.Join(got.Kinds, " ") != strings.Join(want.Kinds, " ") {
		t.Errorf("granted %+v, %v", got, err)
	}
	if r.URL.RawQuery != "kind=geo_blip" || strings.Contains(r.RequestURI, ticket) {
		t.Errorf("the ticket goes on in %s and %s", r.URL, r.RequestURI)
	}
	for name, tc := range map[string]struct {
		ticket string
		now    time.Time
		want   error
	}{
		"again":           {ticket, noon, ErrTicket},
		"too old":         {give(want.Until), noon.Add(TicketTTL), ErrTicket},
		"in time":         {give(want.Until), noon.Add(TicketTTL - time.Second), nil},
		"of an old token": {give(noon.Add(time.Second)), noon.Add(time.Second), ErrExpired},
		"made up":         {newTicket(), noon, ErrTicket},
		"cut":             {give(want.Until)[1:], noon, ErrTicket},
		"a pattern":       {"*", noon, ErrTicket},
		"empty":           {"", noon, ErrTicket},
	} {
		if _, _, err := show(g, "ticket="+tc.ticket, tc.now); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestTicketsAreKeptUnreadable: who sees what is kept cannot get in by it.
func TestTicketsAreKeptUnreadable(t *testing.T) {
	g := newGate(t, secretConfig())
	ticket, err := g.Issue(t.Context(), Grant{Until: noon.Add(time.Hour)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := g.tickets.(*drawer)
	if !ok {
		t.Fatalf("%T", g.tickets)
	}
	for key, payload := range d.kept {
		if strings.Contains(key+string(payload), ticket) {
			t.Errorf("%s is kept as %s: %s", ticket, key, payload)
		}
		if _, _, err := show(g, "ticket="+key, noon); !errors.Is(err, ErrTicket) {
			t.Errorf("the key opens: %v", err)
		}
	}
}

// FuzzCredentials: nothing that is shown lets anybody in, and nothing stops the
// reader.
func FuzzCredentials(f *testing.F) {
	g := newGate(f, secretConfig())
	f.Add("Bearer a.b.c", "__Host-blipstream=x.y.z", "ticket=abc&kind=geo_blip")
	f.Add("", "__Host-blipstream=\"eyJhbGciOiJub25lIn0.e30.\"", "%zz&ticket=")
	f.Add("Bearer "+unsigned(`{"alg":"HS256"}`, `{"exp":99999999999,"kinds":null}`, "x"), "", "tick%65t=x")
	f.Fuzz(func(t *testing.T, header, cookie, query string) {
		r := httptest.NewRequest(http.MethodGet, "/events", nil)
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{header}
		r.Header["Cookie"] = []string{cookie}
		_, rest, err := g.Admit(r, noon)
		if err == nil {
			t.Fatalf("let in by %q, %q, %q", header, cookie, query)
		}
		if rest.URL.Query().Has(ParamTicket) && r.URL.Query().Has(ParamTicket) && rest != r {
			t.Fatalf("the ticket goes on in %q", rest.URL.RawQuery)
		}
	})
}

// FuzzKeys: a set of keys never holds one that proves nothing.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseSet(data)
		if err != nil {
			return
		}
		for i := range set {
			if !usable(&set[i]) {
				t.Fatalf("kept %+v", set[i])
			}
		}
	})
}

// FuzzVoucher: what is kept with a ticket grants no more than a token could.
func FuzzVoucher(f *testing.F) {
	f.Add([]byte(`{"kinds":["geo_blip"],"until":99999999999,"expires":99999999999}`))
	f.Add([]byte(`{"kinds":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := redeem(data, noon)
		if err == nil && (!noon.Before(g.Until) || len(g.Kinds) > maxKinds+2) {
			t.Fatalf("granted %+v", g)
		}
	})
}
