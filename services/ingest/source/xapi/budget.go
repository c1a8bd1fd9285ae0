package xapi

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// ahead is how many posts are set aside at once: so many may be read before the
// next are set aside, and so many a process that is killed leaves unread. The
// API delivers 250 a second at most, which makes some four savings a second.
const ahead = 64

// errBudget says that the posts are used up.
var errBudget = errors.New("the budget is used up")

// budget counts posts. What is about to be read is set aside first, and the
// count with it is saved, so that no process that is killed has read a post
// which the next one does not know of.
type budget struct {
	most  uint64 // 0: no end
	used  uint64
	aside uint64 // up to which count posts may be read
}

// resume goes on with the count of a cursor: what was used, or what had been
// set aside by a process that could not say any more what it used.
func (b *budget) resume(from feed.Cursor) error {
	if b.most == 0 || from == "" {
		return nil
	}
	n, err := strconv.ParseUint(string(from), 10, 64)
	if err != nil {
		return &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("xapi: read cursor: %q is not a number of posts; name the source otherwise to begin anew", from)}
	}
	b.used = max(b.used, n)
	return nil
}

// left is an error once no post more may come.
func (b *budget) left() error {
	if b.most == 0 || b.used < b.most {
		return nil
	}
	return &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("xapi: count posts: %w: %d of %d; raise max-posts to go on", errBudget, b.used, b.most)}
}

// spend counts a post.
func (b *budget) spend() { b.used++ }

// spent reports whether what was set aside is used, and more has to be.
func (b *budget) spent() bool { return b.most > 0 && b.used >= b.aside }

// reserve sets posts aside. They may be read once the cursor is saved.
func (b *budget) reserve() { b.aside = min(b.used+ahead, b.most) }

// release gives back what was set aside and not used.
func (b *budget) release() { b.aside = b.used }

// cursor is the count, with what is set aside, as a cursor; empty without a budget.
func (b *budget) cursor() feed.Cursor {
	if b.most == 0 {
		return ""
	}
	return feed.Cursor(strconv.FormatUint(max(b.used, b.aside), 10))
}
