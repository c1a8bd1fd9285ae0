package xapi

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/ingest/source"
)

// ahead is how many posts a process counts in advance when it begins: as many
// as may have come between the last saving of the cursor and the death of the
// process that saved it, at the 250 a second that the API delivers at most.
const ahead = 64

// errBudget says that the posts are used up.
var errBudget = errors.New("the budget is used up")

// budget counts posts.
type budget struct {
	most uint64 // 0: no end
	used uint64
}

// resume goes on with the count of a cursor. first says that this process has
// not counted yet.
func (b *budget) resume(from feed.Cursor, first bool) error {
	if b.most == 0 || from == "" {
		return nil
	}
	n, err := strconv.ParseUint(string(from), 10, 64)
	if err != nil {
		return &source.Error{Cause: source.CauseFatal, Err: fmt.Errorf("xapi: read cursor: %q is not a number of posts; name the source otherwise to begin anew", from)}
	}
	b.used = max(b.used, n)
	if first && b.used < b.most {
		b.used = min(b.used+ahead, b.most)
	}
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

// cursor is the count as a cursor; empty without a budget.
func (b *budget) cursor() feed.Cursor {
	if b.most == 0 {
		return ""
	}
	return feed.Cursor(strconv.FormatUint(b.used, 10))
}
