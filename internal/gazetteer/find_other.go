package gazetteer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// inRun finds a name in a run of a script that has no spaces between words: the
// first, and there the longest.
func (f *finder) inRun(run string) *City {
	for at := 0; at < len(run); {
		if m, end := f.runName(run, at); m.first >= 0 && !f.withinWord(run, at, end) {
			if city := f.pick(m.first, demand{least: minBare}); city != nil {
				return city
			}
		}
		_, size := utf8.DecodeRuneInString(run[at:])
		at += size
	}
	return nil
}

// runName is the longest name that starts at a place of a run, and where it
// ends.
func (f *finder) runName(run string, at int) (m match, end int) {
	m.first = -1
	hash := fnvOffset
	for i, n := at, 0; i < len(run) && n < f.longestRun; n++ {
		r, size := utf8.DecodeRuneInString(run[i:])
		hash = f.fold.addRune(hash, r)
		i += size
		k, ok := f.keys[hash]
		if ok && k.first >= 0 {
			m, end = match{first: k.first, hash: hash, words: 1}, i
		}
		if !ok || !k.begins {
			break
		}
	}
	return m, end
}

// withinWord reports whether what stands from at to end in a run is a part of
// something else: of a longer word in Katakana, or a person's name.
func (f *finder) withinWord(run string, at, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(run[:at])
	if before == '姓' {
		return true
	}
	first, _ := utf8.DecodeRuneInString(run[at:])
	behind, _ := utf8.DecodeRuneInString(run[end:])
	if katakana(first) && (katakana(before) || katakana(behind)) {
		return true
	}
	for _, title := range [...]string{"さん", "くん", "ちゃん", "氏", "選手", "选手", "先生", "字"} {
		if strings.HasPrefix(run[end:], title) {
			return true
		}
	}
	return false
}

// katakana reports whether r is a letter of it, or what makes one long.
func katakana(r rune) bool { return unicode.Is(unicode.Katakana, r) || r == 'ー' }

// affixed finds a name at word i of a script that has words but no capitals.
// What such languages write together with a name is taken off: particles at
// the end in Korean, letters in front in Arabic and Hebrew.
func (f *finder) affixed(i int) (city *City, words int, sure bool) {
	if m := f.longestWord(i, 0); m.first >= 0 {
		return f.pick(m.first, demand{least: minBare}), m.words, false
	}
	t := &f.ts.list[i]
	word := f.text[t.start:t.end]
	r, size := utf8.DecodeRuneInString(word)
	if strings.ContainsRune("وبلفكבלמהוש", r) {
		if m := f.longestWord(i, size); m.first >= 0 {
			return f.pick(m.first, demand{least: minBare}), m.words, false
		}
	}
	if scriptOf(r) == hangul {
		return f.particled(word), 1, false
	}
	return nil, 1, false
}

// longestWord is longestName without capitals, from skip bytes into word i on.
func (f *finder) longestWord(i, skip int) match {
	found := match{first: -1}
	hash := fnvOffset
	for n := 0; n < f.longest && i+n < f.ts.n; n++ {
		t := &f.ts.list[i+n]
		if n > 0 {
			if t.broken {
				break
			}
			hash = f.fold.add(hash, " ")
			skip = 0
		}
		hash = f.fold.add(hash, f.text[int(t.start)+skip:t.end])
		k, ok := f.keys[hash]
		if ok && k.first >= 0 {
			found = match{first: k.first, hash: hash, words: n + 1}
		}
		if !ok || !k.begins {
			break
		}
	}
	return found
}

// particles are what Korean writes behind a name of a place. Without one of
// them, a longer word that begins with a name is another word.
const particles = " 에 에서 에서는 에서도 에는 에도 에서의 은 는 이 가 을 를 의 로 으로 과 와 도 까지 부터 역 시 시내 에서만 만 보다 처럼 행 "

// particled is the city that a Korean word starts with, before a particle.
func (f *finder) particled(word string) *City {
	for i := range word {
		if i == 0 || !strings.Contains(particles, " "+word[i:]+" ") {
			continue
		}
		if k, ok := f.keys[f.fold.hash(word[:i])]; ok && k.first >= 0 {
			return f.pick(k.first, demand{least: minBare})
		}
	}
	return nil
}
