package rules

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// environments are what expressions are compiled in: plain has post and raw,
// answering has the answer of a service as well.
type environments struct{ plain, answering *cel.Env }

// language makes the environments, which are the same for all sets.
var language = sync.OnceValues(newEnvironments)

func newEnvironments() (*environments, error) {
	p, err := newProvider()
	if err != nil {
		return nil, err
	}
	opts := []cel.EnvOption{
		cel.CustomTypeAdapter(p.Registry),
		cel.CustomTypeProvider(p),
		cel.Variable(varPost, cel.ObjectType(postName)),
		cel.Variable(varRaw, cel.MapType(cel.StringType, cel.DynType)),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		ext.Strings(),
		ext.Math(),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNestingDepthLimit(maxNesting),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(
			cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals(),
			cel.ValidateComprehensionNestingLimit(maxLoops),
		),
	}
	plain, err := cel.NewEnv(append(opts, functions()...)...)
	if err != nil {
		return nil, err
	}
	answering, err := plain.Extend(cel.Variable(varAnswer, cel.MapType(cel.StringType, cel.DynType)))
	if err != nil {
		return nil, err
	}
	return &environments{plain, answering}, nil
}

const (
	// maxNesting is how deep an expression may be nested.
	maxNesting = 50
	// maxLoops is how deep exists, all, map and filter may be nested.
	maxLoops = 2
	// maxRegex is the size of a compiled regular expression, in instructions.
	maxRegex = 1000
)
