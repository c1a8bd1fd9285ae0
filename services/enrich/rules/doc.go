// Package rules makes events that users define. A set of rules is a YAML text;
// each rule names a kind, says in CEL (cel.dev) for which posts an event is
// made ("when") and what it holds ("emit"), and brings tests of its own.
//
//	rules:
//	  - kind: coffee
//	    when: post.lang == "en" && post.body.hasWord("coffee")
//	    emit:
//	      body: post.body
//	      lat: post.?lat
//	    sample: 0.5
//	    tests:
//	      - post: {lang: en, body: "Coffee first."}
//	        want: {body: "Coffee first."}
//	      - post: {lang: de, body: "Kaffee!"}
//
// Compile reads such a text, checks its types and its cost, runs its tests, and
// returns a Set only if all is well. A Set never changes and may be shared. It
// does no I/O: what a rule asks of others comes back as a Pending, which
// whoever runs the rules has answered.
//
// # What holds
//
// A rule that reads what a post does not tell yields no event, as a built-in
// deriver does. A rule that fails on a post is told to the Observer and left
// out; the other rules go on. The same item yields the same events whenever it
// is looked at: the sample is drawn by the item's id, and no function reads a
// clock. See docs/rules.md for all of the language.
package rules
