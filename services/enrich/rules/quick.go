package rules

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/blipstream/blipstream/internal/feed"
)

// answer is what a condition comes to.
type answer uint8

const (
	no answer = iota
	yes
	// unknown: the post does not tell.
	unknown
	// unsure: only cel can say.
	unsure
)

// check answers a condition without cel.
type check func(*view) answer

// Conditions are mostly comparisons of a field with something written out, and
// mostly false. Those are answered here: cel takes some 300 ns for one, of
// which most is finding the field. Whatever else a condition holds is unsure,
// and so is the condition if its answer depends on that; then cel evaluates it
// all. TestQuickAnswers holds both to the same answers.

// knowledge is what checks are made with: the fields of post, and the patterns of
// the expression.
type knowledge struct {
	fields map[string]field
	patterns
}

// quicken makes a check of an expression; nil if it could never be sure.
func quicken(e ast.Expr, known knowledge) check {
	switch e.Kind() { //nolint:exhaustive // all others are cel's
	case ast.LiteralKind:
		if b, ok := e.AsLiteral().(types.Bool); ok {
			return func(*view) answer { return said(bool(b)) }
		}
	case ast.SelectKind:
		if path, ok := rawPath(e); ok {
			return quickRaw(path)
		}
		return quickField(e, known)
	case ast.ComprehensionKind:
		return quickLoop(e.AsComprehension(), known)
	case ast.CallKind:
		return quickCall(e.AsCall(), known)
	}
	return nil
}

func said(b bool) answer {
	if b {
		return yes
	}
	return no
}

// quickField is post.media, or has(post.lat).
func quickField(e ast.Expr, known knowledge) check {
	sel := e.AsSelect()
	f, ok := known.fields[sel.FieldName()]
	if !ok || !isPost(sel.Operand()) {
		return nil
	}
	switch {
	case !sel.IsTestOnly() && f.on != nil:
		return func(v *view) answer { return said(f.on(v.rec)) }
	case sel.IsTestOnly() && f.set != nil:
		return func(v *view) answer { return said(f.set(v.rec)) }
	case sel.IsTestOnly():
		return func(v *view) answer { return said(f.get(v.rec) != nil) }
	}
	return nil
}

func isPost(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == varPost }

// fieldOf is the field of post that an expression reads.
func fieldOf(e ast.Expr, known knowledge) (f field, ok bool) {
	if e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly() || !isPost(e.AsSelect().Operand()) {
		return f, false
	}
	f, ok = known.fields[e.AsSelect().FieldName()]
	return f, ok
}

// quickLoop is exists and all over an empty list, which most lists are.
func quickLoop(c ast.ComprehensionExpr, known knowledge) check {
	f, ok := fieldOf(c.IterRange(), known)
	if !ok || f.many == nil || c.AccuInit().Kind() != ast.LiteralKind {
		return nil
	}
	first, ok := c.AccuInit().AsLiteral().(types.Bool)
	if !ok || c.Result().Kind() != ast.IdentKind || c.Result().AsIdent() != c.AccuVar() {
		return nil
	}
	return func(v *view) answer {
		if len(clip(f.many(v.rec))) == 0 {
			return said(bool(first))
		}
		return unsure
	}
}

// quickCall is an operator or a function.
func quickCall(c ast.CallExpr, known knowledge) check {
	args := c.Args()
	switch name := c.FunctionName(); {
	case name == operators.LogicalNot && len(args) == 1:
		return negated(quicken(args[0], known))
	case name == operators.LogicalAnd && len(args) == 2:
		return both(quicken(args[0], known), quicken(args[1], known))
	case name == operators.LogicalOr && len(args) == 2:
		// a || b is !(!a && !b), also where one is unknown.
		return negated(both(negated(quicken(args[0], known)), negated(quicken(args[1], known))))
	case name == operators.In && len(args) == 2:
		return quickIn(args[0], args[1], known)
	case !c.IsMemberFunction() && len(args) == 2:
		return quickComparison(name, args[0], args[1], known)
	case c.IsMemberFunction() && isPost(c.Target()):
		return quickPlace(name, args)
	case c.IsMemberFunction() && len(args) == 1:
		return quickText(name, c.Target(), args[0], known)
	}
	return nil
}

// negated is !a.
func negated(a check) check {
	if a == nil {
		return nil
	}
	return func(v *view) answer {
		switch said := a(v); said {
		case no:
			return yes
		case yes:
			return no
		default:
			return said
		}
	}
}

// both is a && b, in which false beats everything else.
func both(a, b check) check {
	if a == nil && b == nil {
		return nil
	}
	return func(v *view) answer {
		left := orUnsure(a, v)
		if left == no {
			return no
		}
		right := orUnsure(b, v)
		if right == no || left == yes {
			return right
		}
		return max(left, right, unknown) // one of them is unknown or unsure, which is more
	}
}

func orUnsure(a check, v *view) answer {
	if a == nil {
		return unsure
	}
	return a(v)
}

// quickIn is "a" in post.tags, or post.lang in ["a", "b"].
func quickIn(what, where ast.Expr, known knowledge) check {
	if s, ok := literal(what); ok {
		if f, ok := fieldOf(where, known); ok && f.many != nil {
			return func(v *view) answer { return said(slices.Contains(clip(f.many(v.rec)), s)) }
		}
		return nil
	}
	list, ok := literals(where)
	f, also := fieldOf(what, known)
	if !ok || !also || f.str == nil {
		return nil
	}
	return func(v *view) answer { return said(slices.Contains(list, f.str(v.rec))) }
}

