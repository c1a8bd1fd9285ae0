package phrase

import (
	"strconv"

	"github.com/blipstream/blipstream/internal/simulate/dice"
)

// emoji are what people end a sentence with. Some are of several code points,
// all but a few lie outside the basic plane.
const emoji = "☕ 🌧️ 🎉 😊 🚲 📚 🌤️ 🎺 🦆 🌻 🍲 🚆 💛 🙂 🌈 🍎 👩‍🍳 ⚽ 🎶 🌙 😄 🧺 🐈 🏔️"

// handles are the syllables of user names.
const (
	handleFirst  = "miro tal odel suri benat lio karo nevi yari tom esra velm pirk janu rosk ami"
	handleSecond = "vorin ossem brek und milo kars pell vari ten quim solli ardel hush brint"
)

// Append appends a sentence in the language, said in the named city. The
// language must be one the book has.
func (b *Book) Append(dst []byte, d *dice.Dice, code, city string) []byte {
	l := b.languages[code]
	for _, p := range dice.Pick(d, l.sentences) {
		switch p.slot {
		case 0:
			dst = append(dst, p.text...)
		case 'c':
			dst = append(dst, city...)
		case 'f':
			dst = append(dst, dice.Pick(d, l.food)...)
		case 'n':
			dst = strconv.AppendInt(dst, int64(2+d.N(21)), 10)
		case 't':
			dst = append(dst, dice.Pick(d, l.tags)...)
		case 'e':
			dst = append(dst, dice.Pick(d, b.emoji)...)
		}
	}
	return dst
}

// Name makes up a display name in the script of the language.
func (b *Book) Name(d *dice.Dice, code string) string {
	n := b.languages[code].names
	name := dice.Pick(d, n.first) + " " + dice.Pick(d, n.second)
	if d.Chance(0.15) {
		name += " " + dice.Pick(d, b.emoji)
	}
	return name
}

// Username makes up a handle: 15 characters at most, of letters, digits and _,
// as Twitter has it.
func (b *Book) Username(d *dice.Dice) string {
	s := dice.Pick(d, b.first)
	if d.Chance(0.5) {
		s += "_"
	}
	s += dice.Pick(d, b.second)
	return s + strconv.Itoa(d.N(1000))
}
