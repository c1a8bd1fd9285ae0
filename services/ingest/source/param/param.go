package param

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// Params are the parameters of one URL. The methods that take one remember what
// is wrong with it, for Err.
type Params struct {
	who    string
	values url.Values
	errs   []error
}

// Of reads the parameters of u. who, the package of the source, begins errors.
func Of(who string, u *url.URL) *Params {
	values, err := url.ParseQuery(u.RawQuery)
	p := &Params{who: who, values: values}
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("%s: read parameters: %w", who, err))
	}
	return p
}

// take removes a parameter and returns it; of several of its name the first.
func (p *Params) take(name string) string {
	v := p.values.Get(name)
	p.values.Del(name)
	return v
}

func (p *Params) fail(name, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: read parameter %s: %w", p.who, name, fmt.Errorf(format, args...)))
}

// Text takes a text; without it, unset.
func (p *Params) Text(name, unset string) string {
	if v := p.take(name); v != "" {
		return v
	}
	return unset
}

// OneOf takes a text that must be one of those allowed; without it the first.
func (p *Params) OneOf(name string, allowed ...string) string {
	v := p.Text(name, allowed[0])
	if !slices.Contains(allowed, v) {
		p.fail(name, "%q is not one of %s", v, strings.Join(allowed, ", "))
	}
	return v
}

// Format takes the parameter format, the name of a payload's format; without it
// the empty one, of items that are told apart by their shape.
func (p *Params) Format() feed.Format {
	f, known := feed.Format(p.take("format")), feed.Formats()
	if f == "" || slices.Contains(known, f) {
		return f
	}
	names := make([]string, len(known))
	for i := range known {
		names[i] = string(known[i])
	}
	p.fail("format", "%q is not one of %s; leave it out to have it told by the shape", f, strings.Join(names, ", "))
	return ""
}

// Duration takes a duration from low to high; without it, unset.
func (p *Params) Duration(name string, unset, low, high time.Duration) time.Duration {
	v := p.take(name)
	if v == "" {
		return unset
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < low || d > high {
		p.fail(name, "%q is not a duration from %v to %v, such as %v", v, low, high, unset)
	}
	return d
}

// Int takes a whole number from low to high; without it, unset.
func (p *Params) Int(name string, unset, low, high int) int {
	v := p.take(name)
	if v == "" {
		return unset
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		p.fail(name, "%q is not a number from %d to %d", v, low, high)
	}
	return n
}

// Flag takes true or false; without it false.
func (p *Params) Flag(name string) bool {
	v := p.take(name)
	if v == "" {
		return false
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		p.fail(name, "%q is not true or false", v)
	}
	return on
}

// Fail adds an error of a parameter that the caller has looked at.
func (p *Params) Fail(name string, err error) { p.fail(name, "%w", err) }

// Rest is what was not taken: the upstream's own parameters.
func (p *Params) Rest() url.Values { return p.values }

// NoMore makes an error of what was not taken, for upstreams that have no
// parameters of their own: a misspelt one that is ignored is worse.
func (p *Params) NoMore() {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		p.fail(name, "there is no such parameter")
	}
}

// Err is all that was wrong, on one line; nil if nothing was.
func (p *Params) Err() error {
	if len(p.errs) == 0 {
		return nil
	}
	var lines []string
	for _, err := range p.errs {
		lines = append(lines, err.Error())
	}
	return errors.New(strings.Join(lines, "; "))
}
