package simulate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Options say how a server behaves.
type Options struct {
	// World is what is served; nil: DefaultWorld(1), beginning now.
	World *World
	// Items is how many items there are; 0: without end. After the last a
	// connection stays open and quiet.
	Items uint64
	// Rate is how many items a second are served; 0: as fast as they are read.
	Rate float64
	// Resume keeps a position per credential: a connection goes on with the
	// first item that was not written in whole to the one before, and nothing
	// is served while nobody is connected. Without it the stream is live, as
	// the real one: with a Rate it flows whether somebody reads or not, and
	// without one each connection begins at item 0.
	Resume bool
	// Rewind is how many items a resumed connection repeats: what was written
	// to a client that was killed had perhaps not been read.
	Rewind uint64
	// Secrets are the credentials let in, as "bearer:<token>" or
	// "basic:<user>:<password>"; none: everybody, told apart by what they send.
	Secrets []string
	// KeepAlive is after how long a quiet connection gets an empty line; zero:
	// 30 s, as Twitter had it.
	KeepAlive time.Duration
	// Newlines puts a bare \n into every message, as the real one sometimes
	// has it: only \r\n ends a message.
	Newlines bool
	// Script is what goes wrong on the first, second, ... connection,
	// whosoever's it is. Later ones are fine.
	Script []Fault
}

// defaultKeepAlive is Twitter's.
const defaultKeepAlive = 30 * time.Second

// maxRate is more than any server here reaches; it keeps times representable.
const maxRate = 10_000_000

func (o Options) withDefaults() (Options, error) {
	if !(o.Rate >= 0 && o.Rate <= maxRate) {
		return o, fmt.Errorf("simulate: check options: rate is %v, not a number from 0 to %v", o.Rate, maxRate)
	}
	for _, s := range o.Secrets {
		if header(s) == "" {
			return o, errors.New("simulate: check options: a secret is neither bearer:<token> nor basic:<user>:<password>")
		}
	}
	for i, f := range o.Script {
		if err := f.check(); err != nil {
			return o, fmt.Errorf("%w (fault %d of the script)", err, i+1)
		}
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = defaultKeepAlive
	}
	if o.World != nil {
		return o, nil
	}
	world := DefaultWorld(1)
	world.Epoch = time.Now()
	if o.Rate > 0 {
		world.Gap = time.Duration(float64(time.Second) / o.Rate)
	}
	var err error
	o.World, err = NewWorld(world)
	return o, err
}

// header is the Authorization header that a secret becomes; "" if it is none.
func header(secret string) string {
	kind, rest, _ := strings.Cut(secret, ":")
	switch {
	case kind == "bearer" && rest != "":
		return "Bearer " + rest
	case kind == "basic" && strings.Contains(rest, ":"):
		user, password, _ := strings.Cut(rest, ":")
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	return ""
}

// admit returns whose connection a request is, and whether it is let in.
func (o *Options) admit(r *http.Request) (credential string, ok bool) {
	got := r.Header.Get("Authorization")
	if len(o.Secrets) == 0 {
		return got, true
	}
	return got, slices.ContainsFunc(o.Secrets, func(s string) bool { return header(s) == got })
}
