package rules

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// pattern is a regular expression that only says whether it matches. Most are
// made into an automaton, which looks at each character once: some nanoseconds
// each, where package regexp tries every beginning for itself.
type pattern struct {
	re   *regexp.Regexp
	auto *automaton // nil: re is asked
	// cost of a character, in units: what an automaton takes, or else what
	// package regexp takes at worst, a step for each of its instructions.
	cost float64
}

const (
	// maxStates and maxTable bound an automaton, in states and in entries of two
	// bytes: some patterns would need any number.
	maxStates = 1000
	maxTable  = 32 << 10
	// autoCost is what an automaton takes for a character, in units.
	autoCost = 0.4
)

// automaton is a deterministic one. In state s a character of class c leads to
// next[s*classes+c]; 0 is the start and matched the end of the search. ends says
// of which states the end of the text makes a match.
type automaton struct {
	ascii   [utf8.RuneSelf]uint16
	bounds  []rune   // where, beyond ASCII, another class may begin
	class   []uint16 // of the runes from each bound on
	classes int
	next    []int16
	ends    []bool
}

// matched is the state in which the answer is known.
const matched = -1

// newPattern compiles a pattern in RE2's syntax.
func newPattern(text string) (*pattern, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err //nolint:wrapcheck // it is told with the column by cel, which has compiled it before
	}
	p := &pattern{re: re, cost: maxRegex}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		if prog, err := syntax.Compile(tree.Simplify()); err == nil {
			p.auto, p.cost = newAutomaton(prog), float64(len(prog.Inst))
		}
	}
	if p.auto != nil {
		p.cost = autoCost
	}
	return p, nil
}

// matches reports whether the pattern matches anywhere in s; ok is false where
// to find that out might cost more than an expression may.
func (p *pattern) matches(s string) (found, ok bool) {
	switch {
	case p.auto != nil:
		return p.auto.search(s), true
	case p.cost*float64(len(s)) > costAtRun:
		return false, false
	}
	return p.re.MatchString(s), true
}

// search reports whether s leads to the end.
func (a *automaton) search(s string) bool {
	state := 0
	for _, r := range s {
		next := a.next[state*a.classes+int(a.classOf(r))]
		if next == matched {
			return true
		}
		state = int(next)
	}
	return a.ends[state]
}

// classOf is the class of a rune.
func (a *automaton) classOf(r rune) uint16 {
	if r < utf8.RuneSelf {
		return a.ascii[r]
	}
	i, found := slices.BinarySearch(a.bounds, r)
	if !found {
		i--
	}
	return a.class[i]
}

// newAutomaton makes an automaton of a program; nil if that needs too much.
func newAutomaton(prog *syntax.Prog) *automaton {
	b := builder{prog: prog, known: map[string]int{}, seen: make([]int, len(prog.Inst))}
	for i := range prog.Inst {
		b.looks = b.looks || prog.Inst[i].Op == syntax.InstEmptyWidth
	}
	b.classify()
	b.state(nil, b.kind(none))
	for s := 0; s < len(b.states); s++ { //nolint:intrange // each step may add states
		if len(b.states) > maxStates || len(b.states)*b.auto.classes > maxTable {
			return nil
		}
		for _, r := range b.sample {
			b.auto.next = append(b.auto.next, b.step(b.states[s], r))
		}
		b.auto.ends = append(b.auto.ends, b.step(b.states[s], none) == matched)
	}
	return &b.auto
}

// none stands for what is before the first and behind the last character.
const none rune = -1

// builder makes an automaton by following all paths of a program at once.
type builder struct {
	prog *syntax.Prog
	// looks says that the program asks for what stands around (^, $, \b).
	looks  bool
	auto   automaton
	states []reached
	known  map[string]int // number of a state
	sample []rune         // one rune of each class
	seen   []int          // the walk in which a place was reached last
	walk   int
}

// reached is a state: places in the program, sorted, of which nothing without a
// character has been followed yet, and a rune like the one before.
type reached struct {
	places []uint32
	before rune
}

// kind is a rune that stands for all before which a program that looks around
// finds the same.
func (b *builder) kind(r rune) rune {
	switch {
	case !b.looks:
		return ' '
	case r == none, r == '\n':
		return r
	case syntax.IsWordChar(r):
		return 'a'
	default:
		return ' '
	}
}

