package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
)

// Upstream serves /?items=N&bytes=B&from=ID as Twitter's v1.1 did: N messages of
// B bytes, their ids from ID on, as fast as they are read. The connection then
// stays open.
type Upstream struct{}

// batchBytes is how much is written at once.
const batchBytes = 64 << 10

// ServeHTTP implements http.Handler.
func (Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var numbers [3]int
	for i, name := range []string{"items", "bytes", "from"} {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 0 {
			http.Error(w, name+" is no number", http.StatusBadRequest)
			return
		}
		numbers[i] = n
	}
	items, size, from := numbers[0], numbers[1], numbers[2]
	out := http.NewResponseController(w)
	batch := make([]byte, 0, batchBytes+size)
	for n := range items {
		batch = append(appendItem(batch, from+n, size), "\r\n"...)
		if len(batch) < batchBytes && n < items-1 {
			continue
		}
		if _, err := w.Write(batch); err != nil {
			return
		}
		batch = batch[:0]
	}
	if out.Flush() == nil {
		<-r.Context().Done()
	}
}

// words are what messages are filled with; it compresses as posts do not, but
// the same for all who are compared.
var words = bytes.Repeat([]byte("a text as people write it, with words that come again "), 1<<10)

// appendItem appends a message of size bytes, whose id comes after a good part of
// it, as a tweet's does after its date.
func appendItem(b []byte, id, size int) []byte {
	const end = `"}`
	begin := len(b)
	b = fmt.Appendf(b, `{"created_at":"Wed Oct 10 20:19:24 +0000 2018","id":%d,"id_str":"%d","text":"`, id, id)
	for room := size - (len(b) - begin) - len(end); room > 0; room -= min(room, len(words)) {
		b = append(b, words[:min(room, len(words))]...)
	}
	return append(b, end...)
}
