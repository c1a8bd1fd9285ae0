package phrase

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// texts holds a file per language: "script", "food" and "tag" lines, then a
// sentence a line. In a sentence {c} stands for a city, {f} for a food, {n}
// for a number, {t} for the word of a hashtag and {e} for an emoji.
//
//go:embed text/*.txt
var texts embed.FS

//go:embed names.tsv
var namesTSV string

// Book is all the sentences and names. It never changes and may be shared.
type Book struct {
	languages     map[string]*language
	emoji         []string
	first, second []string // syllables of handles
}

// language is what one file of texts says.
type language struct {
	food, tags []string
	sentences  [][]piece
	names      *names
}

// names are the two words names are put together of.
type names struct{ first, second []string }

// piece is a run of text or, if slot is not 0, a gap.
type piece struct {
	text string
	slot byte
}

// Load reads the texts compiled into the program. An error says that the files
// are not well formed.
func Load() (*Book, error) {
	scripts, err := parseNames(namesTSV)
	if err != nil {
		return nil, fmt.Errorf("phrase: read names: %w", err)
	}
	files, err := fs.Glob(texts, "text/*.txt")
	if err != nil {
		return nil, fmt.Errorf("phrase: list texts: %w", err)
	}
	b := &Book{
		languages: make(map[string]*language, len(files)),
		emoji:     strings.Fields(emoji),
		first:     strings.Fields(handleFirst),
		second:    strings.Fields(handleSecond),
	}
	for _, path := range files {
		raw, err := texts.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("phrase: read text: %w", err)
		}
		l, err := parseLanguage(string(raw), scripts)
		if err != nil {
			return nil, fmt.Errorf("phrase: read %s: %w", path, err)
		}
		code := strings.TrimSuffix(strings.TrimPrefix(path, "text/"), ".txt")
		b.languages[code] = l
	}
	return b, nil
}

// Has reports whether the book has sentences in the language.
func (b *Book) Has(code string) bool { return b.languages[code] != nil }

func parseNames(table string) (map[string]*names, error) {
	out := map[string]*names{}
	for line := range strings.Lines(table) {
		if line[0] == '#' {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 {
			return nil, fmt.Errorf("line %q has %d cells, not 3", line, len(cells))
		}
		out[cells[0]] = &names{strings.Split(cells[1], "|"), strings.Split(cells[2], "|")}
	}
	return out, nil
}

func parseLanguage(text string, scripts map[string]*names) (*language, error) {
	l := &language{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "script":
			l.names = scripts[rest]
		case "food":
			l.food = strings.Split(rest, "|")
		case "tag":
			l.tags = strings.Split(rest, "|")
		default:
			s, err := parseSentence(line)
			if err != nil {
				return nil, err
			}
			l.sentences = append(l.sentences, s)
		}
	}
	if l.names == nil || len(l.food) == 0 || len(l.tags) == 0 || len(l.sentences) == 0 {
		return nil, errors.New("script, food, tag or sentences are missing")
	}
	return l, nil
}

func parseSentence(line string) ([]piece, error) {
	var out []piece
	for line != "" {
		before, after, found := strings.Cut(line, "{")
		if before != "" {
			out = append(out, piece{text: before})
		}
		if !found {
			break
		}
		slot, rest, closed := strings.Cut(after, "}")
		if !closed || len(slot) != 1 || !strings.Contains("cfnte", slot) {
			return nil, fmt.Errorf("sentence %q has an unknown gap", line)
		}
		out = append(out, piece{slot: slot[0]})
		line = rest
	}
	return out, nil
}
