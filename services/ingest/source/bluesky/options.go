package bluesky

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
	defaultIdle     = 50 * time.Second
	defaultMaxFrame = 1 << 20
	minFrame        = 1 << 10
	maxFrame        = 64 << 20
	// maxCollections and maxDIDs are the instance's own bounds.
	maxCollections = 100
	maxDIDs        = 10_000
	// maxQueryDIDs is how many accounts are named in the URL, 4 KB of it. More
	// are sent as a message on v1; v2 takes no message.
	maxQueryDIDs = 100
)

// wire is a form of the protocol.
type wire string

const (
	wireV1 wire = "v1"
	wireV2 wire = "v2"
)

// publicHosts are the instances that Bluesky itself runs.
func publicHosts(w wire) []string {
	if w == wireV2 {
		return []string{"jetstream.us-east.bsky.network", "jetstream.us-west.bsky.network"}
	}
	return []string{
		"jetstream1.us-east.bsky.network", "jetstream1.us-west.bsky.network",
		"jetstream2.us-east.bsky.network", "jetstream2.us-west.bsky.network",
	}
}

// options is what a source's URL says.
type options struct {
	wire        wire
	scheme      string // ws or wss
	path        string // before the protocol's own
	hosts       []string
	collections []string
	dids        []string
	zstd        bool
	idle        time.Duration
	maxFrame    int
}

// parse reads a source's URL.
func parse(u *url.URL, secret string) (o options, err error) {
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, fmt.Errorf("bluesky: read parameters: %w", err)
	}
	if secret != "" {
		return o, errors.New("bluesky: read secret: Jetstream takes no credentials; unset the variable")
	}
	o = options{wire: wire(take(params, "wire")), idle: defaultIdle, maxFrame: defaultMaxFrame}
	if o.wire == "" {
		o.wire = wireV1
	}
	err = errors.Join(o.takeWhere(u, params), o.takeWhat(params), o.takeLimits(params), o.check())
	for name := range params {
		err = errors.Join(err, fmt.Errorf("bluesky: read parameter %s: there is none of that name", name))
	}
	return o, err
}

// take removes a parameter and returns its value.
func take(params url.Values, name string) string {
	value := params.Get(name)
	params.Del(name)
	return value
}

// takeList takes a parameter that is a list; it may also be repeated.
func takeList(params url.Values, name string) (list []string) {
	for _, value := range params[name] {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	params.Del(name)
	return list
}

// takeWhere finds the instances.
func (o *options) takeWhere(u *url.URL, params url.Values) error {
	hosts := takeList(params, "hosts")
	_, transport, own := strings.Cut(u.Scheme, "+")
	switch {
	case !own && (u.Host != "" || u.Opaque != ""):
		return errors.New("bluesky: read url: an instance of your own is written bluesky+wss://host")
	case !own && len(hosts) > 0:
		o.scheme, o.hosts = "wss", hosts
	case !own:
		o.scheme, o.hosts = "wss", publicHosts(o.wire)
	case u.Host == "":
		return fmt.Errorf("bluesky: read url: it needs a host, as in %s://host", u.Scheme)
	default:
		o.scheme, o.hosts = transport, append([]string{u.Host}, hosts...)
		o.path = strings.TrimSuffix(u.Path, "/")
	}
	return nil
}

var (
	collectionForm = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9-]+)+(\.\*)?$`)
	didForm        = regexp.MustCompile(`^did:[a-z]+:[a-zA-Z0-9._:%-]+$`)
	hostForm       = regexp.MustCompile(`^[a-zA-Z0-9.-]+(:[0-9]+)?$|^\[[0-9a-fA-F:]+\](:[0-9]+)?$`)
)

// takeWhat takes the parameters that say which events are wanted.
func (o *options) takeWhat(params url.Values) error {
	o.collections, o.dids = takeList(params, "collections"), takeList(params, "dids")
	if len(o.collections) == 0 {
		o.collections = []string{"app.bsky.feed.post", "app.bsky.actor.profile"}
	}
	for _, c := range o.collections {
		if !collectionForm.MatchString(c) {
			return fmt.Errorf("bluesky: read parameter collections: %q is not one such as app.bsky.feed.post or app.bsky.feed.*", c)
		}
	}
	for _, d := range o.dids {
		if !didForm.MatchString(d) {
			return fmt.Errorf("bluesky: read parameter dids: %q is not one such as did:plc:abc", d)
		}
	}
	return nil
}

// takeLimits takes the parameters zstd, idle and max-frame.
func (o *options) takeLimits(params url.Values) (err error) {
	zstd, idle, frame := take(params, "zstd"), take(params, "idle"), take(params, "max-frame")
	if zstd != "" {
		if o.zstd, err = strconv.ParseBool(zstd); err != nil {
			return fmt.Errorf("bluesky: read parameter zstd: %q is not true or false", zstd)
		}
	}
	if idle != "" {
		if o.idle, err = time.ParseDuration(idle); err != nil || o.idle <= 0 {
			return fmt.Errorf("bluesky: read parameter idle: %q is not a positive duration such as 50s", idle)
		}
	}
	if frame != "" {
		if o.maxFrame, err = strconv.Atoi(frame); err != nil || o.maxFrame < minFrame || o.maxFrame > maxFrame {
			return fmt.Errorf("bluesky: read parameter max-frame: %q is not a number of bytes from %d to %d", frame, minFrame, maxFrame)
		}
	}
	return nil
}

// check refuses what no instance would do.
func (o *options) check() error {
	for _, h := range o.hosts {
		if !hostForm.MatchString(h) {
			return fmt.Errorf("bluesky: read parameter hosts: %q is not a host or host:port", h)
		}
	}
	switch {
	case o.wire != wireV1 && o.wire != wireV2:
		return fmt.Errorf("bluesky: read parameter wire: %q is not v1 or v2", o.wire)
	case o.zstd && o.wire == wireV1:
		return errors.New("bluesky: read parameter zstd: only an instance with wire=v2 hands out its dictionary; add wire=v2")
	case len(o.collections) > maxCollections:
		return fmt.Errorf("bluesky: read parameter collections: %d are more than %d", len(o.collections), maxCollections)
	case o.wire == wireV1 && len(o.dids) > maxDIDs:
		return fmt.Errorf("bluesky: read parameter dids: %d are more than %d", len(o.dids), maxDIDs)
	case o.wire == wireV2 && len(o.dids) > maxQueryDIDs:
		return fmt.Errorf("bluesky: read parameter dids: %d are more than the %d that fit into a URL of wire=v2; wire=v1 takes %d", len(o.dids), maxQueryDIDs, maxDIDs)
	}
	return nil
}
