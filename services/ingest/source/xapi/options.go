package xapi

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	defaultIdle     = 25 * time.Second
	defaultMaxFrame = 8 << 20
	minFrame        = 1 << 10
	maxFrame        = 256 << 20
	// maxBackfill is the most that the API fills up, in minutes.
	maxBackfill = 5
	defaultTag  = "blipstream"
	publicHost  = "api.x.com"
	// unlimited is the value of max-posts for no end.
	unlimited = "unlimited"
)

// The streams.
const (
	streamFiltered = "filtered"
	streamSample   = "sample"
)

// options is what a source's URL and secret say.
type options struct {
	base     url.URL
	auth     string
	stream   string
	rules    string
	tag      string
	budget   uint64 // 0: none
	backfill int
	takeover bool
	idle     time.Duration
	maxFrame int
}

// parse reads a source's URL and secret.
func parse(u *url.URL, secret string) (o options, err error) {
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, fmt.Errorf("xapi: read parameters: %w", err)
	}
	o = options{
		stream: take(params, "stream"), rules: take(params, "rules"), tag: take(params, "tag"),
		idle: defaultIdle, maxFrame: defaultMaxFrame,
	}
	if o.stream == "" {
		o.stream = streamFiltered
	}
	if o.tag == "" {
		o.tag = defaultTag
	}
	err = errors.Join(o.takeHost(u), o.takeSecret(secret), o.takeBudget(params, u.Scheme == "x"), o.takeNumbers(params), o.check())
	for name := range params {
		err = errors.Join(err, fmt.Errorf("xapi: read parameter %s: there is none of that name", name))
	}
	return o, err
}

// take removes a parameter and returns its value.
func take(params url.Values, name string) string {
	value := params.Get(name)
	params.Del(name)
	return value
}

func (o *options) takeHost(u *url.URL) error {
	_, transport, other := strings.Cut(u.Scheme, "+")
	switch {
	case !other && (u.Host != "" || u.Opaque != ""):
		return errors.New("xapi: read url: another host is written x+https://host")
	case !other:
		o.base = url.URL{Scheme: "https", Host: publicHost}
	case u.Host == "":
		return fmt.Errorf("xapi: read url: it needs a host, as in %s://host", u.Scheme)
	default:
		o.base = url.URL{Scheme: transport, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}
	}
	return nil
}

// takeSecret makes the header's value of a secret. Its errors never hold any of it.
func (o *options) takeSecret(secret string) error {
	kind, token, _ := strings.Cut(strings.TrimSpace(secret), ":")
	if !strings.EqualFold(kind, "bearer") || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("xapi: read secret: it must be bearer:<token>, the token of an application; put it into BLIPSTREAM_SECRET_<NAME>")
	}
	o.auth = "Bearer " + token
	return nil
}

func (o *options) takeBudget(params url.Values, charged bool) (err error) {
	switch s := take(params, "max-posts"); {
	case s == "" && charged:
		return errors.New("xapi: read parameter max-posts: X charges for every post; give max-posts=10000 or as many as may be delivered, or max-posts=unlimited")
	case s == "" || s == unlimited:
	default:
		if o.budget, err = strconv.ParseUint(s, 10, 40); err != nil || o.budget == 0 {
			return fmt.Errorf("xapi: read parameter max-posts: %q is neither a number of posts nor unlimited", s)
		}
	}
	return nil
}

func (o *options) takeNumbers(params url.Values) (err error) {
	takeover, backfill := take(params, "takeover"), take(params, "backfill")
	idle, frame := take(params, "idle"), take(params, "max-frame")
	if takeover != "" {
		if o.takeover, err = strconv.ParseBool(takeover); err != nil {
			return fmt.Errorf("xapi: read parameter takeover: %q is not true or false", takeover)
		}
	}
	if backfill != "" {
		if o.backfill, err = strconv.Atoi(backfill); err != nil || o.backfill < 0 || o.backfill > maxBackfill {
			return fmt.Errorf("xapi: read parameter backfill: %q is not a number of minutes from 0 to %d", backfill, maxBackfill)
		}
	}
	if idle != "" {
		if o.idle, err = time.ParseDuration(idle); err != nil || o.idle <= 0 {
			return fmt.Errorf("xapi: read parameter idle: %q is not a positive duration such as 25s", idle)
		}
	}
	if frame != "" {
		if o.maxFrame, err = strconv.Atoi(frame); err != nil || o.maxFrame < minFrame || o.maxFrame > maxFrame {
			return fmt.Errorf("xapi: read parameter max-frame: %q is not a number of bytes from %d to %d", frame, minFrame, maxFrame)
		}
	}
	return nil
}

var tagForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func (o *options) check() error {
	switch {
	case o.stream != streamFiltered && o.stream != streamSample:
		return fmt.Errorf("xapi: read parameter stream: %q is not filtered or sample", o.stream)
	case o.stream == streamSample && o.rules != "":
		return errors.New("xapi: read parameter rules: the sampled stream has none")
	case !tagForm.MatchString(o.tag):
		return fmt.Errorf("xapi: read parameter tag: %q is not made of letters, digits, _ and - (32 at most)", o.tag)
	}
	return nil
}

// The fields that posts are asked for with, by the names of the API's
// documentation: what its decoder reads, and no more, since expansions make
// messages longer.
const (
	tweetFields = "created_at,lang,entities,geo,author_id,referenced_tweets,attachments,note_tweet,edit_history_tweet_ids,withheld"
	expansions  = "author_id,geo.place_id,attachments.media_keys,referenced_tweets.id,referenced_tweets.id.author_id"
	userFields  = "username,name,location"
	placeFields = "full_name,country_code,geo,place_type"
)

// streamURL is where the stream is. What fills up is asked for every time: the
// process before this one, or the one that held the lease, may have read until a
// moment ago, and what it has stored is not stored again.
func (o *options) streamURL() string {
	path := "/2/tweets/search/stream"
	if o.stream == streamSample {
		path = "/2/tweets/sample/stream"
	}
	q := url.Values{
		"tweet.fields": {tweetFields}, "expansions": {expansions}, "user.fields": {userFields}, "place.fields": {placeFields},
	}
	if o.backfill > 0 {
		q.Set("backfill_minutes", strconv.Itoa(o.backfill))
	}
	return o.at(path) + "?" + q.Encode()
}

// at is the URL of a path.
func (o *options) at(path string) string {
	u := o.base
	path, u.RawQuery, _ = strings.Cut(path, "?")
	u.Path += path
	return u.String()
}
