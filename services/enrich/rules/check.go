package rules

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"cel.dev/cel-go/interpreter"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/blipstream/blipstream/internal/feed"
)

// test is one test of a rule as it is written.
type test struct {
	Name string    `yaml:"name"`
	Post *testPost `yaml:"post"`
	// Raw is the raw item: JSON as a text, or as YAML.
	Raw yaml.Node `yaml:"raw"`
	// Answer is what the service asked says.
	Answer map[string]any `yaml:"answer"`
	// Want is fields that the event must have; nil: there must be no event.
	Want map[string]any `yaml:"want"`

	line int
}

// UnmarshalYAML notes the line.
func (t *test) UnmarshalYAML(n *yaml.Node) error {
	type plain test
	if err := known(n, (*plain)(t)); err != nil {
		return err
	}
	t.line = n.Line
	return nil
}

// testPost is the fields of a post that a test gives.
type testPost struct {
	ID              string    `yaml:"id"`
	Source          string    `yaml:"source"`
	Format          string    `yaml:"format"`
	Received        time.Time `yaml:"received"`
	Time            time.Time `yaml:"time"`
	Lang            string    `yaml:"lang"`
	Type            string    `yaml:"type"`
	Username        string    `yaml:"username"`
	Name            string    `yaml:"name"`
	UserID          string    `yaml:"userId"`
	Body            string    `yaml:"body"`
	URL             string    `yaml:"url"`
	Tags            []string  `yaml:"tags"`
	Mentions        []string  `yaml:"mentions"`
	Links           []string  `yaml:"links"`
	Media           bool      `yaml:"media"`
	Simulated       bool      `yaml:"simulated"`
	Country         string    `yaml:"country"`
	City            string    `yaml:"city"`
	ProfileLocation string    `yaml:"profileLocation"`
	Sentiment       *float64  `yaml:"sentiment"`
	Magnitude       *float64  `yaml:"magnitude"`
	Lat             *float64  `yaml:"lat"`
	Lon             *float64  `yaml:"lon"`
	RadiusKm        float64   `yaml:"radiusKm"`
	Precision       string    `yaml:"precision"`
	Origin          string    `yaml:"origin"`
}

// record makes a record of what a test gives.
func (p *testPost) record() (feed.Record, error) {
	r := feed.Record{
		ID: p.ID, Source: p.Source, Format: feed.Format(p.Format), Received: p.Received, Time: p.Time,
		Lang: p.Lang, Type: feed.PostType(p.Type), URL: p.URL, Simulated: p.Simulated, Magnitude: p.Magnitude,
		Author: feed.Author{ID: p.UserID, Username: p.Username, Name: p.Name}, Body: p.Body,
		Tags: p.Tags, Mentions: p.Mentions, Links: p.Links, Media: p.Media,
		Country: p.Country, City: p.City, Sentiment: p.Sentiment,
		Upstream: feed.Upstream{ProfileLocation: p.ProfileLocation},
	}
	if (p.Lat == nil) != (p.Lon == nil) {
		return r, errors.New("post has only one of lat and lon")
	}
	if p.Lat != nil {
		r.Position = &feed.Position{
			Lat: *p.Lat, Lon: *p.Lon, RadiusKm: p.RadiusKm,
			Precision: feed.Precision(p.Precision), Origin: p.Origin,
		}
	}
	return r, nil
}

// The names that an item of a test has where it tells none.
const (
	testID     = "1"
	testSource = "test"
)

// input makes the item of a test. What it does not name gets a name.
func (t *test) input(read Reader) (Input, error) {
	raw, err := t.raw()
	if err != nil {
		return Input{}, err
	}
	var rec feed.Record
	switch {
	case t.Post != nil:
		rec, err = t.Post.record()
	case t.Raw.IsZero():
		err = errors.New("has neither post nor raw")
	case read == nil:
		err = errors.New("gives a raw item alone, which cannot be read here: give its post, too")
	default:
		if rec, err = read(raw); err != nil {
			err = fmt.Errorf("read raw: %w", err)
		}
	}
	if rec.ID == "" {
		rec.ID = testID
	}
	if rec.Source == "" {
		rec.Source = testSource
	}
	return Input{Record: &rec, Raw: raw, Identity: rec.ID}, err
}

