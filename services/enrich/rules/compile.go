package rules

import (
	"errors"
	"fmt"
	"slices"
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
	// costOfSet is what all expressions of a set may cost together on an ordinary
	// post, by estimate, and what those that are watched may on any item.
	costOfSet = 10_000_000
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
	// cost is that on an ordinary post, by estimate.
	cost uint64
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
	is := inspect(tree.NativeRep().Expr())
	if is.forbidden != "" {
		return nil, errors.New(is.forbidden)
	}
	return plan(env, tree, is)
}

// found is what inspect finds in an expression.
type found struct {
	// raw says that it reads what has no bounded form.
	raw bool
	// forbidden is what it does that is not allowed.
	forbidden string
	patterns  patterns
}

// inspect looks through an expression.
func inspect(tree ast.Expr) found {
	is := found{patterns: patterns{}}
	ast.PostOrderVisit(tree, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind {
			is.raw = is.raw || e.AsIdent() == varRaw || e.AsIdent() == varAnswer
		}
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if name := call.FunctionName(); banned[name] {
			is.forbidden = name + " is not available in rules: it can take any amount of memory"
		} else if name == fnMatches && !is.patterns.add(call.Args()) {
			is.forbidden = "matches needs a pattern that is written out"
		} else if name == fnHasWord && tooLong(call.Args()) {
			is.forbidden = errWord.Error()
		}
	}))
	return is
}

// tooLong reports whether the last argument of a call of hasWord is, or holds, a
// word that is too long.
func tooLong(args []ast.Expr) bool {
	if len(args) == 0 {
		return false
	}
	words, ok := literals(args[len(args)-1])
	if !ok {
		word, _ := literal(args[len(args)-1])
		words = []string{word}
	}
	return slices.ContainsFunc(words, func(w string) bool { return len(w) > maxWord })
}

// plan makes the programs of a checked expression.
func plan(env *cel.Env, tree *cel.Ast, is found) (*expression, error) {
	ordinary, err := env.EstimateCost(tree, sizes{is.patterns, ordinaryText, ordinaryList})
	if err != nil {
		return nil, fmt.Errorf("estimate cost: %w", err)
	}
	if ordinary.Max > costOfExpression {
		return nil, fmt.Errorf("may cost %d units on an ordinary post, more than %d: write it simpler", ordinary.Max, costOfExpression)
	}
	e := &expression{out: tree.OutputType(), cost: ordinary.Max}
	free := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if len(is.patterns) > 0 {
		free = append(free, is.patterns.option())
	}
	watched := append(slices.Clip(free), cel.CostLimit(costAtRun), cel.CostTracking(is.patterns))
	if e.watched, err = env.Program(tree, watched...); err != nil {
		return nil, err
	}
	worst, err := env.EstimateCost(tree, sizes{is.patterns, provedItem, maxEntries})
	if err != nil {
		return nil, fmt.Errorf("estimate cost: %w", err)
	}
	if worst.Max > costAtRun {
		return e, nil
	}
	e.quick = quicken(tree.NativeRep().Expr(), knowledge{fieldsByName(), is.patterns})
	if is.raw {
		return e, nil
	}
	e.free, err = env.Program(tree, free...)
	return e, err
}

// sizes estimates how large things are. It implements cost.Estimator.
type sizes struct {
	patterns
	text, list uint64
}

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

// EstimateCallCost implements cost.Estimator. Cel would estimate a pattern by its
// length, which says little: a{1,900} is short.
func (s sizes) EstimateCallCost(function, _ string, target *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
	if function != fnMatches || len(args) == 0 {
		return nil
	}
	text := args[0]
	if target != nil {
		text = *target
	}
	size := text.ComputedSize()
	if size == nil {
		size = s.EstimateSize(text)
	}
	call := size.Add(cost.FixedSizeEstimate(1)).MultiplyByCostFactor(s.of(args[len(args)-1].Expr()))
	return cost.NewCallEstimate(call.Add(cost.FixedCostEstimate(cost.CallCost)), nil)
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
		out, err = e.watch(v)
	}
	if err == nil && types.IsUnknown(out) {
		err = errors.New("it has no value")
	}
	return out, err
}

// watch evaluates the expression as long as it and the others before it have not
// cost too much.
func (e *expression) watch(v *view) (ref.Val, error) {
	if v.spent > costOfSet {
		return nil, errSpent
	}
	out, details, err := e.watched.Eval(v)
	if spent := details.ActualCost(); spent != nil {
		v.spent += *spent
	}
	return out, err
}

// errSpent is told of what is not evaluated on an item on which others have cost
// all there is.
var errSpent = errors.New("operation cancelled: actual cost limit of all rules together exceeded")

// answer is what a condition comes to, as far as that can be told without cel.
func (e *expression) answer(v *view) answer {
	if e.quick == nil || len(v.data) > provedItem {
		return unsure
	}
	return e.quick(v)
}

// absent reports whether an expression failed because it read what the post,
// or its raw form, does not tell.
func absent(err error) bool {
	// cel has no name for a missing key; TestAbsentIsNoFailure holds it to its word.
	return errors.Is(err, errAbsent) || strings.HasPrefix(err.Error(), "no such key")
}
