package rules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/blipstream/blipstream/internal/feed"
)

// Set is rules that have been compiled and have passed their tests. It never
// changes, and may be used by several goroutines.
type Set struct {
	// Hash names the text: the first 12 digits of its SHA-256.
	Hash string
	// Kinds are those of the rules, in the order of the text.
	Kinds []feed.Kind
	// Services are those that the rules may ask, by name.
	Services []*Service

	rules  []*rule
	tests  int
	frames views
}

// rule is one rule, compiled.
type rule struct {
	kind feed.Kind
	when *expression
	// sample is the share of ids that pass, of 2^64; all with math.MaxUint64.
	sample uint64
	emit   []value
	// ask is who is asked before the event is made, nil: nobody.
	ask  *Service
	send []value
	keep *expression
	spec *spec
}

// Observer hears of rules that fail.
type Observer interface {
	// RuleFailed is told that a rule could not be evaluated on an item. It may
	// be called by several goroutines.
	RuleFailed(kind feed.Kind, err error)
}

// Input is an item whose events are wanted.
type Input struct {
	Record *feed.Record
	// Raw is the item's bytes.
	Raw []byte
	// Identity is what the ids of its events end with.
	Identity string
}

// Reader makes a record of a raw item as enrich does: decoded and hydrated.
type Reader func(raw []byte) (feed.Record, error)

// Parse reads and compiles a text without running its tests. Its errors are
// one line that says what to change.
func Parse(text []byte) (*Set, error) {
	f, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	lang, err := language()
	if err != nil {
		return nil, fmt.Errorf("rules: prepare language: %w", err)
	}
	sum := sha256.Sum256(text)
	s := &Set{Hash: hex.EncodeToString(sum[:6])}
	send := map[string][]value{}
	for _, name := range slices.Sorted(maps.Keys(f.Ask)) {
		s.Services = append(s.Services, f.Ask[name])
		if send[name], err = compileFields(lang.plain, f.Ask[name].Send); err != nil {
			return nil, fmt.Errorf("rules: ask %s: send: %w", name, err)
		}
	}
	for _, sp := range f.Rules {
		r, err := lang.rule(sp)
		if err != nil {
			return nil, fmt.Errorf("rules: rule %q (line %d): %w", sp.Kind, sp.line, err)
		}
		if sp.Ask != "" {
			r.ask, r.send = f.Ask[sp.Ask], send[sp.Ask]
		}
		s.rules = append(s.rules, r)
		s.Kinds = append(s.Kinds, sp.Kind)
		s.tests += len(sp.Tests)
	}
	if n := s.cost(); n > costOfSet {
		return nil, fmt.Errorf("rules: all together may cost %d units on an ordinary post, more than %d: write them simpler", n, costOfSet)
	}
	return s, nil
}

// Compile reads a text, and returns a Set only if the tests in it pass. read
// serves tests that give a raw item alone; nil refuses those.
func Compile(text []byte, read Reader) (*Set, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	for _, r := range s.Test(read) {
		if r.Err != nil {
			return nil, fmt.Errorf("rules: test %s: %w", r.Name, r.Err)
		}
	}
	return s, nil
}

// cost is what all expressions may cost together on an ordinary post.
func (s *Set) cost() (units uint64) {
	for _, r := range s.rules {
		units += r.when.cost
		if r.keep != nil {
			units += r.keep.cost
		}
		for _, v := range slices.Concat(r.emit, r.send) {
			units += v.expr.cost
		}
	}
	return units
}

// Tests is how many tests the set has.
func (s *Set) Tests() int { return s.tests }