// raw is the raw item as JSON.
func (t *test) raw() ([]byte, error) {
	if t.Raw.IsZero() {
		return nil, nil
	}
	if t.Raw.Kind == yaml.ScalarNode {
		if v := jsontext.Value(t.Raw.Value); v.IsValid() {
			return v, nil
		}
		return nil, errors.New("raw is no sound JSON")
	}
	var v any
	if err := t.Raw.Decode(&v); err != nil {
		return nil, fmt.Errorf("raw: %w", err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("raw: %w", err)
	}
	return data, nil
}

// TestResult is how a test in a text of rules went.
type TestResult struct {
	// Name is the rule's kind and the test's name, or the line of it.
	Name string
	// Err is what is wrong; nil if the test passes.
	Err error
}

// Test runs the tests of all rules, in the order of the text.
func (s *Set) Test(read Reader) []TestResult {
	results := make([]TestResult, 0, s.tests)
	for _, r := range s.rules {
		for i, t := range r.spec.Tests {
			name := t.Name
			if name == "" {
				name = strconv.Itoa(i + 1)
			}
			results = append(results, TestResult{string(r.kind) + "/" + name, s.try(r, t, read)})
		}
	}
	return results
}

// failures keeps what a rule failed with.
type failures struct{ err error }

// RuleFailed implements Observer.
func (f *failures) RuleFailed(_ feed.Kind, err error) { f.err = err }

// try runs one test. The sample does not count: tests are about the rest.
func (s *Set) try(r *rule, t *test, read Reader) error {
	in, err := t.input(read)
	if err != nil {
		return err
	}
	if in.Record.Change != feed.ChangePost {
		return errors.New("the item is no post: rules never see it")
	}
	var failed failures
	events, err := s.tryRule(r, t, in, &failed)
	switch {
	case err != nil:
		return err
	case failed.err != nil:
		return fmt.Errorf("the rule fails: %w", failed.err)
	case t.Want == nil && len(events) == 0:
		return nil
	case t.Want == nil:
		return fmt.Errorf("wanted no event, got %s", events[0].Payload)
	case len(events) == 0:
		return errors.New("wanted an event, got none")
	}
	return compare(t.Want, events[0].Payload)
}

// tryRule makes the events of one rule alone.
func (s *Set) tryRule(r *rule, t *test, in Input, obs Observer) ([]feed.Event, error) {
	v := &view{rec: in.Record, data: in.Raw, identity: in.Identity}
	frame, err := interpreter.NewExecutionFrame(v)
	if err != nil {
		return nil, err
	}
	defer frame.Close()
	run := runner{s, v, frame, obs}
	if !run.holds(r, r.when) {
		return nil, nil
	}
	if r.ask == nil {
		return run.emit(r, nil), nil
	}
	p := &Pending{set: s, view: v}
	run.question(r, p)
	if len(p.Questions) == 0 || t.Answer == nil {
		return nil, nil // the service is away
	}
	answer, err := json.Marshal(t.Answer)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return p.Answered(0, answer, nil, obs)
}

// compare finds a wanted field that an event does not have.
func compare(want map[string]any, payload []byte) error {
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		return fmt.Errorf("the event is no JSON: %w", err)
	}
	text, err := json.Marshal(want, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("want: %w", err)
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		return fmt.Errorf("want: %w", err)
	}
	for name, w := range plain {
		if g, ok := got[name]; !reflect.DeepEqual(g, w) && (ok || w != nil) {
			return fmt.Errorf("wanted %s, got %s: they differ in %s", text, payload, name)
		}
	}
	return nil
}
