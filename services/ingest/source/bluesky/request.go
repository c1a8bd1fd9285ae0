package bluesky

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// The paths of the two wires and of the dictionary.
const (
	pathV1         = "/subscribe"
	pathV2         = "/xrpc/network.bsky.jetstream.subscribeEvents"
	pathDictionary = "/xrpc/network.bsky.jetstream.getZstdDictionary"
	// subprotocolV2 is what frames of the second wire are called.
	subprotocolV2 = "xrpc.v1.json"
)

// address is the URL of a connection to host that begins at cursor, "" for now.
func (o *options) address(host, cursor string, dictionary uint32) string {
	q := url.Values{}
	names := [2]string{"wantedCollections", "wantedDids"}
	path := pathV1
	if o.wire == wireV2 {
		names, path = [2]string{"collections", "dids"}, pathV2
	}
	q[names[0]] = o.collections
	switch {
	case o.hello() != nil:
		q.Set("requireHello", "true")
	case len(o.dids) > 0:
		q[names[1]] = o.dids
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	if dictionary != 0 {
		q.Set("zstdDictionary", strconv.FormatUint(uint64(dictionary), 10))
	}
	u := url.URL{Scheme: o.scheme, Host: host, Path: o.path + path, RawQuery: q.Encode()}
	return u.String()
}

// hello is the message by which more accounts are named than fit into a URL;
// nil if they do, or on the wire that takes no messages.
func (o *options) hello() []byte {
	if o.wire != wireV1 || len(o.dids) <= maxQueryDIDs {
		return nil
	}
	type payload struct {
		Collections []string `json:"wantedCollections"`
		DIDs        []string `json:"wantedDids"`
	}
	b, err := json.Marshal(struct {
		Type    string  `json:"type"`
		Payload payload `json:"payload"`
	}{"options_update", payload{o.collections, o.dids}})
	if err != nil {
		panic(fmt.Sprintf("bluesky: strings are always JSON: %v", err))
	}
	return b
}

// dictionaryURL is where host hands out its dictionary.
func (o *options) dictionaryURL(host string) string {
	scheme := map[string]string{"ws": "http", "wss": "https"}[o.scheme]
	u := url.URL{Scheme: scheme, Host: host, Path: o.path + pathDictionary}
	return u.String()
}
