package twitter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // OAuth 1.0a signs by HMAC-SHA1, whose strength does not rest on that of SHA-1
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauth signs requests by OAuth 1.0a (RFC 5849, HMAC-SHA1), as statuses/filter
// asks of a user's client.
type oauth struct {
	key, secret, token, tokenSecret string
}

// oauthForm is how a secret is written by which requests are signed.
const oauthForm = "oauth1:<consumer key>:<consumer secret>:<token>:<token secret>"

// parseOAuth reads what stands behind oauth1: in oauthForm. Its error holds none
// of it.
func parseOAuth(s string) (*oauth, error) {
	parts := strings.Split(s, ":")
	const all = 4
	if len(parts) != all || slices.Contains(parts, "") {
		return nil, errors.New("twitter: read secret: it must be " + oauthForm)
	}
	return &oauth{parts[0], parts[1], parts[2], parts[3]}, nil
}

// header is the Authorization header of a request with form as its query or its
// body. Every request has a new one.
func (o *oauth) header(method string, endpoint url.URL, form url.Values, now time.Time) string {
	return o.sign(method, endpoint, form, strconv.FormatInt(now.Unix(), 10), rand.Text())
}

func (o *oauth) sign(method string, endpoint url.URL, form url.Values, timestamp, nonce string) string {
	own := map[string]string{
		"oauth_consumer_key": o.key, "oauth_nonce": nonce, "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": timestamp, "oauth_token": o.token, "oauth_version": "1.0",
	}
	mac := hmac.New(sha1.New, []byte(percent(o.secret)+"&"+percent(o.tokenSecret)))
	mac.Write([]byte(strings.ToUpper(method) + "&" + percent(baseURL(endpoint)) + "&" + percent(parameters(own, form))))
	own["oauth_signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	fields := make([]string, 0, len(own))
	for name, value := range own {
		fields = append(fields, fmt.Sprintf("%s=%q", name, percent(value)))
	}
	slices.Sort(fields)
	return "OAuth " + strings.Join(fields, ", ")
}

// baseURL is the address as it is signed: in lower case, without the port that
// the scheme has anyway, without parameters.
func baseURL(u url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
	return scheme + "://" + host + u.EscapedPath()
}

// parameters writes all parameters as they are signed: encoded, sorted by name
// and then by value.
func parameters(own map[string]string, form url.Values) string {
	type pair struct{ name, value string }
	var pairs []pair
	for name, value := range own {
		pairs = append(pairs, pair{percent(name), percent(value)})
	}
	for name, values := range form {
		for _, value := range values {
			pairs = append(pairs, pair{percent(name), percent(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p.name + "=" + p.value
	}
	return strings.Join(parts, "&")
}

// percent encodes all but RFC 3986's unreserved characters.
func percent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
