package hydrate

import "unicode"

// scriptID is a script that tells a language, or narrows it down.
type scriptID int

const (
	latin scriptID = iota
	cyrillic
	arabic
	han
	kana
	hangul
	thai
	hebrew
	greek
	devanagari
	bengali
	tamil
	telugu
	kannada
	malayalam
	gujarati
	gurmukhi
	sinhala
	khmer
	lao
	myanmar
	georgian
	armenian
	ethiopic
	scriptCount
)

// languageOf is the language that is posted in most in a script; "" if there
// are several.
func languageOf(s scriptID) string {
	return [scriptCount]string{
		arabic: "ar", han: "zh", kana: "ja", hangul: "ko", thai: "th", hebrew: "he", greek: "el", devanagari: "hi",
		bengali: "bn", tamil: "ta", telugu: "te", kannada: "kn", malayalam: "ml", gujarati: "gu", gurmukhi: "pa",
		sinhala: "si", khmer: "km", lao: "lo", myanmar: "my", georgian: "ka", armenian: "hy", ethiopic: "am",
	}[s]
}

// letterOf is the language that alone has a letter, of those that share its
// script; "" for ordinary letters.
func letterOf(r rune) string {
	switch r {
	case 'ٹ', 'ڈ', 'ڑ', 'ں', 'ے':
		return "ur"
	case 'پ', 'چ', 'ژ', 'گ':
		return "fa"
	case 'і', 'ї', 'є', 'ґ', 'І', 'Ї', 'Є', 'Ґ':
		return "uk"
	case 'ў', 'Ў':
		return "be"
	case 'ђ', 'ћ', 'љ', 'њ', 'џ':
		return "sr"
	case 'ы', 'э', 'ё', 'Ы', 'Э', 'Ё':
		return "ru"
	default:
		return ""
	}
}

// scriptOf is the script of a letter; latin for those not listed.
func scriptOf(r rune) scriptID {
	switch {
	case r < 0x0370:
		return latin
	case r < 0x0400, r >= 0x1F00 && r < 0x2000:
		return greek
	case r < 0x0530:
		return cyrillic
	case r < 0x0590:
		return armenian
	case r < 0x0600:
		return hebrew
	case r < 0x0780:
		return arabic
	case r < 0x0900:
		return latin
	case r < 0x0E00:
		return indic(r)
	case r < 0x2000:
		return eastern(r)
	case unicode.In(r, unicode.Hiragana, unicode.Katakana) || r == 'ー':
		return kana
	case unicode.Is(unicode.Han, r):
		return han
	case unicode.Is(unicode.Hangul, r):
		return hangul
	case unicode.Is(unicode.Arabic, r):
		return arabic
	default:
		return latin
	}
}

// indic is the script of a letter from U+0900 to U+0DFF, where each has a block
// of 128.
func indic(r rune) scriptID {
	return [...]scriptID{
		devanagari, bengali, gurmukhi, gujarati, latin, tamil, telugu, kannada, malayalam, sinhala,
	}[(r-0x0900)/128]
}

// eastern is the script of a letter from U+0E00 to U+1FFF.
func eastern(r rune) scriptID {
	switch {
	case r < 0x0E80:
		return thai
	case r < 0x0F00:
		return lao
	case r >= 0x1000 && r < 0x10A0:
		return myanmar
	case r >= 0x10A0 && r < 0x1100:
		return georgian
	case r >= 0x1100 && r < 0x1200:
		return hangul
	case r >= 0x1200 && r < 0x13A0:
		return ethiopic
	case r >= 0x1780 && r < 0x1800:
		return khmer
	default:
		return latin
	}
}
