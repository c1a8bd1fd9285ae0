package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
)

// Query is an expression that a rule or a dashboard has Prometheus evaluate.
type Query struct {
	// Where is the alert's name, or the dashboard's file.
	Where string
	Expr  string
	// Named are the labels that an alert's text speaks of.
	Named []string
}

// Queries are those of all rules and dashboards, in their order.
func Queries(objects []Object) []Query {
	var all []Query
	for _, o := range objects {
		for _, g := range o.Spec.Groups {
			for _, r := range g.Rules {
				all = append(all, Query{r.Alert, r.Expr, spokenOf(r.Annotations)})
			}
		}
		for _, file := range slices.Sorted(maps.Keys(o.Data)) {
			if strings.HasSuffix(file, ".json") {
				for _, expr := range shown(o.Data[file]) {
					all = append(all, Query{Where: file, Expr: expr})
				}
			}
		}
	}
	return all
}

var label = regexp.MustCompile(`\$labels\.([a-z_]+)`)

// spokenOf are the labels that texts want to be filled in.
func spokenOf(annotations map[string]string) []string {
	var all []string
	for _, text := range annotations {
		for _, m := range label.FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// shown are the expressions of a dashboard, panels in panels included.
func shown(text string) []string {
	type panel struct {
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
		Panels []json.RawMessage `json:"panels"`
	}
	var p panel
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return []string{"no dashboard: " + err.Error()} // no query either, which is told
	}
	var all []string
	for _, t := range p.Targets {
		all = append(all, t.Expr)
	}
	for _, inner := range p.Panels {
		all = append(all, shown(string(inner))...)
	}
	return all
}

// Problems finds what makes Prometheus refuse q or answer nothing for ever: a
// fault of syntax, a label that a metric has not, a label in the text that the
// answer has not. known maps our metrics to their labels.
func (q Query) Problems(known map[string][]string) []string {
	expr, err := metricsql.Parse(q.Expr)
	if err != nil {
		return []string{err.Error()}
	}
	var bad []string
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			bad = append(bad, filterProblems(e, known)...)
		case *metricsql.AggrFuncExpr:
			bad = append(bad, groupProblems(e, known)...)
		}
	})
	has := answered(expr, known)
	for _, l := range q.Named {
		if !slices.Contains(has, l) {
			bad = append(bad, fmt.Sprintf("its text names the label %s, which its answer has not", l))
		}
	}
	return bad
}

// ofTarget are the labels that Prometheus gives to what it reads from a pod.
func ofTarget() []string {
	return []string{"namespace", "pod", "container", "endpoint", "job", "instance"}
}

// labels are those of what a selector selects.
func labels(e *metricsql.MetricExpr, known map[string][]string) []string {
	name := metric(e)
	if has, ok := known[name]; ok {
		return append(ofTarget(), has...)
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if has, ok := known[strings.TrimSuffix(name, suffix)]; ok && strings.HasSuffix(name, suffix) {
			return append(append(ofTarget(), "le"), has...)
		}
	}
	return ofTarget()
}

// metric is the name that a selector selects by.
func metric(e *metricsql.MetricExpr) string {
	for _, filters := range e.LabelFilterss {
		for _, f := range filters {
			if f.Label == "__name__" {
				return f.Value
			}
		}
	}
	return ""
}

// filterProblems finds labels by which nothing can be selected.
func filterProblems(e *metricsql.MetricExpr, known map[string][]string) []string {
	var bad []string
	has := labels(e, known)
	for _, filters := range e.LabelFilterss {
		for _, f := range filters {
			if f.Label != "__name__" && !slices.Contains(has, f.Label) {
				bad = append(bad, fmt.Sprintf("%s has no label %s", metric(e), f.Label))
			}
		}
	}
	return bad
}

// groupProblems finds labels by which nothing can be told apart.
func groupProblems(e *metricsql.AggrFuncExpr, known map[string][]string) []string {
	var bad, has []string
	for _, arg := range e.Args {
		has = append(has, answered(arg, known)...)
	}
	for _, l := range e.Modifier.Args {
		if !slices.Contains(has, l) {
			bad = append(bad, fmt.Sprintf("it groups by %s, which is no label of what it groups", l))
		}
	}
	return bad
}

// answered are the labels that an expression's answer can have.
func answered(e metricsql.Expr, known map[string][]string) []string {
	var all []string
	switch e := e.(type) {
	case *metricsql.MetricExpr:
		return labels(e, known)
	case *metricsql.RollupExpr:
		return answered(e.Expr, known)
	case *metricsql.AggrFuncExpr:
		if strings.EqualFold(e.Modifier.Op, "by") {
			return e.Modifier.Args
		}
		return nil
	case *metricsql.FuncExpr:
		if e.Name == "absent" {
			return required(e)
		}
		for _, arg := range e.Args {
			all = append(all, answered(arg, known)...)
		}
	case *metricsql.BinaryOpExpr:
		all = append(answered(e.Left, known), answered(e.Right, known)...)
	}
	return all
}

// required are the labels that absent() answers with: those of which it was
// told the value.
func required(e *metricsql.FuncExpr) []string {
	var all []string
	for _, arg := range e.Args {
		m, ok := arg.(*metricsql.MetricExpr)
		if !ok {
			continue
		}
		for _, filters := range m.LabelFilterss {
			for _, f := range filters {
				if f.Label != "__name__" && !f.IsNegative && !f.IsRegexp {
					all = append(all, f.Label)
				}
			}
		}
	}
	return all
}
