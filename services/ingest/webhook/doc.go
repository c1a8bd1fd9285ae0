// Package webhook takes items that are pushed: POST /v1/ingest/{source}. It
// answers 202 once all of them are stored, and otherwise says of each what
// became of it, so that a sender knows what to send again.
//
// # Bodies
//
//   - application/json (or no type): an object, or an array of objects.
//   - application/x-ndjson: an object a line.
//   - application/cloudevents+json: one CloudEvent in structured mode.
//   - application/cloudevents-batch+json: an array of them.
//   - anything with the headers Ce-Id and Ce-Source: one in binary mode.
//
// What is stored is each object, byte for byte; of a CloudEvent its data.
//
// # Ids
//
// What is sent again is stored once: an item is named by its CloudEvent's
// source and id, else by the header Idempotency-Key and its place in the body,
// else by its bytes. The same post pushed with other bytes is a change of it.
// Under an Idempotency-Key the whole body has to be sent again, since in part of
// it the places are others.
//
// # Memory
//
// A body has MaxBody bytes at most, and all that are being taken together those
// of a Room; who comes when it is full is asked to come again (429).
//
// # Credentials
//
// The secret is "bearer:<token>"; or "hmac:<key>", for bodies signed with
// HMAC-SHA256 as X-Hub-Signature-256: sha256=<hex>; or "x:<consumer secret>" for
// X's webhooks, whose challenge (GET with crc_token) is answered too.
package webhook
