// Command blipstream is Blipstream in one program: `blipstream up` runs the
// whole line with a NATS server inside, and the other commands are for
// operators: tail reads a gateway, nats and simulate stand in for what is
// outside, ensure makes the streams, dead and replay work on what is stored, bench
// measures.
package main
