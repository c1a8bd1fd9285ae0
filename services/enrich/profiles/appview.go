package profiles

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Public is the AppView that Bluesky itself runs, for everybody.
const Public = "https://public.api.bsky.app"

const (
	// requestTimeout bounds one request. An answer that is later than Wait
	// still serves the next post of its author.
	requestTimeout = 5 * time.Second
	// maxAnswer is the longest answer that is read, in bytes: 25 profiles of
	// about 2 KB.
	maxAnswer = 1 << 20
	// maxBusy is the longest pause that the AppView is obeyed in.
	maxBusy = 15 * time.Minute
)

// ErrRefused says that the AppView will not answer this question.
var ErrRefused = errors.New("profiles: ask: refused")

// BusyError says that the AppView was asked too often.
type BusyError struct {
	// After is how long it wants to be left alone; 0 if it did not say.
	After time.Duration
}

// Error implements error.
func (e *BusyError) Error() string { return "profiles: ask: too often" }

// AppView asks a service by app.bsky.actor.getProfiles.
type AppView struct {
	base   string
	client *http.Client
}

// NewAppView makes an AppView of its address, as https://host. Its error is an
// address that cannot work.
func NewAppView(address string) (*AppView, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("profiles: read address: it is not of the form https://host")
	}
	return &AppView{base: strings.TrimSuffix(address, "/"), client: &http.Client{Timeout: requestTimeout}}, nil
}

// Fetch implements Fetcher.
func (a *AppView) Fetch(ctx context.Context, dids []string) (map[string]Profile, error) {
	address := a.base + "/xrpc/app.bsky.actor.getProfiles?" + url.Values{"actors": dids}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("profiles: ask: %w", err)
	}
	req.Header.Set("User-Agent", "blipstream")
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("profiles: ask: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest:
		return nil, ErrRefused
	case http.StatusTooManyRequests:
		return nil, &BusyError{After: busyFor(resp.Header, time.Now())}
	default:
		return nil, fmt.Errorf("profiles: ask: answered %s", resp.Status)
	}
	return read(resp.Body)
}

// read reads an answer.
func read(body io.Reader) (map[string]Profile, error) {
	b, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("profiles: read answer: %w", err)
	}
	var answer struct {
		Profiles []struct {
			DID    string `json:"did"`
			Handle string `json:"handle"`
			Name   string `json:"displayName"`
		} `json:"profiles"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("profiles: read answer: %w", err)
	}
	found := make(map[string]Profile, len(answer.Profiles))
	for _, p := range answer.Profiles {
		if p.Handle != "handle.invalid" { // what a handle is called that is not its owner's
			found[p.DID] = Profile{Handle: p.Handle, Name: p.Name}
		}
	}
	return found, nil
}

// busyFor is how long the AppView wants to be left alone, by the headers that
// it uses; 0 if it does not say.
func busyFor(h http.Header, now time.Time) time.Duration {
	var wait time.Duration
	if at, err := strconv.ParseInt(h.Get("Ratelimit-Reset"), 10, 64); err == nil {
		wait = time.Unix(at, 0).Sub(now)
	}
	if n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31); err == nil {
		wait = max(wait, time.Duration(n)*time.Second)
	}
	return min(max(wait, 0), maxBusy)
}
