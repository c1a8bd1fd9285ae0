package simulate

import (
	"encoding/json"
	"strings"
	"time"
)

// Collections that the world's events are about.
const (
	skyPosts = "app.bsky.feed.post"
	// skyNetwork is the root of the names of the second wire's events.
	skyNetwork = "network.bsky.jetstream.subscribeEvents"
)

// skyEvent is an event of Jetstream's first wire.
type skyEvent struct {
	DID       string       `json:"did"`
	TimeUS    int64        `json:"time_us"`
	Kind      string       `json:"kind"`
	Commit    *skyCommit   `json:"commit,omitempty"`
	Identity  *skyIdentity `json:"identity,omitempty"`
	Cursor    uint64       `json:"cursor"`
	Simulated bool         `json:"blipstream_simulated"`
}

// skyFrame is one of its second wire.
type skyFrame struct {
	Type    string     `json:"$type"`
	Payload skyPayload `json:"payload"`
}

type skyPayload struct {
	Type string `json:"$type"`
	Seq  uint64 `json:"seq"`
	DID  string `json:"did"`
	Time string `json:"time"`
	*skyCommit
	Identity  *skyIdentity `json:"identity,omitempty"`
	Simulated bool         `json:"blipstream_simulated"`
}

type skyCommit struct {
	Rev        string     `json:"rev"`
	Operation  string     `json:"operation"`
	Collection string     `json:"collection"`
	RKey       string     `json:"rkey"`
	Record     *skyRecord `json:"record,omitempty"`
	CID        string     `json:"cid,omitempty"`
}

type skyIdentity struct {
	DID    string `json:"did"`
	Handle string `json:"handle"`
	Seq    uint64 `json:"seq"`
	Time   string `json:"time"`
}

type skyRecord struct {
	Type      string     `json:"$type"`
	CreatedAt string     `json:"createdAt"`
	Text      string     `json:"text"`
	Langs     []string   `json:"langs,omitempty"`
	Facets    []skyFacet `json:"facets,omitempty"`
	Reply     *skyReply  `json:"reply,omitempty"`
}

type skyReply struct {
	Root   skyRef `json:"root"`
	Parent skyRef `json:"parent"`
}

type skyRef struct {
	URI string `json:"uri"`
	CID string `json:"cid"`
}

type skyFacet struct {
	Index struct {
		Start int `json:"byteStart"`
		End   int `json:"byteEnd"`
	} `json:"index"`
	Features []skyFeature `json:"features"`
}

type skyFeature struct {
	Type string `json:"$type"`
	DID  string `json:"did,omitempty"`
	URI  string `json:"uri,omitempty"`
	Tag  string `json:"tag,omitempty"`
}

// tid writes a number as AT Protocol's 13 digits of base 32.
func tid(n uint64) string {
	const digits, length = "234567abcdefghijklmnopqrstuvwxyz", 13
	var b [length]byte
	for i := length - 1; i >= 0; i-- {
		b[i] = digits[n&31]
		n >>= 5
	}
	return string(b[:])
}

// number reads what tid has written.
func number(tid string) (n uint64, ok bool) {
	for _, c := range tid {
		i := strings.IndexRune("234567abcdefghijklmnopqrstuvwxyz", c)
		if i < 0 {
			return 0, false
		}
		n = n<<5 | uint64(i)
	}
	return n, len(tid) > 0
}

const (
	didPrefix = "did:plc:"
	// didTail completes the 24 characters of an identifier.
	didTail = "simulated22"
)

// did is an author's identifier.
func (a *author) did() string { return didPrefix + tid(a.id) + didTail }

// handle is an author's name on Bluesky: a domain, in lower case.
func (a *author) handle() string {
	return strings.ReplaceAll(strings.ToLower(a.username), "_", "-") + ".simulated.example"
}

