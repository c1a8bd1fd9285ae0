package bus

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// checkURLs refuses what nats.go would try to dial for ever, or fail on in a
// way that repeats the URL, which may hold a password.
func checkURLs(list string) error {
	for i, s := range strings.Split(list, ",") {
		if err := checkURL(strings.TrimSpace(s)); err != nil {
			return fmt.Errorf("read NATS URL %d of %q: %w", i+1, Redact(list), err)
		}
	}
	return nil
}

func checkURL(s string) error {
	if !strings.Contains(s, "://") {
		s = "nats://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			return e.Err
		}
		return err
	}
	switch u.Scheme {
	case "nats", "tls", "ws", "wss":
	default:
		return fmt.Errorf("scheme %q is not one of nats, tls, ws, wss", u.Scheme)
	}
	if u.Hostname() == "" {
		return errors.New("host is missing")
	}
	return nil
}

// Redact removes what stands before an @, user, password or token, from a URL
// of a server or several: for what is printed.
func Redact(list string) string {
	parts := strings.Split(list, ",")
	for i, s := range parts {
		at := strings.LastIndexByte(s, '@')
		if at < 0 {
			continue
		}
		scheme, _, found := strings.Cut(s, "://")
		if !found {
			scheme = "nats"
		}
		parts[i] = scheme + "://***" + s[at:]
	}
	return strings.Join(parts, ",")
}
