package rules

import (
	"bytes"
	"errors"
	"fmt"

	"cel.dev/cel-go/interpreter"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/blipstream/blipstream/internal/feed"
)

// Pending is an item that waits for answers. Its methods are for one goroutine
// at a time.
type Pending struct {
	// Questions are one for each service, whatever the number of rules that ask it.
	Questions []Question

	set  *Set
	view *view
}

// Question is what one service is asked about an item.
type Question struct {
	Service *Service
	// Data is a JSON object.
	Data []byte

	rules []*rule
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 64 << 10

// question adds what a rule asks.
func (run *runner) question(r *rule, p *Pending) {
	for i := range p.Questions {
		if p.Questions[i].Service == r.ask {
			p.Questions[i].rules = append(p.Questions[i].rules, r)
			return
		}
	}
	data, err := appendFields(common(run.view.rec, run.view.identity), r.send, run.view, run.frame)
	if err != nil {
		run.failed(r, err)
		return
	}
	p.Questions = append(p.Questions, Question{Service: r.ask, Data: append(data, '}'), rules: []*rule{r}})
}

// Answered appends the events of the rules that asked question i, now that its
// answer is known. An answer that is no JSON object is an error, and then there
// is none.
func (p *Pending) Answered(i int, answer []byte, events []feed.Event, obs Observer) ([]feed.Event, error) {
	if err := checkAnswer(answer); err != nil {
		return events, err
	}
	p.view.answer = newRaw(answer)
	frame, err := interpreter.NewExecutionFrame(p.view)
	if err != nil {
		return events, err
	}
	run := runner{p.set, p.view, frame, obs}
	defer func() { run.frame.Close() }()
	for _, r := range p.Questions[i].rules {
		if r.keep == nil || run.holds(r, r.keep) {
			events = run.emit(r, events)
		}
	}
	return events, nil
}

// Services are those that the questions are for, in their order.
func (p *Pending) Services() []*Service {
	services := make([]*Service, 0, len(p.Questions))
	for i := range p.Questions {
		services = append(services, p.Questions[i].Service)
	}
	return services
}

// Kinds are those of the rules that asked question i.
func (p *Pending) Kinds(i int) []feed.Kind {
	kinds := make([]feed.Kind, 0, len(p.Questions[i].rules))
	for _, r := range p.Questions[i].rules {
		kinds = append(kinds, r.kind)
	}
	return kinds
}

// checkAnswer refuses what is no sound JSON object of a sensible size.
func checkAnswer(answer []byte) error {
	text := bytes.TrimSpace(answer)
	switch {
	case len(text) > maxAnswer:
		return fmt.Errorf("answer of %d bytes is longer than %d", len(text), maxAnswer)
	case len(text) == 0 || text[0] != '{' || !jsontext.Value(text).IsValid():
		return errors.New("answer is no JSON object")
	}
	return nil
}
