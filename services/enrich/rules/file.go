package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/blipstream/blipstream/internal/feed"
)

// Limits of a text of rules. They bound what a mistake can cost, and lie far
// above what a person writes.
const (
	// MaxText is the longest text, in bytes; it fits one message of NATS.
	MaxText = 512 << 10
	// MaxRules is how many rules a set has at most.
	MaxRules = 200
	// maxEmit is how many fields an event has at most.
	maxEmit = 64
	// maxExpression is the longest expression, in characters.
	maxExpression = 4096
	// maxTests is how many tests a rule has at most.
	maxTests = 200
)

// file is the text of a set, as YAML reads it.
type file struct {
	Ask   map[string]*Service `yaml:"ask"`
	Rules []*spec             `yaml:"rules"`
}

// spec is one rule as it is written.
type spec struct {
	Kind   feed.Kind `yaml:"kind"`
	About  string    `yaml:"about"`
	When   string    `yaml:"when"`
	Ask    string    `yaml:"ask"`
	Keep   string    `yaml:"keep"`
	Emit   fieldList `yaml:"emit"`
	Sample *float64  `yaml:"sample"`
	Tests  []*test   `yaml:"tests"`
	// line is where it stands in the text.
	line int
}

// UnmarshalYAML notes the line.
func (s *spec) UnmarshalYAML(n *yaml.Node) error {
	type plain spec
	if err := known(n, (*plain)(s)); err != nil {
		return err
	}
	s.line = n.Line
	return nil
}

// known decodes a node into a struct and refuses fields that it does not have.
// (A Decoder's own KnownFields is not passed on to UnmarshalYAML.)
func known(n *yaml.Node, out any) error {
	text, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: %s", n.Line, innerLine.ReplaceAllString(oneLine(err), ""))
	}
	return nil
}

// innerLine is where a part of a text has a mistake, which counts from the
// part's own beginning and would mislead.
var innerLine = regexp.MustCompile(`line \d+: `)

// fieldList is named expressions in the order in which they are written.
type fieldList []namedExpr

type namedExpr struct{ name, text string }

// UnmarshalYAML reads a mapping of names to expressions.
func (l *fieldList) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: must be a mapping of names to expressions", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if v.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: %s must be an expression", v.Line, k.Value)
		}
		*l = append(*l, namedExpr{k.Value, v.Value})
	}
	return nil
}

// OnError says what becomes of an item whose question was not answered.
type OnError string

// What may become of it.
const (
	// OnErrorSkip leaves out the rule's event; the item's others go on.
	OnErrorSkip OnError = "skip"
	// OnErrorRetry has the whole item come again later.
	OnErrorRetry OnError = "retry"
	// OnErrorDead puts the whole item into DEAD.
	OnErrorDead OnError = "dead"
)

// Service is somebody on the bus whom rules may ask.
type Service struct {
	// Name is how rules call it.
	Name string `yaml:"-"`
	// Subject is where it listens.
	Subject string `yaml:"subject"`
	// Send is what it is told: a JSON object of these expressions.
	Send fieldList `yaml:"send"`
	// Timeout is how long an answer may take.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency is how many questions one process has open at a time.
	Concurrency int `yaml:"concurrency"`
	// OnError says what to do without an answer.
	OnError OnError `yaml:"on_error"`
}

// The bounds of a Service. An item waits for a slot and then for its answer,
// four times the timeout at most, which must stay below the 30 s after which
// the server hands it to another replica.
const (
	defaultTimeout     = 500 * time.Millisecond
	maxTimeout         = 5 * time.Second
	defaultConcurrency = 64
	maxConcurrency     = 1024
)

// UnmarshalYAML fills in what is not said.
func (s *Service) UnmarshalYAML(n *yaml.Node) error {
	type plain Service
	*s = Service{Timeout: defaultTimeout, Concurrency: defaultConcurrency, OnError: OnErrorSkip}
	return known(n, (*plain)(s))
}

