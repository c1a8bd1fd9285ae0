// Package signin decides who may read a gateway's events, and which kinds of
// them. It is optional: without a secret and without keys everybody may.
//
// Who asks shows a JSON Web Token (RFC 7519), signed with a shared secret
// (HS256) or with one of the keys an issuer publishes (JWKS, RFC 7517). It
// comes in a cookie, in the Authorization header, or, where neither can be set,
// in exchange for a ticket: a random word that works once, for a minute, on any
// gateway of the same NATS server. A ticket is the only thing of these that may
// stand in a URL.
//
// A token needs exp; nbf, iat, iss and aud are checked where they are, and
// kinds, a list of names, says which kinds of events its holder may read. No
// list stands for all of them. Signing people in and setting the cookie is
// somebody else's work.
package signin