// literal is a text that is written out.
func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// literals is a list of those.
func literals(e ast.Expr) ([]string, bool) {
	if e.Kind() != ast.ListKind || len(e.AsList().OptionalIndices()) > 0 {
		return nil, false
	}
	all := make([]string, 0, e.AsList().Size())
	for _, item := range e.AsList().Elements() {
		s, ok := literal(item)
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, true
}

// constant is a number that is written out, if a float64 holds it exactly.
func constant(e ast.Expr) (float64, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	switch n := e.AsLiteral().(type) {
	case types.Double:
		return float64(n), !math.IsNaN(float64(n))
	case types.Int:
		return float64(n), -maxExact <= n && n <= maxExact
	case types.Uint:
		return float64(n), n <= maxExact
	}
	return 0, false
}

// quickText is a function of a text field and something written out.
func quickText(name string, target, arg ast.Expr, known knowledge) check {
	f, ok := fieldOf(target, known)
	if !ok || f.str == nil {
		return nil
	}
	if words, ok := literals(arg); ok && name == fnHasWord {
		return func(v *view) answer {
			body := f.str(v.rec)
			return said(slices.ContainsFunc(words, func(w string) bool { return containsWord(body, w) }))
		}
	}
	s, ok := literal(arg)
	if !ok {
		return nil
	}
	if name == fnMatches {
		return quickMatch(f, known.patterns[s])
	}
	test, ok := textTest(name)
	if !ok {
		return nil
	}
	return func(v *view) answer { return said(test(f.str(v.rec), s)) }
}

// quickMatch is a text field and a pattern.
func quickMatch(f field, p *pattern) check {
	if p == nil {
		return nil
	}
	return func(v *view) answer {
		found, ok := p.matches(f.str(v.rec))
		if !ok {
			return unsure
		}
		return said(found)
	}
}

// textTest is what a function of two texts does.
func textTest(name string) (func(text, arg string) bool, bool) {
	switch name {
	case "contains":
		return strings.Contains, true
	case "startsWith":
		return strings.HasPrefix, true
	case "endsWith":
		return strings.HasSuffix, true
	case fnHasWord:
		return containsWord, true
	}
	return nil, false
}

// quickPlace is post.near(...) or post.inBox(...) with numbers written out.
func quickPlace(name string, args []ast.Expr) check {
	var n [4]float64
	for i, a := range args {
		var ok bool
		if n[i], ok = constant(a); !ok {
			return nil
		}
	}
	test := map[string]func(*feed.Position, [4]float64) bool{"near": within, "inBox": inside}[name]
	if test == nil {
		return nil
	}
	return func(v *view) answer {
		if v.rec.Position == nil {
			return unknown
		}
		return said(test(v.rec.Position, n))
	}
}

// quickComparison is a field, or a size, compared with something written out.
func quickComparison(op string, left, right ast.Expr, known knowledge) check {
	if s, ok := literal(right); ok {
		return quickEqual(op, left, s, known)
	}
	n, ok := constant(right)
	get := quickNumber(left, known)
	if !ok || get == nil {
		return nil
	}
	holds, ok := comparison(op)
	if !ok {
		return nil
	}
	return func(v *view) answer {
		x, told := get(v)
		switch {
		case !told:
			return unknown
		case math.IsNaN(x):
			return unsure
		}
		return said(holds(x, n))
	}
}

// quickEqual is a text field compared with a text.
func quickEqual(op string, left ast.Expr, s string, known knowledge) check {
	if op != operators.Equals && op != operators.NotEquals {
		return nil
	}
	equal := op == operators.Equals
	if path, ok := rawPath(left); ok {
		return quickRawText(path, s, equal)
	}
	f, ok := fieldOf(left, known)
	if !ok || f.str == nil {
		return nil
	}
	return func(v *view) answer { return said((f.str(v.rec) == s) == equal) }
}

// quickNumber reads a number: a field, the size of one, or what raw holds. NaN
// is for cel.
func quickNumber(e ast.Expr, known knowledge) func(*view) (float64, bool) {
	if path, ok := rawPath(e); ok {
		return func(v *view) (float64, bool) { return rawNumber(v.data, path) }
	}
	if f, ok := fieldOf(e, known); ok && f.num != nil {
		return func(v *view) (float64, bool) {
			if p := f.num(v.rec); p != nil {
				return *p, true
			}
			return 0, false
		}
	}
	f, ok := sized(e, known)
	switch {
	case ok && f.str != nil:
		return func(v *view) (float64, bool) { return float64(utf8.RuneCountInString(f.str(v.rec))), true }
	case ok && f.many != nil:
		return func(v *view) (float64, bool) { return float64(len(clip(f.many(v.rec)))), true }
	}
	return nil
}

// sized is the field whose size an expression is: size(post.body) or
// post.body.size().
func sized(e ast.Expr, known knowledge) (f field, ok bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "size" {
		return f, false
	}
	c := e.AsCall()
	if c.IsMemberFunction() {
		return fieldOf(c.Target(), known)
	}
	return fieldOf(c.Args()[0], known)
}

// comparison is what an operator does with two numbers.
func comparison(op string) (func(a, b float64) bool, bool) {
	switch op {
	case operators.Equals:
		return func(a, b float64) bool { return a == b }, true
	case operators.NotEquals:
		return func(a, b float64) bool { return a != b }, true
	case operators.Less:
		return func(a, b float64) bool { return a < b }, true
	case operators.LessEquals:
		return func(a, b float64) bool { return a <= b }, true
	case operators.Greater:
		return func(a, b float64) bool { return a > b }, true
	case operators.GreaterEquals:
		return func(a, b float64) bool { return a >= b }, true
	}
	return nil, false
}
