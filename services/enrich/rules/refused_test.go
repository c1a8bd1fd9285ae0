package rules_test

import (
	"strings"
	"testing"

	"github.com/blipstream/blipstream/services/enrich/rules"
)

// A text that cannot work is refused in one line that says where and why.
func TestRefused(t *testing.T) {
	const ask = "ask: {s: {subject: a.b"
	long := strings.Repeat("a ", 101)
	for text, want := range map[string]string{
		`rules: 7`:                  "read YAML",
		`rule: []`:                  "field rule not found",
		"rules: []\n---\nrules: []": "more than one document",
		``:                          "there are none",
		`rules:`:                    "there are none",
		"# nothing\n---\n":          "there are none",
		ask + `}}`:                  "there are none",
		`rules: [null]`:             "rule 1 says nothing",
		`rules: [{when: true}]`:     "kind must be lower case",
		`rules: [{kind: geo_blip, when: "true"}]`:                                  "built in",
		`rules: [{kind: a}]`:                                                       "when is missing",
		`rules: [{kind: a, if: "true"}]`:                                           "field if not found",
		`rules: [{kind: a, when: "post.body"}]`:                                    "not true or false",
		`rules: [{kind: a, when: "true"}, {kind: a, when: "true"}]`:                "join them with ||",
		`rules: [{kind: a, when: "true", sample: 0}]`:                              "sample must be above 0",
		`rules: [{kind: a, when: "true", keep: "true"}]`:                           "needs ask",
		`rules: [{kind: a, when: "true", ask: s}]`:                                 `there is no "s"`,
		`rules: [{kind: a, when: "true", emit: []}]`:                               "must be a mapping",
		`rules: [{kind: a, when: "true", emit: {b: [1]}}]`:                         "must be an expression",
		`rules: [{kind: a, when: "true", emit: {id: "1"}}]`:                        "cannot be set",
		`rules: [{kind: a, when: "true", emit: {B: "1"}}]`:                         "letter in lower case",
		`rules: [{kind: a, when: "true", tests: [null]}]`:                          "test 1 says nothing",
		`rules: [{kind: a, when: "true", tests: [{}]}]`:                            "neither post nor raw",
		`rules: [{kind: a, when: "true", tests: [{raw: "{"}]}]`:                    "no sound JSON",
		`rules: [{kind: a, when: "true", tests: [{raw: {a: 1}}]}]`:                 "cannot be read here",
		`rules: [{kind: a, when: "true", tests: [{post: {lat: 1}}]}]`:              "only one of lat and lon",
		`rules: [{kind: a, when: "true", tests: [{name: x, post: {}}]}]`:           "test a/x: wanted no event",
		`rules: [{kind: a, when: "false", tests: [{post: {}, want: {}}]}]`:         "test a/1: ",
		`rules: [{kind: a, when: "true", tests: [{post: {}, want: {id: 2}}]}]`:     "test a/1: ",
		"rules: [{kind: a, when: 'post.x'}]":                                       `rule "a" (line 1): when: column 5: undefined field 'x'`,
		"rules: [{kind: a, when: 'true', emit: {b: '{1: 2}'}}]":                    "is a map",
		"rules: [{kind: a, when: 'post.body.matches(post.body)'}]":                 "written out",
		"rules: [{kind: a, when: 'post.body.hasWord(\"" + long + "\")'}]":          "longer than 200 bytes",
		"rules: [{kind: a, when: 'post.body.hasWord([\"b\", \"" + long + "\"])'}]": "longer than 200 bytes",
		"rules: [{kind: hello, when: 'true'}]":                                     "kind must be",
		"rules: [{kind: a, when: 'post.body.replace(\"a\",\"b\")==\"\"'}]":         "not available",
		`ask: {s: null}`:                                      "ask s: says nothing",
		`ask: {S: {subject: a.b}}`:                            "lower case",
		`ask: {s: {subject: "a b"}}`:                          "dotted words",
		`ask: {s: {subject: raw.b}}`:                          "belongs to a stream",
		ask + `, timeout: 1m}}`:                               "timeout must be",
		ask + `, concurrency: 0}}`:                            "concurrency must be",
		ask + `, on_error: panic}}`:                           "on_error must be",
		ask + `, send: {x: "answer.score"}}}` + "\nrules: []": "answer",
	} {
		_, err := rules.Compile([]byte(text), nil)
		switch {
		case err == nil:
			t.Errorf("%s: taken", text)
		case !strings.HasPrefix(err.Error(), "rules: ") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), want):
			t.Errorf("%s: error %q, want one line with %q", text, err, want)
		}
	}
}