// rule compiles one rule.
func (lang *environments) rule(sp *spec) (*rule, error) {
	r := &rule{kind: sp.Kind, spec: sp, sample: math.MaxUint64}
	if sp.Sample != nil && *sp.Sample < 1 {
		r.sample = uint64(*sp.Sample * (1 << 63) * 2)
	}
	var err error
	if r.when, err = compileBool(lang.plain, sp.When); err != nil {
		return nil, fmt.Errorf("when: %w", err)
	}
	env := lang.plain
	if sp.Ask != "" {
		env = lang.answering
	}
	if sp.Keep != "" {
		if r.keep, err = compileBool(env, sp.Keep); err != nil {
			return nil, fmt.Errorf("keep: %w", err)
		}
	}
	if r.emit, err = compileFields(env, sp.Emit); err != nil {
		return nil, fmt.Errorf("emit: %w", err)
	}
	return r, nil
}

// compileBool compiles a condition.
func compileBool(env *cel.Env, text string) (*expression, error) {
	e, err := compile(env, text)
	if err != nil {
		return nil, err
	}
	if k := e.out.Kind(); k != types.BoolKind && k != types.DynKind {
		return nil, fmt.Errorf("is of type %s, not true or false", e.out)
	}
	return e, nil
}

// Derive appends to events those that the rules make of an item, and returns
// what must be asked first for the others. Only posts have events of rules.
func (s *Set) Derive(in Input, events []feed.Event, obs Observer) ([]feed.Event, *Pending) {
	if len(s.rules) == 0 || in.Record.Change != feed.ChangePost {
		return events, nil
	}
	v := s.frames.take(in)
	frame, err := interpreter.NewExecutionFrame(v)
	if err != nil { // it takes any Activation
		obs.RuleFailed(s.rules[0].kind, err)
		return events, nil
	}
	run := runner{s, v, frame, obs}
	events, waiting := run.all(events)
	run.frame.Close()
	if waiting != nil {
		return events, waiting // which needs the view
	}
	s.frames.give(v)
	return events, nil
}

// runner is one item under one set.
type runner struct {
	set   *Set
	view  *view
	frame *interpreter.ExecutionFrame
	obs   Observer
}

// all runs every rule.
func (run *runner) all(events []feed.Event) ([]feed.Event, *Pending) {
	lot := draw(run.view.rec.Source, run.view.identity)
	var waiting *Pending
	for _, r := range run.set.rules {
		if lot > r.sample || !run.holds(r, r.when) {
			continue
		}
		if r.ask == nil {
			events = run.emit(r, events)
			continue
		}
		if waiting == nil {
			waiting = &Pending{set: run.set, view: run.view}
		}
		run.question(r, waiting)
	}
	return events, waiting
}

// holds evaluates a condition. What the post does not tell makes it false, and
// so does a failure, which is told.
func (run *runner) holds(r *rule, e *expression) bool {
	if said := e.answer(run.view); said != unsure {
		return said == yes
	}
	out, err := e.run(run.view, run.frame)
	if err == nil {
		if b, ok := out.(types.Bool); ok {
			return bool(b)
		}
		err = errors.New("when is neither true nor false")
	}
	run.failed(r, err)
	return false
}

// failed tells of a failure, unless it is only an absence.
func (run *runner) failed(r *rule, err error) {
	if absent(err) {
		return
	}
	run.obs.RuleFailed(r.kind, err)
	// After a panic within it, which cel catches, a frame may be anyhow.
	if frame, err := interpreter.NewExecutionFrame(run.view); err == nil {
		run.frame = frame
	}
}

// emit makes the event of a rule.
func (run *runner) emit(r *rule, events []feed.Event) []feed.Event {
	buf, err := appendFields(common(run.view.rec, run.view.identity), r.emit, run.view, run.frame)
	if err != nil {
		run.failed(r, err)
		return events
	}
	return append(events, feed.Event{Kind: r.kind, ID: run.view.rec.ID, Payload: append(buf, '}')})
}

// draw turns an item's name into a number that is as good as random, and the
// same in every process: FNV-1a, then the finalizer of SplitMix64, since the
// upper bits of FNV are poor.
func draw(source, identity string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, s := range [...]string{source, ":", identity} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * prime
		}
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// Asker has questions answered.
type Asker interface {
	// Ask sends a question to a service and returns the answer, a JSON object.
	Ask(ctx context.Context, s *Service, question []byte) ([]byte, error)
}