// AppendBluesky appends the item at a position as an event of Jetstream, on its
// first wire or on its second; see Append.
func (w *World) AppendBluesky(b []byte, position uint64, second bool) []byte {
	e, ok := w.sky(position)
	if !ok {
		n := w.original(w.item(position))
		d := w.dice(n, saltMalformed)
		sorts := MalformedSorts()
		return w.AppendMalformed(b, sorts[d.N(len(sorts)-1)], n)
	}
	return append(b, e.marshal(second)...)
}

// sky is the item at a position as an event; ok is false for a malformed one.
func (w *World) sky(position uint64) (e skyEvent, ok bool) {
	n := w.original(w.item(position))
	at := w.Time(n)
	e = skyEvent{TimeUS: at.UnixMicro(), Cursor: position + 1, Simulated: true}
	switch w.sortOf(n) {
	case sortMalformed:
		return e, false
	case sortDelete:
		p := w.post(w.target(n), at)
		e.DID, e.Kind = p.author.did(), "commit"
		e.Commit = &skyCommit{Rev: tid(w.base + n), Operation: "delete", Collection: skyPosts, RKey: tid(p.id)}
	case sortScrub, sortLimit: // Jetstream has neither; a name may change at any time
		a := w.post(w.target(n), at).author
		e.DID, e.Kind = a.did(), "identity"
		e.Identity = &skyIdentity{DID: a.did(), Handle: a.handle(), Seq: n, Time: at.UTC().Format(time.RFC3339Nano)}
	default:
		p := w.post(n, at)
		e.DID, e.Kind = p.author.did(), "commit"
		e.Commit = &skyCommit{Rev: tid(w.base + n), Operation: "create", Collection: skyPosts, RKey: tid(p.id), Record: p.sky(), CID: "bafyreisimulated" + tid(p.id)}
	}
	return e, true
}

// marshal writes the event on a wire.
func (e *skyEvent) marshal(second bool) []byte {
	var v any = e
	if second {
		v = skyFrame{Type: "message", Payload: skyPayload{
			Type: skyNetwork + "#" + e.Kind, Seq: e.Cursor, DID: e.DID, Simulated: e.Simulated,
			Time: time.UnixMicro(e.TimeUS).UTC().Format("2006-01-02T15:04:05.000000Z"), skyCommit: e.Commit, Identity: e.Identity,
		}}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("simulate: strings and numbers are always JSON: " + err.Error())
	}
	return b
}

// sky is a post as Bluesky keeps it. A repost, which there has no text of its
// own, becomes a post that says what it repeats.
func (p *post) sky() *skyRecord {
	text := p.reads()
	r := &skyRecord{Type: skyPosts, CreatedAt: p.at.UTC().Format(time.RFC3339Nano), Text: text, Langs: []string{modern(p.author.lang)}, Facets: facets(text, p)}
	if p.reply != nil {
		ref := skyRef{URI: "at://" + p.reply.author.did() + "/" + skyPosts + "/" + tid(p.reply.id), CID: "bafyreisimulated" + tid(p.reply.id)}
		r.Reply = &skyReply{Root: ref, Parent: ref}
	}
	return r
}

// facets marks hashtags, mentions and links by the bytes of the text.
func facets(text string, p *post) (out []skyFacet) {
	at := 0
	for word := range strings.SplitAfterSeq(text, " ") {
		bare := strings.TrimRight(word, " \n:")
		if e, ok := entityOf(bare); ok {
			f := skyFacet{Features: []skyFeature{p.feature(e)}}
			f.Index.Start, f.Index.End = at, at+len(bare)
			out = append(out, f)
		}
		at += len(word)
	}
	return out
}

func (p *post) feature(e entity) skyFeature {
	const root = "app.bsky.richtext.facet#"
	switch e.kind {
	case '#':
		return skyFeature{Type: root + "tag", Tag: e.text}
	case '@':
		f := skyFeature{Type: root + "mention"}
		if about := p.about(); about != nil {
			f.DID = about.author.did()
		}
		return f
	default:
		return skyFeature{Type: root + "link", URI: "https://simulated.example/read/" + e.text[len("https://t.co/"):]}
	}
}
