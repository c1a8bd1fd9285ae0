package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Limits in CEL's units of cost; a comparison is about one, and takes some ten
// nanoseconds.
const (
	// costOfExpression is what an expression may cost at most on an ordinary
	// post, by estimate. What may cost more is refused.
	costOfExpression = 1_000_000
	// costAtRun is what an expression may cost on any item. One that is proved
	// to stay below it runs without being watched, twice as fast.
	costAtRun = 1_000_000
)

// Sizes that estimates go by, in bytes and entries.
const (
	// provedItem is the size of an item up to which the proof holds; the
	// longest tweet known has 20 KB. No text in a post is longer than its item.
	provedItem = 64 << 10
	// ordinaryText and ordinaryList are what an ordinary post has at most.
	ordinaryText = 4 << 10
	ordinaryList = 100
	// maxEntries and maxEntry bound the lists of a post: what is beyond is left out.
	maxEntries = 100
	maxEntry   = 1 << 10
)

// expression is a compiled expression.
type expression struct {
	// free runs unwatched; nil where that is not proved to be cheap.
	free cel.Program
	// watched stops at costAtRun.
	watched cel.Program
	// quick answers a condition without either; nil where it cannot.
	quick check
	out   *cel.Type
}

// banned are functions whose result may be very much longer than what they
// read: their cost is known only after they have taken the memory.
var banned = map[string]bool{"replace": true, "join": true, "format": true}

// compile makes an expression, and refuses one that is unsound or costs too much.
func compile(env *cel.Env, text string) (*expression, error) {
	tree, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, errors.New(firstIssue(issues))
	}
	usesRaw, forbidden := inspect(tree.NativeRep().Expr())
	if forbidden != "" {
		return nil, errors.New(forbidden)
	}
	return plan(env, tree, usesRaw)
}

// inspect reports whether an expression reads what has no bounded form, and
// what it does that is not allowed.
func inspect(tree ast.Expr) (usesRaw bool, forbidden string) {
	ast.PostOrderVisit(tree, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind {
			usesRaw = usesRaw || e.AsIdent() == varRaw || e.AsIdent() == varAnswer
		}
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if name := call.FunctionName(); banned[name] {
			forbidden = name + " is not available in rules: it can take any amount of memory"
		} else if name == "matches" && !constantPattern(call) {
			forbidden = "matches needs a pattern that is written out"
		}
	}))
	return usesRaw, forbidden
}

// constantPattern reports whether the last argument of a call is a literal.
func constantPattern(call ast.CallExpr) bool {
	args := call.Args()
	return len(args) > 0 && args[len(args)-1].Kind() == ast.LiteralKind
}

// plan makes the programs of a checked expression.
func plan(env *cel.Env, tree *cel.Ast, usesRaw bool) (*expression, error) {
	ordinary, err := env.EstimateCost(tree, sizes{text: ordinaryText, list: ordinaryList})
	if err != nil {
		return nil, fmt.Errorf("estimate cost: %w", err)
	}
	if ordinary.Max > costOfExpression {
		return nil, fmt.Errorf("may cost %d units on an ordinary post, more than %d: write it simpler", ordinary.Max, costOfExpression)
	}
	e := &expression{out: tree.OutputType()}
	if e.watched, err = env.Program(tree, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costAtRun)); err != nil {
		return nil, err
	}
	worst, err := env.EstimateCost(tree, sizes{text: provedItem, list: maxEntries})
	if err != nil {
		return nil, fmt.Errorf("estimate cost: %w", err)
	}
	if worst.Max > costAtRun {
		return e, nil
	}
	e.quick = quicken(tree.NativeRep().Expr(), fieldsByName())
	if usesRaw {
		return e, nil
	}
	e.free, err = env.Program(tree, cel.EvalOptions(cel.OptOptimize))
	return e, err
}

// sizes estimates how large things are. It implements cost.Estimator.
type sizes struct{ text, list uint64 }

// EstimateSize implements cost.Estimator.
func (s sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	most := s.text
	switch path := n.Path(); {
	case n.Type() != nil && n.Type().Kind() == types.ListKind:
		most = s.list
	case len(path) > 1 && strings.HasPrefix(path[len(path)-1], "@"):
		most = maxEntry
	}
	size := cost.RangedSizeEstimate(0, most)
	return &size
}

// EstimateCallCost implements cost.Estimator.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// firstIssue is the first of what cel has to say, in one line: where and what.
func firstIssue(issues *cel.Issues) string {
	errs := issues.Errors()
	if len(errs) == 0 {
		return oneLine(issues.Err())
	}
	e := errs[0]
	return fmt.Sprintf("column %d: %s", e.Location.Column()+1, oneLine(errors.New(e.Message)))
}

// run evaluates the expression over v, whose frame is shared by all free ones.
func (e *expression) run(v *view, frame *interpreter.ExecutionFrame) (ref.Val, error) {
	var out ref.Val
	var err error
	if e.free != nil && len(v.data) <= provedItem {
		out, _, err = e.free.Eval(frame)
	} else {
		out, _, err = e.watched.Eval(v)
	}
	if err == nil && types.IsUnknown(out) {
		err = errors.New("it has no value")
	}
	return out, err
}

// answer is what a condition comes to, as far as that can be told without cel.
func (e *expression) answer(v *view) answer {
	if e.quick == nil || len(v.data) > provedItem {
		return unsure
	}
	return e.quick(v.rec)
}

// absent reports whether an expression failed because it read what the post,
// or its raw form, does not tell.
func absent(err error) bool {
	// cel has no name for a missing key; TestAbsentIsNoFailure holds it to its word.
	return errors.Is(err, errAbsent) || strings.HasPrefix(err.Error(), "no such key")
}
