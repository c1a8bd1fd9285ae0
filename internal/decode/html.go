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
	for {
		at := strings.IndexByte(source, '<')
		if at < 0 {
			break
		}
		writeText(&b, source[:at])
		source = source[at:]
		size := tagSize(source)
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

// writeText writes text between tags. Its line breaks are only space, as in
// every HTML document.
func writeText(b *strings.Builder, text string) {
	if strings.ContainsAny(text, "\r\n\t") {
		text = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(text)
	}
	b.WriteString(html.UnescapeString(text))
}

// tagSize is how many bytes the tag or comment takes that source begins with; 0
// if it begins with none.
func tagSize(source string) int {
	if strings.HasPrefix(source, "<!--") {
		if end := strings.Index(source, "-->"); end >= 0 {
			return end + len("-->")
		}
		return len(source)
	}
	if len(source) < 2 || !letter(source[1]) && source[1] != '/' && source[1] != '!' {
		return 0
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
