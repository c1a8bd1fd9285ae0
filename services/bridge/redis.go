package bridge

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// clientName is what CLIENT LIST shows.
	clientName = "blipstream-bridge"
	// redisTimeout bounds a dial, a write and the wait for an answer, unless
	// the URL sets another bound. A Redis that hangs is found out by it.
	redisTimeout = 3 * time.Second
	// respVersion: every Redis since 2.0 speaks it, and pub/sub needs no more.
	respVersion = 2
	// bufferBytes is the size of a connection's buffers: a batch goes out in
	// few writes, and a burst comes in with few reads.
	bufferBytes = 256 << 10
	// noRetries: go-redis would publish a batch again by itself, behind one
	// that was sent meanwhile. The bridge does it in order.
	noRetries = -1
)

var errURL = errors.New("not a URL such as redis://host:6379 (special characters in a password must be percent-encoded)")

// newClient makes a client of what raw names, without dialling. Its errors
// never repeat raw, which may hold a password; password wins over that one.
func newClient(raw, password string) (redis.UniversalClient, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Opaque != "" || (u.Host == "" && u.Scheme != "unix") || torn(u) {
		return nil, errURL
	}
	var c redis.UniversalClient
	switch q := u.Query(); {
	case q.Has("master_name"):
		c, err = sentinel(raw, password)
	case q.Has("addr"):
		c, err = cluster(raw, password)
	default:
		c, err = single(raw, password)
	}
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "redis: "))
	}
	return c, nil
}

// torn reports whether the password has come apart: a / or # in one that begins
// with digits makes these a port, and the rest, up to the host, something else.
func torn(u *url.URL) bool {
	return u.Scheme != "unix" && strings.Contains(u.Path+u.Fragment, "@")
}

func single(raw, password string) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(raw)
	if err != nil {
		return nil, err
	}
	o.ClientName, o.Protocol, o.MaxRetries, o.ContextTimeoutEnabled = clientName, respVersion, noRetries, true
	o.DialerRetries, o.ReadBufferSize, o.WriteBufferSize = 1, bufferBytes, bufferBytes
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	overwrite(&o.Password, password)
	return redis.NewClient(o), nil
}

func cluster(raw, password string) (redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(raw)
	if err != nil {
		return nil, err
	}
	o.ClientName, o.Protocol, o.MaxRetries, o.ContextTimeoutEnabled = clientName, respVersion, noRetries, true
	o.DialerRetries, o.ReadBufferSize, o.WriteBufferSize = 1, bufferBytes, bufferBytes
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	overwrite(&o.Password, password)
	return redis.NewClusterClient(o), nil
}

// sentinel: the user and password before the @ are the Sentinels' own; those
// of Redis are the parameters username and password.
func sentinel(raw, password string) (redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(raw)
	if err != nil {
		return nil, err
	}
	if o.MasterName == "" {
		return nil, errors.New("master_name is empty")
	}
	o.ClientName, o.Protocol, o.MaxRetries, o.ContextTimeoutEnabled = clientName, respVersion, noRetries, true
	o.DialerRetries, o.ReadBufferSize, o.WriteBufferSize = 1, bufferBytes, bufferBytes
	bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	overwrite(&o.Password, password)
	return redis.NewFailoverClient(o), nil
}

// bound sets the timeouts that the URL did not.
func bound(timeouts ...*time.Duration) {
	for _, t := range timeouts {
		if *t == 0 {
			*t = redisTimeout
		}
	}
}

func overwrite(to *string, s string) {
	if s != "" {
		*to = s
	}
}

// silent is the logger of go-redis: the library writes a line to standard error
// for every failed dial, and the bridge logs what they say once. It holds for
// the whole process, in which nothing else speaks to Redis.
type silent struct{}

// Printf implements go-redis' logger.
func (silent) Printf(context.Context, string, ...any) {}