var (
	fieldForm   = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,62}$`)
	serviceForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	subjectForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

// check finds settings that cannot work.
func (s *Service) check() error {
	switch {
	case !serviceForm.MatchString(s.Name):
		return errors.New("its name must be lower case, digits and _")
	case !subjectForm.MatchString(s.Subject):
		return fmt.Errorf("subject %q must be dotted words of letters, digits, _ and -", s.Subject)
	case streamSubject(s.Subject):
		return fmt.Errorf("subject %q belongs to a stream: take another first word", s.Subject)
	case s.Timeout < time.Millisecond || s.Timeout > maxTimeout:
		return fmt.Errorf("timeout must be 1ms to %s, not %s", maxTimeout, s.Timeout)
	case s.Concurrency < 1 || s.Concurrency > maxConcurrency:
		return fmt.Errorf("concurrency must be 1 to %d, not %d", maxConcurrency, s.Concurrency)
	case s.OnError != OnErrorSkip && s.OnError != OnErrorRetry && s.OnError != OnErrorDead:
		return fmt.Errorf("on_error must be skip, retry or dead, not %q", s.OnError)
	}
	return checkFields(s.Send, "send")
}

// streamSubject reports whether a stream would store what is sent there.
func streamSubject(s string) bool {
	first, _, _ := strings.Cut(s, ".")
	return first == "raw" || first == "events" || first == "replay" || first == "dead" || strings.HasPrefix(first, "_INBOX")
}

// own are the fields that every event has; a rule cannot set them.
func own(name string) bool {
	return name == "id" || name == "source" || name == "time" || name == "userId" || name == "simulated"
}

// checkFields refuses names that are no good, or there twice.
func checkFields(l fieldList, what string) error {
	if len(l) > maxEmit {
		return fmt.Errorf("%s: %d fields are more than %d", what, len(l), maxEmit)
	}
	seen := map[string]bool{}
	for _, f := range l {
		if !fieldForm.MatchString(f.name) {
			return fmt.Errorf("%s: field %q must be a letter in lower case, then letters, digits and _", what, f.name)
		}
		if seen[f.name] {
			return fmt.Errorf("%s: field %s is there twice", what, f.name)
		}
		seen[f.name] = true
	}
	return nil
}

// check finds what is wrong with a rule before its expressions are looked at.
func (s *spec) check() error {
	switch {
	case !s.Kind.Valid():
		return errors.New("kind must be lower case, digits and _, and none of the names that streams of events use")
	case builtIn(s.Kind):
		return errors.New("kind is built in: take another name")
	case strings.TrimSpace(s.When) == "":
		return errors.New("when is missing")
	case s.Sample != nil && !(*s.Sample > 0 && *s.Sample <= 1):
		return fmt.Errorf("sample must be above 0 and at most 1, not %v", *s.Sample)
	case s.Keep != "" && s.Ask == "":
		return errors.New("keep looks at an answer, so it needs ask; without one write it into when")
	case len(s.Tests) > maxTests:
		return fmt.Errorf("%d tests are more than %d", len(s.Tests), maxTests)
	}
	if i := slices.Index(s.Tests, nil); i >= 0 {
		return fmt.Errorf("test %d says nothing", i+1)
	}
	for _, f := range s.Emit {
		if own(f.name) {
			return fmt.Errorf("emit: %s is on every event and cannot be set", f.name)
		}
	}
	return checkFields(s.Emit, "emit")
}

// builtIn reports whether enrich itself makes events of that kind.
func builtIn(k feed.Kind) bool { return slices.Contains(feed.Kinds(), k) }

// parse reads a text; its errors are one line each.
func parse(text []byte) (*file, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%d bytes are more than %d", len(text), MaxText)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read YAML: %s", oneLine(err))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read YAML: there is more than one document")
	}
	if len(f.Rules) > MaxRules {
		return nil, fmt.Errorf("%d rules are more than %d", len(f.Rules), MaxRules)
	}
	return &f, f.check()
}

// check finds what is wrong with a set before its expressions are looked at.
func (f *file) check() error {
	for name, s := range f.Ask {
		if s == nil {
			return fmt.Errorf("ask %s: says nothing", name)
		}
		s.Name = name
		if err := s.check(); err != nil {
			return fmt.Errorf("ask %s: %w", name, err)
		}
	}
	if f.Rules == nil { // an empty text, of a file that is being written or is not there
		return errors.New("there are none: to have none in force, write rules: []")
	}
	seen := map[feed.Kind]int{}
	for i, s := range f.Rules {
		if s == nil {
			return fmt.Errorf("rule %d says nothing", i+1)
		}
		err := s.check()
		if at, twice := seen[s.Kind]; err == nil && twice {
			err = fmt.Errorf("line %d has a rule of that kind already: join them with ||", at)
		}
		if err == nil && s.Ask != "" && f.Ask[s.Ask] == nil {
			err = fmt.Errorf("ask: there is no %q", s.Ask)
		}
		if err != nil {
			return fmt.Errorf("rule %q (line %d): %w", s.Kind, s.line, err)
		}
		seen[s.Kind] = s.line
	}
	return nil
}

// oneLine makes one line of an error's text.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