// closure adds the places that are reached from pc without a character, where
// around holds; over says that the end is among them.
func (b *builder) closure(set []uint32, pc uint32, around syntax.EmptyOp) (_ []uint32, over bool) {
	if b.seen[pc] == b.walk {
		return set, false
	}
	b.seen[pc] = b.walk
	in := &b.prog.Inst[pc]
	switch in.Op {
	case syntax.InstMatch:
		return set, true
	case syntax.InstAlt, syntax.InstAltMatch:
		if set, over = b.closure(set, in.Out, around); over {
			return set, true
		}
		return b.closure(set, in.Arg, around)
	case syntax.InstCapture, syntax.InstNop:
		return b.closure(set, in.Out, around)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(in.Arg)&^around != 0 {
			return set, false
		}
		return b.closure(set, in.Out, around)
	default:
		return append(set, pc), false
	}
}

// step is the state that a rune leads to. A match may also begin with it.
func (b *builder) step(from reached, r rune) int16 {
	around := syntax.EmptyOpContext(from.before, r)
	b.walk++
	set, over := b.closure(nil, uint32(b.prog.Start), around)
	for _, pc := range from.places {
		if over {
			break
		}
		set, over = b.closure(set, pc, around)
	}
	switch {
	case over:
		return matched
	case r == none:
		return 0
	}
	var to []uint32
	for _, pc := range set {
		if in := &b.prog.Inst[pc]; consumes(in.Op) && in.MatchRune(r) {
			to = append(to, in.Out)
		}
	}
	return int16(b.state(to, b.kind(r)))
}

// consumes reports whether an instruction takes a character.
func consumes(op syntax.InstOp) bool {
	switch op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	default:
		return false
	}
}

// state is the number of the state of these places behind such a rune.
func (b *builder) state(places []uint32, before rune) int {
	slices.Sort(places)
	places = slices.Compact(places)
	name := binary.LittleEndian.AppendUint32(make([]byte, 0, 4*len(places)+4), uint32(before))
	for _, pc := range places {
		name = binary.LittleEndian.AppendUint32(name, pc)
	}
	n, ok := b.known[string(name)]
	if !ok {
		n = len(b.states)
		b.known[string(name)] = n
		b.states = append(b.states, reached{places, before})
	}
	return n
}

// classify puts runes that the program cannot tell apart into one class.
func (b *builder) classify() {
	found := map[string]uint16{}
	classOf := func(r rune) uint16 {
		told := []byte(string(b.kind(r)))
		for i := range b.prog.Inst {
			if in := &b.prog.Inst[i]; consumes(in.Op) && in.MatchRune(r) {
				told = binary.LittleEndian.AppendUint32(told, uint32(i))
			}
		}
		c, ok := found[string(told)]
		if !ok {
			c = uint16(len(b.sample))
			found[string(told)] = c
			b.sample = append(b.sample, r)
		}
		return c
	}
	for r := range rune(utf8.RuneSelf) {
		b.auto.ascii[r] = classOf(r)
	}
	b.auto.bounds = b.bounds()
	for _, r := range b.auto.bounds {
		b.auto.class = append(b.auto.class, classOf(r))
	}
	b.auto.classes = len(b.sample)
}

// bounds are the runes beyond ASCII from which on the program may answer
// otherwise than for the rune before.
func (b *builder) bounds() []rune {
	all := []rune{utf8.RuneSelf}
	add := func(lo, hi rune) {
		all = append(all, max(lo, utf8.RuneSelf), max(hi+1, utf8.RuneSelf))
	}
	for i := range b.prog.Inst {
		in := &b.prog.Inst[i]
		if len(in.Rune) == 1 { // with its other cases
			add(in.Rune[0], in.Rune[0])
			for r := unicode.SimpleFold(in.Rune[0]); r != in.Rune[0]; r = unicode.SimpleFold(r) {
				add(r, r)
			}
			continue
		}
		for j := 0; j+1 < len(in.Rune); j += 2 {
			add(in.Rune[j], in.Rune[j+1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
