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
}

// maxStates bounds an automaton: some patterns would need thousands.
const maxStates = 200

// automaton is a deterministic one. In state s a character of class c leads to
// next[s*classes+c]; 0 is the start and matched the end of the search.
type automaton struct {
	ascii   [utf8.RuneSelf]uint16
	bounds  []rune   // where, beyond ASCII, another class may begin
	class   []uint16 // of the runes from each bound on
	classes int
	next    []int16
}

// matched is the state in which the answer is known.
const matched = -1

// newPattern compiles a pattern in RE2's syntax.
func newPattern(text string) (*pattern, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err //nolint:wrapcheck // it is told with the column by cel, which has compiled it before
	}
	p := &pattern{re: re}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		if prog, err := syntax.Compile(tree.Simplify()); err == nil {
			p.auto = newAutomaton(prog)
		}
	}
	return p, nil
}

// matches reports whether the pattern matches anywhere in s.
func (p *pattern) matches(s string) bool {
	if p.auto == nil {
		return p.re.MatchString(s)
	}
	return p.auto.search(s)
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
	return false
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

// newAutomaton makes an automaton of a program; nil if that asks for what
// stands around (^, $, \b), matches the empty text, or needs too many states.
func newAutomaton(prog *syntax.Prog) *automaton {
	for i := range prog.Inst {
		if prog.Inst[i].Op == syntax.InstEmptyWidth {
			return nil
		}
	}
	b := builder{prog: prog, known: map[string]int{}}
	start, over := b.closure(nil, uint32(prog.Start))
	if over {
		return nil
	}
	b.classify()
	b.start = start
	b.state(start)
	for s := 0; s < len(b.states); s++ { //nolint:intrange // each step may add states
		for _, r := range b.sample {
			b.auto.next = append(b.auto.next, b.step(b.states[s], r))
		}
		if len(b.states) > maxStates {
			return nil
		}
	}
	return &b.auto
}

// builder makes an automaton by following all paths of a program at once.
type builder struct {
	prog   *syntax.Prog
	auto   automaton
	start  []uint32
	states [][]uint32     // places in the program, sorted
	known  map[string]int // number of a state
	sample []rune         // one rune of each class
}

// closure adds the places that are reached from pc without a character; over
// says that the end is among them.
func (b *builder) closure(set []uint32, pc uint32) (_ []uint32, over bool) {
	if slices.Contains(set, pc) {
		return set, false
	}
	set = append(set, pc)
	in := &b.prog.Inst[pc]
	switch in.Op {
	case syntax.InstMatch:
		return set, true
	case syntax.InstAlt, syntax.InstAltMatch:
		if set, over = b.closure(set, in.Out); over {
			return set, true
		}
		return b.closure(set, in.Arg)
	case syntax.InstCapture, syntax.InstNop:
		return b.closure(set, in.Out)
	default:
		return set, false
	}
}

// step is the state that a rune leads to. A match may also begin behind it.
func (b *builder) step(from []uint32, r rune) int16 {
	to := slices.Clone(b.start)
	for _, pc := range from {
		in := &b.prog.Inst[pc]
		if !consumes(in.Op) || !in.MatchRune(r) {
			continue
		}
		var over bool
		if to, over = b.closure(to, in.Out); over {
			return matched
		}
	}
	return int16(b.state(to))
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

// state is the number of the state of these places.
func (b *builder) state(places []uint32) int {
	slices.Sort(places)
	name := make([]byte, 0, 4*len(places))
	for _, pc := range places {
		name = binary.LittleEndian.AppendUint32(name, pc)
	}
	n, ok := b.known[string(name)]
	if !ok {
		n = len(b.states)
		b.known[string(name)] = n
		b.states = append(b.states, places)
	}
	return n
}

// classify puts runes that the program cannot tell apart into one class.
func (b *builder) classify() {
	found := map[string]uint16{}
	classOf := func(r rune) uint16 {
		var told []byte
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
