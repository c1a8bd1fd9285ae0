package decode

import (
	"html"
	"strings"
)

// PlainText is what a person reads of the inner text of an HTML document, such
// as the content of a Mastodon status: a paragraph, a list item and the like
// stand on lines of their own, <br> begins a new line, other tags are nothing,
// and entities are the characters they stand for. A < that begins no tag stays.
func PlainText(source string) string {
	var b strings.Builder
	b.Grow(len(source))
	budget := searches * len(source)
	for {
		at := strings.IndexByte(source, '<')
		if at < 0 {
			break
		}
		writeText(&b, source[:at])
		source = source[at:]
		size := 0
		if budget > 0 && beginsTag(source) {
			if size = tagSize(source); size == 0 {
				budget -= len(source)
			}
		}
		if size == 0 {
			b.WriteByte('<')
			source = source[1:]
			continue
		}
		name := tagName(source[:size])
		breakLine(&b, name)
		source = behind(source[size:], name)
	}
	writeText(&b, source)
	return strings.TrimSpace(b.String())
}

// searches is how often the rest of a text may be searched in vain for the end of
// a tag. A person's text has a search or two; one of beginnings alone would take
// minutes.
const searches = 8

// beginsTag reports whether source begins as a tag or comment does.
func beginsTag(source string) bool {
	return len(source) >= 2 && (letter(source[1]) || source[1] == '/' || source[1] == '!')
}

// writeText writes text between tags. Its line breaks are only space, as in
// every HTML document.
func writeText(b *strings.Builder, text string) {
	if strings.ContainsAny(text, "\r\n\t") {
		text = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(text)
	}
	b.WriteString(html.UnescapeString(text))
}

// tagSize is how many bytes the tag or comment takes that source begins as; 0 if
// it has no end.
func tagSize(source string) int {
	if strings.HasPrefix(source, "<!--") {
		if end := strings.Index(source, "-->"); end >= 0 {
			return end + len("-->")
		}
		return len(source)
	}
	var quote byte
	for i := 1; i < len(source); i++ {
		switch c := source[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return 0
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// tagName is the name of a tag in lower case, with the / of an end tag.
func tagName(tag string) string {
	end := 1
	for end < len(tag) && (letter(tag[end]) || end == 1 && tag[end] == '/' || '0' <= tag[end] && tag[end] <= '9') {
		end++
	}
	return strings.ToLower(tag[1:end])
}

// breakLine writes what a tag does to the lines: nothing twice.
func breakLine(b *strings.Builder, name string) {
	switch name {
	case "br":
		b.WriteByte('\n')
	case "/p", "/blockquote", "/pre", "/ul", "/ol", "/h1", "/h2", "/h3", "/h4", "/h5", "/h6":
		for !strings.HasSuffix(b.String(), "\n\n") {
			b.WriteByte('\n')
		}
	case "p", "li", "div", "/div", "tr", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6":
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte('\n')
		}
	}
}

// behind is source without what a start tag of that name hides from readers.
func behind(source, name string) string {
	if name != "script" && name != "style" {
		return source
	}
	if end := strings.Index(source, "</"+name); end >= 0 {
		return source[end:]
	}
	return ""
}
