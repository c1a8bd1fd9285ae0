// Package ask asks the services that rules name. A service answers a request on
// a NATS subject with a JSON object; it may be written in any language.
//
// Each service has a lane: so many questions are open at a time, a few times as
// many wait, and whoever brings more waits himself, which slows the line down to
// what the service can do instead of losing events. Each question has a
// deadline. A service that keeps failing is not asked for a while (a circuit
// breaker): its questions fail at once, so that nobody waits for it, and a single
// question now and then finds out when it is back.
package ask
