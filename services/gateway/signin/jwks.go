package signin

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// refreshEvery is how often keys are read anew, so that one that was
	// withdrawn stops working.
	refreshEvery = 5 * time.Minute
	// refreshAgain is the least time between two readings that tokens with keys
	// we do not know bring about.
	refreshAgain = 30 * time.Second
	// Bounds of the wait between attempts while there are no keys at all.
	retryMin = time.Second
	retryMax = 30 * time.Second
	// fetchTimeout bounds one reading.
	fetchTimeout = 5 * time.Second
	// maxSet and maxSetKeys bound a set of keys, in bytes and in keys.
	maxSet     = 1 << 20
	maxSetKeys = 64
	// maxRedirects is how often an issuer may send us elsewhere.
	maxRedirects = 3
	// minRSA is the least length of an RSA key, in bytes (RFC 7518, 3.3).
	minRSA = 2048 / 8
)

var (
	errRedirect = errors.New("it redirects too often, or to an address that is not https")
	errNoKeys   = errors.New("no usable key among them")
)

// published are the keys that an issuer publishes. The last good set is used
// for as long as there is no newer one.
type published struct {
	url    string
	client *http.Client
	log    *slog.Logger
	count  func(outcome string)
	set    atomic.Pointer[[]jose.JSONWebKey]
	// fetching is held while keys are read; asked is when they last were, for a
	// token.
	fetching chan struct{}
	asked    time.Time
}

func newPublished(address string, log *slog.Logger, count func(outcome string)) *published {
	p := &published{url: address, log: log, count: count, fetching: make(chan struct{}, 1)}
	p.client = &http.Client{Timeout: fetchTimeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || !fetchable(r.URL) {
			return errRedirect
		}
		return nil
	}}
	return p
}

func (*published) algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// find finds the key of a token; one that is not known may be new.
func (p *published) find(ctx context.Context, header jose.Header) (any, error) {
	if key := p.choose(header); key != nil {
		return key, nil
	}
	p.ask(ctx)
	if key := p.choose(header); key != nil {
		return key, nil
	}
	if p.set.Load() == nil {
		return nil, fmt.Errorf("%w: no keys yet", ErrUnavailable)
	}
	return nil, fmt.Errorf("%w: no such key", ErrInvalid)
}

// choose finds the key in the present set. A token that names none must not
// leave a choice.
func (p *published) choose(header jose.Header) any {
	set := p.set.Load()
	if set == nil {
		return nil
	}
	var found any
	for _, key := range *set {
		switch {
		case key.Algorithm != "" && key.Algorithm != header.Algorithm:
		case header.KeyID != "" && key.KeyID == header.KeyID:
			return key.Key
		case header.KeyID == "" && found != nil:
			return nil
		case header.KeyID == "":
			found = key.Key
		}
	}
	return found
}

// ask reads the keys for a token that needs another, unless that was done just
// before.
func (p *published) ask(ctx context.Context) {
	select {
	case p.fetching <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-p.fetching }()
	if time.Since(p.asked) < refreshAgain && !p.asked.IsZero() {
		return
	}
	p.asked = time.Now()
	_ = p.refresh(ctx) // it is logged
}

// run reads the keys again and again until ctx ends.
func (p *published) run(ctx context.Context) {
	wait := retryMin
	for {
		err := p.refresh(ctx)
		switch {
		case err == nil:
			wait = refreshEvery
		case p.set.Load() != nil:
			wait = retryMax
		default:
			wait = min(2*wait, retryMax)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// refresh reads the keys, and keeps those it had if that fails.
func (p *published) refresh(ctx context.Context) error {
	set, err := p.fetch(ctx)
	if err == nil {
		p.count("ok")
		p.set.Store(&set)
		return nil
	}
	if ctx.Err() == nil {
		p.count("failed")
		p.log.Warn("read keys of sign-in", slog.String("error", err.Error()), slog.Bool("has_keys", p.set.Load() != nil))
	}
	return err
}

// fetch reads the keys once.
func (p *published) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, errors.New("signin: read keys: the address cannot be asked")
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		if told, ok := errors.AsType[*url.Error](err); ok {
			err = told.Err // without the address, whose query may be nobody's business
		}
		return nil, fmt.Errorf("signin: read keys: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("signin: read keys: answered %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxSet+1))
	if err != nil {
		return nil, fmt.Errorf("signin: read keys: %w", err)
	}
	return parseSet(data)
}

// parseSet reads a set of keys, and leaves out what cannot be used.
func parseSet(data []byte) ([]jose.JSONWebKey, error) {
	if len(data) > maxSet {
		return nil, fmt.Errorf("signin: read keys: more than %d bytes", maxSet)
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("signin: read keys: %w", err)
	}
	var set []jose.JSONWebKey
	for _, one := range raw.Keys[:min(len(raw.Keys), maxSetKeys)] {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil && usable(&key) {
			set = append(set, key)
		}
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("signin: read keys: %w", errNoKeys)
	}
	return slices.Clip(set), nil
}

// usable reports whether a key can prove a signature. A secret in a published
// set is none.
func usable(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok {
		return k.Size() >= minRSA
	}
	return true
}
