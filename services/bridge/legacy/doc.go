// Package legacy knows the two Redis channels of the old line, and nothing
// else does: what stands on them, what it becomes here, and what may be sent
// to programs that still read them. It is pure: no I/O, no clock.
//
// # twitter_raw
//
// One message is one message of Twitter's v1.1 streams, byte for byte, with no
// envelope. What old consumers really publish is noisier: lengths of the
// delimited framing ("2834\r"), keep-alives ("\r"), objects that end in CR.
// ParseRaw takes anything; Safe lets out only what the old readers survive,
// and Tweet makes the smallest v1.1 tweet of an item of another format.
//
// # events
//
// One message is {"kind": <string>, "body": <string>}, ASCII only, and body is
// itself a JSON document. ParseEvent and EncodeEvent translate between that and
// the flat objects of events.<kind>. Two differences beyond the encoding:
//
//   - old pages insert the text of a post as HTML, and the text came to them as
//     Twitter sends it, with &amp; &lt; &gt;. An event's body is plain text. So
//     the three are written on the way out and read on the way in.
//   - the old enrich step publishes both events for every message, with empty
//     texts and the position 0,0 for what it did not know. Those say nothing
//     and are dropped on the way in.
//
// # How the old readers die
//
// By their own code they end the process for good on: a user that is no
// object; a true geo or place or bounding_box that is no object; a geo without
// a type that is a string; a Point without exactly two coordinates; a bounding
// box whose first corner is no pair; nesting that exhausts Python's stack;
// and, in one of them, on anything that is not JSON. Python's json also gives
// up on an integer of more than 4,300 digits, and Python 3 on printing half a
// surrogate pair.
package legacy
