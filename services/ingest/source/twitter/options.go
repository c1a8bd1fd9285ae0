package twitter

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source/framing"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

const (
	// defaultStall is three of the keep-alives that come every 30 s.
	defaultStall = 90 * time.Second
	// defaultMaxFrame leaves room for anything a stream was seen to send, and
	// bounds the memory that one message can take.
	defaultMaxFrame = 8 << 20
	minFrame        = 1 << 10
	maxFrame        = 256 << 20
)

// options is what a source's URL and secret say.
type options struct {
	method   string
	endpoint url.URL
	form     url.Values
	auth     string // a header that is the same every time
	oauth    *oauth // or what signs each request
	framing  framing.Mode
	stall    time.Duration
	maxFrame int
}

// parse reads a source's URL and secret.
func parse(u *url.URL, secret string) (o options, err error) {
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, fmt.Errorf("twitter: read parameters: %w", err)
	}
	if u.Host == "" {
		return o, errors.New("twitter: read url: it needs a host, as in twitter+https://stream.example.com/1.1/statuses/sample.json")
	}
	o.endpoint = url.URL{Scheme: strings.TrimPrefix(u.Scheme, "twitter+"), Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	err = errors.Join(o.takeSecret(secret), o.takeFraming(params), o.takeLimits(params), o.takeMethod(params))
	o.form = params
	return o, err
}

// takeFraming takes the parameters that say how messages are separated.
func (o *options) takeFraming(params url.Values) error {
	modes := map[string]framing.Mode{"": framing.Auto, "auto": framing.Auto, "crlf": framing.CRLF, "lf": framing.LF}
	mode, ok := modes[params.Get("framing")]
	if !ok {
		return fmt.Errorf("twitter: read parameter framing: %q is not auto, crlf or lf", params.Get("framing"))
	}
	params.Del("framing")
	if params.Get("delimited") == "length" {
		mode = framing.Delimited
	}
	o.framing = mode
	return nil
}

// takeLimits takes the parameters stall and max-frame.
func (o *options) takeLimits(params url.Values) (err error) {
	o.stall, o.maxFrame = defaultStall, defaultMaxFrame
	if s := params.Get("stall"); s != "" {
		if o.stall, err = time.ParseDuration(s); err != nil || o.stall <= 0 {
			return fmt.Errorf("twitter: read parameter stall: %q is not a positive duration such as 90s", s)
		}
	}
	if s := params.Get("max-frame"); s != "" {
		if o.maxFrame, err = strconv.Atoi(s); err != nil || o.maxFrame < minFrame || o.maxFrame > maxFrame {
			return fmt.Errorf("twitter: read parameter max-frame: %q is not a number of bytes from %d to %d", s, minFrame, maxFrame)
		}
	}
	params.Del("stall")
	params.Del("max-frame")
	return nil
}

// takeMethod takes the parameter method, or decides by the path.
func (o *options) takeMethod(params url.Values) error {
	method := strings.ToUpper(params.Get("method"))
	params.Del("method")
	switch {
	case method == http.MethodGet || method == http.MethodPost:
		o.method = method
	case method != "":
		return fmt.Errorf("twitter: read parameter method: %q is not get or post", strings.ToLower(method))
	case strings.HasSuffix(o.endpoint.Path, "filter.json"):
		o.method = http.MethodPost
	default:
		o.method = http.MethodGet
	}
	return nil
}

// takeSecret takes the credential.
func (o *options) takeSecret(secret string) (err error) {
	if kind, rest, _ := strings.Cut(strings.TrimSpace(secret), ":"); strings.EqualFold(kind, "oauth1") {
		o.oauth, err = parseOAuth(rest)
		return err
	}
	o.auth, err = upstream.Authorization(secret, oauthForm)
	return err
}

// authorize is the Authorization header of the next request; "" for none.
func (o *options) authorize(now time.Time) string {
	if o.oauth != nil {
		return o.oauth.header(o.method, o.endpoint, o.form, now)
	}
	return o.auth
}
