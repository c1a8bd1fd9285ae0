package rules

import (
	"errors"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// fnMatches is the function that searches for a pattern.
const fnMatches = "matches"

// patterns are those of an expression, by their text. They know what a search
// costs, and have cel use them instead of package regexp. They implement
// cost.ActualCostEstimator.
type patterns map[string]*pattern

// add adds the pattern that is the last argument of a call; false if that is not
// written out. One that is unsound is not added: cel refuses it, and says where.
func (ps patterns) add(args []ast.Expr) bool {
	if len(args) == 0 {
		return false
	}
	text, ok := literal(args[len(args)-1])
	if !ok {
		return false
	}
	if p, err := newPattern(text); err == nil {
		ps[text] = p
	}
	return true
}

// of is what the pattern that an expression is costs for each character.
func (ps patterns) of(e ast.Expr) float64 {
	text, _ := literal(e)
	return ps.cost(text)
}

// cost is what a pattern costs for each character.
func (ps patterns) cost(text string) float64 {
	if p := ps[text]; p != nil {
		return p.cost
	}
	return maxRegex
}

// CallCost implements cost.ActualCostEstimator.
func (ps patterns) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != fnMatches || len(args) != 2 {
		return nil
	}
	text, ok := args[0].(types.String)
	search, also := args[1].(types.String)
	if !ok || !also {
		return nil
	}
	units := cost.CallCost + uint64(float64(len(text))*ps.cost(string(search)))
	return &units
}

// errPattern is told of a search that would cost too much; it is not begun.
var errPattern = errors.New("operation cancelled: actual cost limit exceeded by a pattern in a long text")

// option has cel search with ps.
func (ps patterns) option() cel.ProgramOption {
	with := func(overload string) *interpreter.RegexOptimization {
		return &interpreter.RegexOptimization{Function: fnMatches, OverloadID: overload, RegexIndex: 1, Factory: ps.call}
	}
	return cel.OptimizeRegex(with(overloads.Matches), with(overloads.MatchesString))
}

// call makes a call of matches with a pattern that is known.
func (ps patterns) call(call interpreter.InterpretableCall, text string) (interpreter.InterpretableCall, error) {
	p := ps[text]
	if p == nil {
		return call, nil
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
		in, ok := args[0].(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		found, ok := p.matches(string(in))
		if !ok {
			return types.WrapErr(errPattern)
		}
		return types.Bool(found)
	}), nil
}
