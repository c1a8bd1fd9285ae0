package sse

import (
	"bytes"
	"slices"

	"github.com/r3labs/sse/v2"
)

// Append appends e to dst in wire form, ended by a blank line. No field can
// end early or forge another: line breaks split data into several data fields,
// which a client joins again by \n, and are dropped from the other fields; NUL,
// which no JSON text contains and which clients read differently, becomes a
// space.
func Append(dst []byte, e *sse.Event) []byte {
	dst = appendField(dst, "id: ", e.ID)
	dst = appendField(dst, "event: ", e.Event)
	dst = appendField(dst, "retry: ", e.Retry)
	dst = appendField(dst, ": ", e.Comment)
	if len(e.Data) > 0 {
		dst = appendData(dst, e.Data)
	}
	return append(dst, '\n')
}

// appendField appends one line, or nothing for an empty value.
func appendField(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(dst, name...)
	if !bytes.ContainsAny(value, "\r\n\x00") {
		dst = append(dst, value...)
	} else {
		for _, b := range value {
			if b != '\r' && b != '\n' && b != 0 {
				dst = append(dst, b)
			}
		}
	}
	return append(dst, '\n')
}

// appendData appends a data field for each line of data.
func appendData(dst, data []byte) []byte {
	for {
		line, rest, more := cutLine(data)
		dst = append(dst, "data: "...)
		start := len(dst)
		dst = append(dst, line...)
		for i := start; i < len(dst); i++ {
			if dst[i] == 0 {
				dst[i] = ' '
			}
		}
		dst = append(dst, '\n')
		if !more {
			return dst
		}
		data = rest
	}
}

// cutLine splits data at its first line break: \r\n, \n or \r.
func cutLine(data []byte) (line, rest []byte, more bool) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil, false
	}
	rest = data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return data[:i], rest, true
}

// Data returns the data of an event that Append made, its lines joined by \n.
// It is part of event where there is one line, as is usual.
func Data(event []byte) []byte {
	var data []byte
	for line := range bytes.Lines(event) {
		value, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		value = bytes.TrimSuffix(value, []byte("\n"))
		if data == nil {
			data = slices.Clip(value)
		} else {
			data = append(append(data, '\n'), value...)
		}
	}
	return data
}
