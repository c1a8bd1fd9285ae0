package file

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	// standardInput is the path that stands for it.
	standardInput = "-"
	// defaultMaxGap keeps a replay alive over the holes in a recording.
	defaultMaxGap = 5 * time.Second
	// defaultMaxLine leaves room for anything a stream was seen to send.
	defaultMaxLine = 8 << 20
	minLine        = 1 << 10
	maxLine        = 256 << 20
)

// options is what a source's URL says.
type options struct {
	path    string
	speed   float64
	loop    bool
	maxGap  time.Duration
	maxLine int
}

// parse reads a source's URL.
func parse(u *url.URL) (o options, err error) {
	if o.path, err = pathOf(u); err != nil {
		return o, err
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, fmt.Errorf("file: read parameters: %w", err)
	}
	known := []string{"speed", "loop", "max-gap", "max-line"}
	for name := range params {
		if !slices.Contains(known, name) {
			return o, fmt.Errorf("file: read parameters: %q is not one of %v", name, known)
		}
	}
	err = errors.Join(o.takePace(params), o.takeLoop(params), o.takeMaxLine(params))
	return o, err
}

// pathOf is the path a file: URL names, relative ones included.
func pathOf(u *url.URL) (string, error) {
	if u.Host != "" && u.Host != "localhost" {
		return "", fmt.Errorf("file: read url: %q is a host there; write file:%s%s or file:///<absolute path>", u.Host, u.Host, u.Path)
	}
	path := u.Path
	if u.Opaque != "" {
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", fmt.Errorf("file: read url: %w", err)
		}
	}
	if path == "" {
		return "", errors.New("file: read url: it names no file; write file:<path>, or file:- for standard input")
	}
	return path, nil
}

// takePace takes the parameters speed and max-gap.
func (o *options) takePace(params url.Values) (err error) {
	if s := params.Get("speed"); s != "" {
		o.speed, err = strconv.ParseFloat(s, 64)
		if err != nil || o.speed < 0 || math.IsInf(o.speed, 0) || math.IsNaN(o.speed) {
			return fmt.Errorf("file: read parameter speed: %q is not a number from 0", s)
		}
	}
	o.maxGap = defaultMaxGap
	if s := params.Get("max-gap"); s != "" {
		if o.maxGap, err = time.ParseDuration(s); err != nil || o.maxGap < 0 {
			return fmt.Errorf("file: read parameter max-gap: %q is not a duration such as 5s", s)
		}
	}
	return nil
}

// takeLoop takes the parameter loop, which may stand without a value.
func (o *options) takeLoop(params url.Values) (err error) {
	if !params.Has("loop") {
		return nil
	}
	o.loop = true
	if s := params.Get("loop"); s != "" {
		if o.loop, err = strconv.ParseBool(s); err != nil {
			return fmt.Errorf("file: read parameter loop: %q is not true or false", s)
		}
	}
	if o.loop && o.path == standardInput {
		return errors.New("file: read parameter loop: standard input cannot be read twice")
	}
	return nil
}

// takeMaxLine takes the parameter max-line.
func (o *options) takeMaxLine(params url.Values) (err error) {
	o.maxLine = defaultMaxLine
	s := params.Get("max-line")
	if s == "" {
		return nil
	}
	if o.maxLine, err = strconv.Atoi(s); err != nil || o.maxLine < minLine || o.maxLine > maxLine {
		return fmt.Errorf("file: read parameter max-line: %q is not a number of bytes from %d to %d", s, minLine, maxLine)
	}
	return nil
}

// check looks whether the file is there and what it is: only regular files can
// be resumed and read twice.
func (o *options) check() (regular bool, err error) {
	if o.path == standardInput {
		return false, nil
	}
	info, err := os.Stat(o.path)
	if err != nil {
		return false, fmt.Errorf("file: open: %w", err)
	}
	if info.IsDir() {
		return false, fmt.Errorf("file: open: %s is a directory", o.path)
	}
	if !info.Mode().IsRegular() && o.loop {
		return false, fmt.Errorf("file: read parameter loop: %s cannot be read twice", o.path)
	}
	return info.Mode().IsRegular(), nil
}
