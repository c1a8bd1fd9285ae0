package feed

import "time"

// Format names the shape of an item's bytes. It travels in HeaderFormat.
type Format string

// The formats that package decode knows or will know.
const (
	FormatTwitterV1 Format = "twitter-v1"
	FormatXV2       Format = "x-v2"
	FormatBluesky   Format = "bluesky"
	FormatMastodon  Format = "mastodon"
	FormatWikimedia Format = "wikimedia"
	FormatUSGS      Format = "usgs"
	FormatEMSC      Format = "emsc"
	FormatPost      Format = "post"
)

// Formats lists them.
func Formats() []Format {
	return []Format{
		FormatTwitterV1, FormatXV2, FormatBluesky, FormatMastodon, FormatWikimedia, FormatUSGS, FormatEMSC, FormatPost,
	}
}

// Cursor is a position in an upstream, opaque to all but the source that made
// it. The empty cursor means "wherever the source starts by itself".
type Cursor string

// Item is one raw message of an upstream.
type Item struct {
	// ID is the item's name within its source and the body of its message id
	// in RAW ("<source>:<ID>"). The same upstream message has the same ID,
	// however often it is delivered.
	ID string
	// Identity is the id that derived events carry in their message ids. It is
	// empty where the payload's own id serves, which is the usual case; a file
	// read for the second time sets it, because there the same payload is
	// meant to yield events again.
	Identity string
	// Source is the last token of raw.<source>.
	Source string
	// Format tells how to decode Data; empty if the source cannot know.
	Format Format
	// Received is when the last byte of the item arrived, by our clock.
	Received time.Time
	// Cursor is the position just after this item; empty if the source cannot
	// resume. Saving it says that the item is stored.
	Cursor Cursor
	// Data is the upstream's message, byte for byte.
	Data []byte
}
